"""What a dashboard needs of the account before it can be made: QuickSight, and a group that may look at it."""

from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from lambdas.errors import EventError, NotReadyError

_PROPERTIES = ("Account", "Namespace", "Group", "IdentityRegion")
# Subscriptions of these names are there and can be used.
_READY = ("ACCOUNT_CREATED",)
_EDITIONS = ("ENTERPRISE", "ENTERPRISE_AND_Q")
_WITHOUT = "or take `dashboard` out of this stage in stages.yaml to deploy without a dashboard"


@dataclass(frozen=True)
class Needs:
    """The readers' group, in the region where this account's QuickSight keeps users and groups."""

    account: str
    namespace: str
    group: str
    identity_region: str

    @classmethod
    def from_properties(cls, properties: dict[str, Any]) -> Self:
        """Raises EventError if a property of the custom resource is missing."""
        values = [properties.get(name) for name in _PROPERTIES]
        if not all(isinstance(value, str) and value for value in values):
            raise EventError(f"the custom resource must have the properties {', '.join(_PROPERTIES)}")
        return cls(*(str(value) for value in values))


def check(needs: Needs, quicksight: Any) -> None:
    """`quicksight` is the boto3 client in the identity region.

    Raises:
        NotReadyError: QuickSight is not subscribed to, of an edition without dashboards as code, or lacks the group.
    """
    _check_subscription(needs, quicksight)
    try:
        quicksight.describe_group(AwsAccountId=needs.account, Namespace=needs.namespace, GroupName=needs.group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise NotReadyError(
            f"QuickSight has no group {needs.group} in its namespace {needs.namespace} (identity region "
            f"{needs.identity_region}). Make it: aws quicksight create-group --aws-account-id {needs.account} "
            f"--namespace {needs.namespace} --group-name {needs.group} --region {needs.identity_region}; {_WITHOUT}."
        ) from error


def _check_subscription(needs: Needs, quicksight: Any) -> None:
    try:
        account = quicksight.describe_account_subscription(AwsAccountId=needs.account)["AccountInfo"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "AccessDeniedException"):
            raise
        raise NotReadyError(
            "This account has no QuickSight subscription that this stack may see (identity region "
            f"{needs.identity_region}). Sign up for QuickSight, Enterprise edition, in the AWS console, {_WITHOUT}."
        ) from error
    status, edition = account.get("AccountSubscriptionStatus"), account.get("Edition")
    if status not in _READY or edition not in _EDITIONS:
        raise NotReadyError(
            f"QuickSight's subscription is {status}, edition {edition}; needed is an Enterprise edition that is "
            f"ready. Change it in QuickSight's settings, {_WITHOUT}."
        )
