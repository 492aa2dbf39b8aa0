"""Stacks with SageMaker's resource types: create, update, replace, delete, and what is refused."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from local.aws import LocalAws
from tests.local.aws_helpers import IMAGE, ROLE, bucket, definition, processing_step, unique, upload_model, wait_for
from tests.local.cloudformation_stack import WAITER, Resources, Stack


@pytest.fixture
def stack(aws: LocalAws) -> Stack:
    return Stack(aws)


def pipeline(name: str, step: str) -> dict[str, Any]:
    properties = {
        "PipelineName": name,
        "RoleArn": ROLE,
        "PipelineDefinition": {"PipelineDefinitionBody": definition(processing_step(step, "print(1)"))},
    }
    return {"Type": "AWS::SageMaker::Pipeline", "Properties": properties}


def serving(name: str, model_data: str) -> Resources:
    return {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": model_data},
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "main",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": name,
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "Tags": [{"Key": "stage", "Value": "tests"}],
            },
        },
    }


def test_a_pipeline_is_created_updated_replaced_and_deleted(aws: LocalAws, stack: Stack) -> None:
    sagemaker, name, renamed = aws.client("sagemaker"), unique("pipeline"), unique("pipeline")
    outputs = {"Ref": {"Ref": "Pipeline"}}
    assert stack.deploy({"Pipeline": pipeline(name, "One")}, outputs) == {"Ref": name}
    created = sagemaker.describe_pipeline(PipelineName=name)["CreationTime"]

    stack.deploy({"Pipeline": pipeline(name, "Two")}, outputs)

    updated = sagemaker.describe_pipeline(PipelineName=name)
    assert '"Two"' in updated["PipelineDefinition"]
    assert updated["CreationTime"] == created

    assert stack.deploy({"Pipeline": pipeline(renamed, "Two")}, outputs) == {"Ref": renamed}
    stack.delete()
    for gone in (name, renamed):
        with pytest.raises(ClientError, match="does not exist"):
            sagemaker.describe_pipeline(PipelineName=gone)


def test_an_endpoint_follows_its_model_and_everything_goes_with_the_stack(aws: LocalAws, stack: Stack) -> None:
    sagemaker, name = aws.client("sagemaker"), unique("endpoint")
    outputs = {
        "Endpoint": {"Ref": "Endpoint"},
        "EndpointName": {"Fn::GetAtt": ["Endpoint", "EndpointName"]},
        "Model": {"Ref": "Model"},
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
    }

    def answer() -> str:
        body = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"")["Body"].read()
        return str(json.loads(body)["answer"])

    said = stack.deploy(serving(name, upload_model(aws, "first")), outputs)
    assert said["Endpoint"] == f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{name}"
    assert said["EndpointName"] == name
    assert said["Model"] == f"arn:aws:sagemaker:us-east-1:000000000000:model/{said['ModelName']}"
    assert answer() == "first"
    assert sagemaker.list_tags(ResourceArn=said["Endpoint"])["Tags"] == [{"Key": "stage", "Value": "tests"}]

    updated = stack.deploy(serving(name, upload_model(aws, "second")), outputs)

    assert answer() == "second"
    assert updated["ModelName"] != said["ModelName"]
    wait_for(lambda: not sagemaker.list_models(NameContains=said["ModelName"])["Models"], "the old model to go")
    stack.delete()
    assert not sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    assert not sagemaker.list_models(NameContains=stack.name)["Models"]
    assert not sagemaker.list_endpoint_configs(NameContains=stack.name)["EndpointConfigs"]


def test_an_endpoint_that_does_not_come_up_fails_the_stack_and_leaves_nothing(aws: LocalAws, stack: Stack) -> None:
    name = unique("endpoint")

    with pytest.raises(WaiterError):
        stack.deploy(serving(name, upload_model(aws, "broken")))

    wait_for(lambda: "exit code 7" in stack.reasons(), "the reason")
    assert not aws.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]


def test_an_update_that_fails_is_rolled_back(aws: LocalAws, stack: Stack) -> None:
    name, good = unique("endpoint"), upload_model(aws, "good")
    stack.deploy(serving(name, good))

    with pytest.raises(WaiterError):
        stack.deploy(serving(name, upload_model(aws, "broken")))

    body = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body=b"")["Body"].read()
    assert json.loads(body)["answer"] == "good"
    stack.delete()


def test_a_model_package_group(aws: LocalAws, stack: Stack) -> None:
    name = unique("group")
    resources: Resources = {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": name, "Tags": [{"Key": "a", "Value": "b"}]},
        }
    }
    outputs = {"Ref": {"Ref": "Group"}, "Status": {"Fn::GetAtt": ["Group", "ModelPackageGroupStatus"]}}

    said = stack.deploy(resources, outputs)

    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package-group/{name}"
    assert said == {"Ref": arn, "Status": "Completed"}
    resources["Group"]["Properties"]["Tags"] = [{"Key": "c", "Value": "d"}]
    stack.deploy(resources, outputs)
    assert aws.client("sagemaker").list_tags(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    stack.delete()
    assert not aws.client("sagemaker").list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]


def test_numbers_that_come_as_texts_from_parameters_are_numbers(aws: LocalAws, stack: Stack) -> None:
    resources = serving(unique("endpoint"), upload_model(aws, "a"))
    del resources["Endpoint"]
    variant = resources["Config"]["Properties"]["ProductionVariants"][0]
    variant["InitialInstanceCount"] = {"Ref": "Count"}

    said = stack.deploy(resources, {"Name": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}}, Count="2")

    described = aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=said["Name"])
    assert described["ProductionVariants"][0]["InitialInstanceCount"] == 2
    stack.delete()


def test_a_type_that_is_not_offered_is_refused_by_name(stack: Stack) -> None:
    resources = {"Topic": {"Type": "AWS::QuickSight::Topic", "Properties": {"Name": "a"}}}
    with pytest.raises(ClientError, match="AWS::QuickSight::Topic"):
        stack.deploy(resources)
    # The CDK deploys through change sets.
    with pytest.raises((ClientError, WaiterError), match="AWS::QuickSight::Topic"):
        stack.cloudformation.create_change_set(
            StackName=stack.name,
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps({"Resources": resources}),
        )
        stack.cloudformation.get_waiter("change_set_create_complete").wait(
            StackName=stack.name, ChangeSetName="first", WaiterConfig=WAITER
        )


def test_a_property_that_is_not_offered_is_refused_by_name(aws: LocalAws, stack: Stack) -> None:
    resources = {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": unique("group"), "ModelPackageGroupPolicy": {"Statement": []}},
        }
    }
    with pytest.raises(WaiterError):
        stack.deploy(resources)
    assert "ModelPackageGroupPolicy" in stack.reasons()


def test_a_resource_that_is_gone_already_does_not_stop_the_stack_from_going(aws: LocalAws, stack: Stack) -> None:
    name = unique("pipeline")
    stack.deploy({"Pipeline": pipeline(name, "One")})
    aws.client("sagemaker").delete_pipeline(PipelineName=name)

    stack.delete()


def test_a_bucket_is_encrypted_as_its_template_says(aws: LocalAws, stack: Stack) -> None:
    def resources(algorithm: dict[str, Any]) -> Resources:
        rule = {"ServerSideEncryptionByDefault": algorithm, "BucketKeyEnabled": True}
        encryption = {"ServerSideEncryptionConfiguration": [rule]}
        return {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketEncryption": encryption}},
        }

    outputs = {"Bucket": {"Ref": "Bucket"}, "Key": {"Fn::GetAtt": ["Key", "Arn"]}}
    kms = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    said = stack.deploy(resources(kms), outputs)

    def rule() -> dict[str, Any]:
        described = aws.client("s3").get_bucket_encryption(Bucket=said["Bucket"])
        (found,) = described["ServerSideEncryptionConfiguration"]["Rules"]
        return dict(found)

    applied = rule()["ApplyServerSideEncryptionByDefault"]
    assert applied == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": said["Key"]}
    assert rule()["BucketKeyEnabled"] is True
    stored = aws.client("s3").put_object(Bucket=said["Bucket"], Key="a", Body=b"x")
    assert stored["ServerSideEncryption"] == "aws:kms"

    stack.deploy(resources({"SSEAlgorithm": "AES256"}), outputs)
    assert rule()["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_an_upload_that_asks_for_kms_and_names_no_key_gets_the_accounts_own(aws: LocalAws) -> None:
    where = bucket(aws)

    aws.client("s3").put_object(Bucket=where, Key="asset.zip", Body=b"x", ServerSideEncryption="aws:kms")

    stored = aws.client("s3").head_object(Bucket=where, Key="asset.zip")
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"].endswith("alias/aws/s3")


def test_a_buckets_tags_are_those_of_the_template(aws: LocalAws, stack: Stack) -> None:
    name = unique("bucket")

    def deploy(value: str) -> list[dict[str, str]]:
        tags = [{"Key": "aws-cdk:auto-delete-objects", "Value": value}]
        stack.deploy({"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, "Tags": tags}}})
        found: list[dict[str, str]] = aws.client("s3").get_bucket_tagging(Bucket=name)["TagSet"]
        return found

    assert deploy("true") == [{"Key": "aws-cdk:auto-delete-objects", "Value": "true"}]
    assert deploy("false & never") == [{"Key": "aws-cdk:auto-delete-objects", "Value": "false & never"}]
