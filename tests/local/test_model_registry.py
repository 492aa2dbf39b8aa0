"""Model package groups and packages, through boto3."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws_helpers import IMAGE, event_queue, received, unique

CONTAINERS = {"Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}]}
SPECIFICATION = {
    **CONTAINERS,
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription="Tests")
    return name


def register(sagemaker: Any, group: str, **more: Any) -> str:
    answer = sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=SPECIFICATION, **more)
    return str(answer["ModelPackageArn"])


def test_versions_count_up_and_are_never_given_twice(sagemaker: Any, group: str) -> None:
    first, second = register(sagemaker, group), register(sagemaker, group)
    sagemaker.delete_model_package(ModelPackageName=second)
    third = register(sagemaker, group)

    assert [arn.rsplit("/", 1)[1] for arn in (first, second, third)] == ["1", "2", "3"]
    assert first == f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{group}/1"


def test_a_package_says_what_it_was_given(sagemaker: Any, group: str) -> None:
    properties = {"run_id": "r1", "evaluation": "s3://bucket/runs/evaluation.json"}
    arn = register(sagemaker, group, CustomerMetadataProperties=properties)

    package = sagemaker.describe_model_package(ModelPackageName=arn)

    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelPackageStatus"] == "Completed"
    assert package["CustomerMetadataProperties"] == properties
    assert package["InferenceSpecification"]["Containers"] == CONTAINERS["Containers"]


def test_packages_are_listed_oldest_first_unless_asked_otherwise(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(3)]

    def listed(**request: Any) -> list[str]:
        answer = sagemaker.list_model_packages(ModelPackageGroupName=group, **request)
        return [package["ModelPackageArn"] for package in answer["ModelPackageSummaryList"]]

    assert listed() == arns
    assert listed(SortBy="CreationTime", SortOrder="Descending") == arns[::-1]


def test_packages_are_filtered_by_approval(sagemaker: Any, group: str) -> None:
    _, approved = register(sagemaker, group), register(sagemaker, group, ModelApprovalStatus="Approved")

    answer = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")

    assert [package["ModelPackageArn"] for package in answer["ModelPackageSummaryList"]] == [approved]


def test_pages_hold_every_package_once_also_when_one_is_added_meanwhile(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(5)]
    request = {"ModelPackageGroupName": group, "SortOrder": "Descending", "MaxResults": 2}

    page = sagemaker.list_model_packages(**request)
    seen = page["ModelPackageSummaryList"]
    register(sagemaker, group)
    while "NextToken" in page:
        page = sagemaker.list_model_packages(**request, NextToken=page["NextToken"])
        seen += page["ModelPackageSummaryList"]

    assert [package["ModelPackageArn"] for package in seen] == arns[::-1]


def test_metadata_is_merged_and_removed(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "2"})

    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
    )

    package = sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {"b": "3", "c": "4"}


def test_a_repeated_client_token_registers_once(sagemaker: Any, group: str) -> None:
    assert register(sagemaker, group, ClientToken="t" * 10) == register(sagemaker, group, ClientToken="t" * 10)


def test_registration_and_approval_are_events(aws: LocalAws, sagemaker: Any, group: str) -> None:
    queue = event_queue(aws, "SageMaker Model Package State Change")
    arn = register(sagemaker, group)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")

    event = received(aws, queue, lambda event: event["detail"]["ModelApprovalStatus"] == "Approved")

    assert event["source"] == "aws.sagemaker"
    assert event["resources"] == [arn]
    assert event["detail"]["ModelPackageGroupName"] == group
    assert event["detail"]["ModelPackageArn"] == arn
    assert event["detail"]["ModelPackageVersion"] == 1


def test_a_group_that_holds_packages_is_not_deleted(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    with pytest.raises(ClientError) as refusal:
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    assert refusal.value.response["Error"]["Code"] == "ConflictException"

    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


@pytest.mark.parametrize(
    ("request_members", "message"),
    [
        ({"ModelPackageName": "alone"}, "ModelPackageGroupName"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "tags of its group"),
        ({"ManagedStorageType": "Restricted"}, "does not offer"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(
    sagemaker: Any, group: str, request_members: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        register(sagemaker, group, **request_members)


def test_tags_of_a_group(sagemaker: Any, group: str) -> None:
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])

    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ClientError, match="Could not find resource"):
        sagemaker.list_tags(ResourceArn=f"{arn}-other")
