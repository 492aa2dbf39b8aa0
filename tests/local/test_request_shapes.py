"""Requests and responses against botocore's shapes, and what is refused over the wire."""

import json
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws import LocalAws
from local.emulator.errors import InternalFailure, UnknownOperation, ValidationError
from local.emulator.listing import now
from local.emulator.sagemaker.shapes import SHAPES

PACKAGE = {
    "ModelPackageGroupName": "group",
    "InferenceSpecification": {"Containers": [{"Image": "image"}], "SupportedContentTypes": ["application/json"]},
}


@pytest.mark.parametrize(
    ("operation", "request_body", "message"),
    [
        ("DescribeModel", {}, "ModelName is required"),
        ("DescribeModel", {"ModelName": 1}, "ModelName must be of type string"),
        ("DescribeModel", {"ModelName": "-a"}, "ModelName must match the pattern"),
        ("DescribeModel", {"ModelName": "a" * 64}, "ModelName must have length at most 63, got 64"),
        ("DescribeModel", {"ModelName": "a", "Other": 1}, "Other is not known"),
        ("ListModels", {"MaxResults": 0}, "MaxResults must have at least 1, got 0"),
        ("ListModels", {"MaxResults": True}, "MaxResults must be of type integer"),
        ("ListModels", {"SortOrder": "Up"}, "SortOrder must be one of Ascending, Descending"),
        (
            "CreateModelPackage",
            {**PACKAGE, "InferenceSpecification": {"Containers": [{"Image": 1}]}},
            r"InferenceSpecification\.Containers\[0\]\.Image must be of type string",
        ),
        (
            "CreateModelPackage",
            {**PACKAGE, "CustomerMetadataProperties": {"a;b": "x"}},
            "key of CustomerMetadataProperties must match",
        ),
        (
            "AddTags",
            {"ResourceArn": "arn:aws:sagemaker:us-east-1:000000000000:model/a", "Tags": [{"Key": "a"}]},
            "Value",
        ),
    ],
)
def test_a_wrong_request_is_refused_with_the_member_named(
    operation: str, request_body: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        SHAPES.check_request(operation, request_body)


def test_a_refusal_never_quotes_the_value() -> None:
    with pytest.raises(ValidationError) as refusal:
        SHAPES.check_request("DescribeModel", {"ModelName": "what a patient said"})
    assert "patient" not in str(refusal.value)


@pytest.mark.parametrize("value", ["s3://bucket/runs/a/evaluation.json", "Größe 1", "a b"])
def test_patterns_with_unicode_classes_take_what_aws_takes(value: str) -> None:
    SHAPES.check_request("CreateModelPackage", {**PACKAGE, "CustomerMetadataProperties": {"evaluation": value}})
    SHAPES.check_request(
        "CreateModelPackageGroup", {"ModelPackageGroupName": "a", "ModelPackageGroupDescription": value}
    )


def test_an_operation_that_aws_does_not_have() -> None:
    with pytest.raises(UnknownOperation):
        SHAPES.check_request("DescribeEverything", {})


def test_an_answer_has_only_members_of_its_shape() -> None:
    assert SHAPES.to_wire("CreateModel", {"ModelArn": "a"}) == {"ModelArn": "a"}
    moment = now()
    summary = {"ModelName": "a", "ModelArn": "a", "CreationTime": moment}
    assert SHAPES.to_wire("ListModels", {"Models": [summary]})["Models"][0]["CreationTime"] == moment.timestamp()
    for answer in ({"ModelArn": "a", "Extra": 1}, {"ModelArn": 1}, {}):
        with pytest.raises(InternalFailure):
            SHAPES.to_wire("CreateModel", answer)


def test_texts_of_templates_become_what_the_api_wants() -> None:
    variant = {
        "VariantName": "a",
        "InitialInstanceCount": "2",
        "InitialVariantWeight": "0.5",
        "EnableSSMAccess": "true",
    }
    coerced = SHAPES.coerce_properties("CreateEndpointConfig", {"ProductionVariants": [variant]})
    assert coerced["ProductionVariants"] == [
        {"VariantName": "a", "InitialInstanceCount": 2, "InitialVariantWeight": 0.5, "EnableSSMAccess": True}
    ]


def test_an_operation_that_is_not_offered_is_refused_by_name(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ListNotebookInstances") as refusal:
        aws.client("sagemaker").list_notebook_instances()
    assert refusal.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "the local AWS does not offer it" in refusal.value.response["Error"]["Message"]


def test_another_region_has_no_sagemaker(aws: LocalAws) -> None:
    client = boto3.client(
        "sagemaker",
        endpoint_url=aws.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with pytest.raises(ClientError, match="region us-east-1 only"):
        client.list_models()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(aws: LocalAws, body: bytes) -> None:
    request = urllib.request.Request(
        aws.endpoint_url, data=body, headers={"X-Amz-Target": "SageMaker.ListModels"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    assert refusal.value.code == 400
    assert json.load(refusal.value)["__type"] == "ValidationException"


def test_a_token_of_another_operation_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="NextToken"):
        aws.client("sagemaker").list_models(NextToken="elsewhere")


def test_the_server_checks_what_the_client_does_not(aws: LocalAws) -> None:
    client = boto3.client(
        "sagemaker",
        endpoint_url=aws.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError, match="ModelName is required"):
        client.describe_model()
