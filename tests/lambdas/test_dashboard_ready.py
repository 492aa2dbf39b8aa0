"""What is missing for a dashboard is said in one line, with what to do."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.dashboard_ready.check import Needs, check
from lambdas.dashboard_ready.handler import handler
from lambdas.errors import EventError, NotReadyError

PROPERTIES = {
    "Account": "123456789012",
    "Namespace": "default",
    "Group": "report-readers",
    "IdentityRegion": "eu-west-1",
}
NEEDS = Needs.from_properties(PROPERTIES)
SUBSCRIBED = {"AccountInfo": {"AccountSubscriptionStatus": "ACCOUNT_CREATED", "Edition": "ENTERPRISE"}}


@pytest.fixture
def quicksight() -> Any:
    return boto3.client("quicksight", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")


def test_a_subscription_and_the_group_are_enough(quicksight: Any) -> None:
    with Stubber(quicksight) as stub:
        stub.add_response("describe_account_subscription", SUBSCRIBED, {"AwsAccountId": "123456789012"})
        stub.add_response(
            "describe_group",
            {"Group": {"GroupName": "report-readers"}},
            {"AwsAccountId": "123456789012", "Namespace": "default", "GroupName": "report-readers"},
        )
        check(NEEDS, quicksight)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_no_subscription(quicksight: Any, code: str) -> None:
    with Stubber(quicksight) as stub:
        stub.add_client_error("describe_account_subscription", code)
        with pytest.raises(NotReadyError, match=r"no QuickSight subscription .*Sign up .*stages\.yaml") as caught:
            check(NEEDS, quicksight)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "account",
    [
        {"AccountSubscriptionStatus": "UNSUBSCRIBE_IN_PROGRESS", "Edition": "ENTERPRISE"},
        {"AccountSubscriptionStatus": "ACCOUNT_CREATED", "Edition": "STANDARD"},
    ],
)
def test_a_subscription_that_cannot_be_used(quicksight: Any, account: dict[str, str]) -> None:
    with Stubber(quicksight) as stub:
        stub.add_response("describe_account_subscription", {"AccountInfo": account})
        with pytest.raises(NotReadyError, match="needed is an Enterprise edition"):
            check(NEEDS, quicksight)


def test_no_group(quicksight: Any) -> None:
    with Stubber(quicksight) as stub:
        stub.add_response("describe_account_subscription", SUBSCRIBED)
        stub.add_client_error("describe_group", "ResourceNotFoundException")
        with pytest.raises(NotReadyError, match=r"no group report-readers .*create-group .*eu-west-1"):
            check(NEEDS, quicksight)


def test_another_error_of_aws_is_passed_on(quicksight: Any) -> None:
    with Stubber(quicksight) as stub:
        stub.add_client_error("describe_account_subscription", "ThrottlingException")
        with pytest.raises(quicksight.exceptions.ClientError, match="Throttling"):
            check(NEEDS, quicksight)


def test_a_property_that_is_missing_is_named() -> None:
    with pytest.raises(EventError, match="Account, Namespace, Group, IdentityRegion"):
        Needs.from_properties({**PROPERTIES, "Group": ""})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Reasons given to CloudFormation; None for success."""
    given: list[str | None] = []

    def answer(_event: object, _identifier: str, failure: str | None, _sleep: object) -> None:
        given.append(failure)

    monkeypatch.setattr("lambdas.dashboard_ready.handler.answer", answer)
    return given


def test_cloudformation_is_told_what_is_missing(
    answers: list[str | None], quicksight: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.dashboard_ready.handler.boto3.client", lambda *_, **__: quicksight)
    with Stubber(quicksight) as stub:
        stub.add_client_error("describe_account_subscription", "ResourceNotFoundException")
        handler({"RequestType": "Create", "ResourceProperties": PROPERTIES}, None)
        stub.add_client_error("describe_account_subscription", "ThrottlingException")
        handler({"RequestType": "Update", "ResourceProperties": PROPERTIES}, None)
    handler({"RequestType": "Delete", "ResourceProperties": PROPERTIES}, None)
    assert answers[0] is not None and answers[0].startswith("This account has no QuickSight subscription")
    assert answers[1] is not None and answers[1].startswith("ThrottlingException")
    assert answers[2] is None
