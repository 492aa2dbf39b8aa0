"""The subscription, identities, tags, and who is refused."""

import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws_helpers import unique
from tests.local.conftest import REPOSITORY
from tests.local.quicksight.account import ACCOUNT, PREFIX, Account


def code(refusal: "pytest.ExceptionInfo[ClientError]") -> str:
    return str(refusal.value.response["Error"]["Code"])


def test_the_account_is_subscribed(account: Account) -> None:
    answer = account.client.describe_account_subscription(AwsAccountId=ACCOUNT)
    assert answer["Status"] == 200
    assert answer["RequestId"]
    assert answer["AccountInfo"]["AccountSubscriptionStatus"] == "ACCOUNT_CREATED"
    assert answer["AccountInfo"]["Edition"] == "ENTERPRISE"
    settings = account.client.describe_account_settings(AwsAccountId=ACCOUNT)["AccountSettings"]
    assert settings["DefaultNamespace"] == "default"


def test_an_account_without_subscription(tmp_path: Path, emulator_python: Path) -> None:
    state = tmp_path / "state"
    with LocalAws(
        state, python=emulator_python, job_python=Path(sys.executable), repository=REPOSITORY, quicksight=False
    ) as aws:
        client = aws.client("quicksight")
        for call, wanted in (
            (client.describe_account_subscription, "ResourceNotFoundException"),
            (client.list_dashboards, "UnsupportedUserEditionException"),
            (client.list_data_sets, "ResourceNotFoundException"),
        ):
            with pytest.raises(ClientError) as refusal:
                call(AwsAccountId=ACCOUNT)
            assert code(refusal) == wanted
        with pytest.raises(ClientError, match="is not signed up with QuickSight with namespace default"):
            client.list_groups(AwsAccountId=ACCOUNT, Namespace="default")


def test_another_account_is_refused(account: Account) -> None:
    with pytest.raises(ClientError, match="not authorized to perform: quicksight:ListDashboards") as refusal:
        account.client.list_dashboards(AwsAccountId="111122223333")
    assert code(refusal) == "AccessDeniedException"
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_another_region_is_refused(aws: LocalAws) -> None:
    client = boto3.client(
        "quicksight",
        endpoint_url=aws.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with pytest.raises(ClientError, match="your identity region is us-east-1") as refusal:
        client.list_groups(AwsAccountId=ACCOUNT, Namespace="default")
    assert code(refusal) == "AccessDeniedException"


def test_an_operation_that_is_not_offered_is_refused_by_name(account: Account) -> None:
    with pytest.raises(ClientError, match="QuickSight ListTopics: the local AWS does not offer it") as refusal:
        account.client.list_topics(AwsAccountId=ACCOUNT)
    assert code(refusal) == "UnknownOperationException"


def test_the_server_checks_what_the_client_does_not(aws: LocalAws) -> None:
    client = boto3.client(
        "quicksight",
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError, match="Name is required") as refusal:
        client.create_data_source(AwsAccountId=ACCOUNT, DataSourceId="a", Type="ATHENA")
    assert code(refusal) == "InvalidParameterValueException"


def test_groups_come_and_go(account: Account) -> None:
    client, name = account.client, unique("group") + " of/ours"
    where = {"AwsAccountId": ACCOUNT, "Namespace": "default"}

    created = client.create_group(**where, GroupName=name, Description="who may look")["Group"]

    assert created["Arn"] == f"{PREFIX}:group/default/{name}"
    with pytest.raises(client.exceptions.ResourceExistsException):
        client.create_group(**where, GroupName=name)
    assert client.describe_group(**where, GroupName=name)["Group"]["Description"] == "who may look"
    assert name in [group["GroupName"] for group in client.list_groups(**where)["GroupList"]]
    client.delete_group(**where, GroupName=name)
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=name):
        client.describe_group(**where, GroupName=name)


def test_users_are_members_of_groups(account: Account) -> None:
    client, group = account.client, unique("group")
    where = {"AwsAccountId": ACCOUNT, "Namespace": "default"}
    role = {
        "IdentityType": "IAM",
        "Email": "a@b",
        "UserRole": "READER",
        "IamArn": "arn:aws:iam::000000000000:role/team",
    }
    client.create_group(**where, GroupName=group)
    user = client.register_user(**where, **role, SessionName=unique("me"))["User"]
    name = user["UserName"]
    assert name.startswith("team/")

    client.create_group_membership(**where, GroupName=group, MemberName=name)

    (member,) = client.list_group_memberships(**where, GroupName=group)["GroupMemberList"]
    assert member == {"Arn": user["Arn"], "MemberName": name}
    (its,) = client.list_user_groups(**where, UserName=name)["GroupList"]
    assert its["GroupName"] == group
    client.delete_user(**where, UserName=name)
    assert client.list_group_memberships(**where, GroupName=group)["GroupMemberList"] == []


def test_there_is_one_namespace(account: Account) -> None:
    (namespace,) = account.client.list_namespaces(AwsAccountId=ACCOUNT)["Namespaces"]
    assert namespace["Name"] == "default"
    with pytest.raises(ClientError, match="Namespace other is not found"):
        account.client.create_group(AwsAccountId=ACCOUNT, Namespace="other", GroupName="a")


def test_tags(account: Account) -> None:
    client, arn = account.client, account.data_source()

    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a", "c"])

    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_tags_for_resource(ResourceArn=f"{arn}-gone")
    many: list[dict[str, Any]] = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
    with pytest.raises(client.exceptions.LimitExceededException):
        client.tag_resource(ResourceArn=arn, Tags=many)
