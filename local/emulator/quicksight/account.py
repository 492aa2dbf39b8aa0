"""The account's subscription to QuickSight, and what happens without one."""

from collections.abc import Callable
from typing import Any

from local.emulator.environment import ACCOUNT, REGION
from local.emulator.errors import EmulatorError
from local.emulator.quicksight.errors import AccessDenied, InvalidParameter, NotFound, NotSubscribed
from local.emulator.quicksight.names import NAMESPACE

_NAME = "report-tuning-local"
_EDITION = "ENTERPRISE"
_EMAIL = "quicksight@localhost"
# DescribeTheme takes this for AWS's own themes.
_AWS = "aws"
# What AWS answers without a subscription depends on the operation: on identities, on data, on everything else.
_IDENTITIES = ("Group", "User", "Namespace")
_DATA = ("DataSource", "DataSet", "Ingestion", "RefreshSchedule")
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Account:
    """The one account. `subscribed` false makes it one that never signed up for QuickSight."""

    def __init__(self, *, subscribed: bool) -> None:
        self._subscribed = subscribed

    def operations(self) -> dict[str, Operation]:
        return {
            "DescribeAccountSubscription": lambda _request: {
                "AccountInfo": {
                    "AccountName": _NAME,
                    "Edition": _EDITION,
                    "NotificationEmail": _EMAIL,
                    "AuthenticationType": "IDENTITY_POOL",
                    "AccountSubscriptionStatus": "ACCOUNT_CREATED",
                }
            },
            "DescribeAccountSettings": lambda _request: {
                "AccountSettings": {
                    "AccountName": _NAME,
                    "Edition": _EDITION,
                    "DefaultNamespace": NAMESPACE,
                    "NotificationEmail": _EMAIL,
                    "PublicSharingEnabled": False,
                    "TerminationProtectionEnabled": True,
                }
            },
        }

    def check(self, operation: str, account: str) -> None:
        """Check that a request is for this account and that the account has QuickSight.

        Raises:
            AccessDenied: another account.
            InvalidParameter: AWS itself, whose themes DescribeTheme can read.
            EmulatorError: no subscription, with AWS's code for this operation.
        """
        if account == _AWS:
            raise InvalidParameter(f"AwsAccountId: the local AWS does not hold what belongs to {_AWS}")
        if account != ACCOUNT:
            raise AccessDenied(
                f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: quicksight:{operation}"
                f" on account {account}"
            )
        if not self._subscribed:
            raise _unsubscribed(operation)


def check_region(account: str, region: str) -> None:
    """Check what a request is signed for.

    Raises:
        AccessDenied: not the account and the region that the local AWS has.
    """
    if region != REGION:
        raise AccessDenied(
            f"Operation is being called from endpoint {region}, but your identity region is {REGION}."
            f" Please use the {REGION} endpoint."
        )
    if account != ACCOUNT:
        raise AccessDenied(f"the local AWS has QuickSight in account {ACCOUNT} only, not in {account}")


def _unsubscribed(operation: str) -> EmulatorError:
    if operation.startswith("DescribeAccount"):
        return NotFound(f"Account information for account {ACCOUNT} is not found.")
    if any(word in operation for word in _IDENTITIES):
        return NotFound(f"Account {ACCOUNT} is not signed up with QuickSight with namespace {NAMESPACE}.")
    if any(word in operation for word in _DATA):
        return NotFound(f"Directory information for account {ACCOUNT} is not found.")
    return NotSubscribed(f"Account {ACCOUNT} is not subscribed for QuickSight")
