"""Models, endpoint configurations, endpoints and InvokeEndpoint, through boto3, with real server processes."""

import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws_helpers import (
    IMAGE,
    bucket,
    config_with_answer,
    create_config,
    create_model,
    event_queue,
    model_archive,
    received,
    settled,
    unique,
    upload_model,
    wait_for,
)


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    return aws.client("sagemaker")


def create_endpoint(aws: LocalAws, config: str) -> str:
    name = unique("endpoint")
    aws.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config)
    return name


def invoke(aws: LocalAws, endpoint: str, body: str = "hello", **more: Any) -> dict[str, Any]:
    answer = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="text/plain", **more
    )
    said: dict[str, Any] = json.loads(answer["Body"].read())
    return {**said, "variant": answer["InvokedProductionVariant"], "content_type": answer["ContentType"]}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_endpoint_serves_its_model_and_is_gone_when_deleted(aws: LocalAws, sagemaker: Any) -> None:
    queue = event_queue(aws, "SageMaker Endpoint State Change")
    endpoint = create_endpoint(aws, config_with_answer(aws, "one"))
    assert settled(aws, endpoint)["EndpointStatus"] == "InService"

    said = invoke(aws, endpoint, CustomAttributes="trace=1")

    assert (said["answer"], said["asked"], said["type"]) == ("one", "hello", "text/plain")
    assert (said["variant"], said["content_type"], said["attributes"]) == ("main", "application/json", "trace=1")
    event = received(aws, queue, lambda event: event["detail"]["EndpointStatus"] == "IN_SERVICE")
    assert event["detail"]["EndpointName"] == endpoint

    sagemaker.delete_endpoint(EndpointName=endpoint)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert not is_alive(said["pid"])


def test_an_update_moves_to_the_new_model_and_ends_the_old_server(aws: LocalAws, sagemaker: Any) -> None:
    endpoint = create_endpoint(aws, config_with_answer(aws, "old"))
    settled(aws, endpoint)
    old = invoke(aws, endpoint)
    config = config_with_answer(aws, "new")

    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    described = settled(aws, endpoint)

    assert described["EndpointConfigName"] == config
    assert invoke(aws, endpoint)["answer"] == "new"
    wait_for(lambda: not is_alive(old["pid"]), "the old server to end")


def test_an_update_that_fails_leaves_the_old_model_in_service(aws: LocalAws, sagemaker: Any) -> None:
    config = config_with_answer(aws, "old")
    endpoint = create_endpoint(aws, config)
    settled(aws, endpoint)

    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config_with_answer(aws, "broken"))
    described = settled(aws, endpoint)

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == config
    assert "exit code 7" in described["FailureReason"]
    assert invoke(aws, endpoint)["answer"] == "old"


def test_a_server_that_does_not_start_fails_the_endpoint_with_its_log_kept(aws: LocalAws, sagemaker: Any) -> None:
    endpoint = create_endpoint(aws, config_with_answer(aws, "broken"))

    described = settled(aws, endpoint)

    assert described["EndpointStatus"] == "Failed"
    assert "ping health check" in described["FailureReason"]
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint}")["events"]
    assert [event["message"] for event in events] == ["serving broken"]
    with pytest.raises(ClientError, match="not in service"):
        invoke(aws, endpoint)
    with pytest.raises(ClientError, match="only be deleted"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config_with_answer(aws, "x"))


def test_a_server_that_dies_is_started_again(aws: LocalAws) -> None:
    endpoint = create_endpoint(aws, config_with_answer(aws, "again"))
    settled(aws, endpoint)
    first = invoke(aws, endpoint)["pid"]
    with pytest.raises(ClientError) as broken:
        invoke(aws, endpoint, "die")
    assert broken.value.response["Error"]["Code"] == "ServiceUnavailable"

    def serves_again() -> bool:
        try:
            return bool(invoke(aws, endpoint)["pid"] != first)
        except ClientError:
            return False

    wait_for(serves_again, "the server to be started again")


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (500, "server")])
def test_a_container_error_is_a_model_error(aws: LocalAws, one: str, status: int, side: str) -> None:
    with pytest.raises(ClientError) as error:
        invoke(aws, one, str(status))

    response = error.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert json.loads(response["OriginalMessage"]) == {"error": f"asked for {status}"}
    assert f"Received {side} error ({status})" in response["Error"]["Message"]


@pytest.fixture(scope="module")
def one(aws: LocalAws) -> str:
    """An endpoint that only answers."""
    endpoint = create_endpoint(aws, config_with_answer(aws, "one"))
    settled(aws, endpoint)
    return endpoint


def test_requests_that_nobody_could_answer_are_validation_errors(aws: LocalAws, one: str) -> None:
    for endpoint, more in (("nobody", {}), (one, {"TargetVariant": "other"}), (one, {"TargetModel": "a.tar.gz"})):
        with pytest.raises(ClientError) as error:
            invoke(aws, endpoint, **more)
        assert error.value.response["Error"]["Code"] == "ValidationError"


def test_model_data_may_be_a_prefix_and_the_environment_is_passed_with_paths(aws: LocalAws) -> None:
    where = bucket(aws, "models")
    aws.client("s3").put_object(Bucket=where, Key="staged/answer.txt", Body=b"from a prefix")
    aws.client("s3").put_object(Bucket=where, Key="staged/code/inference.py", Body=b"")
    source = {"S3Uri": f"s3://{where}/staged/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {
        "Image": IMAGE,
        "ModelDataSource": {"S3DataSource": source},
        "Environment": {"TEST_CODE": "/opt/ml/model/code", "TEST_OTHER": "/opt/mlflow"},
    }
    endpoint = create_endpoint(aws, create_config(aws, create_model(aws, container)))
    settled(aws, endpoint)

    said = invoke(aws, endpoint)

    assert said["answer"] == "from a prefix"
    assert said["environment"]["TEST_OTHER"] == "/opt/mlflow"
    assert os.path.isfile(os.path.join(said["environment"]["TEST_CODE"], "inference.py"))  # noqa: PTH113, PTH118


def test_an_approved_model_package_is_deployed_and_another_is_not(aws: LocalAws, sagemaker: Any) -> None:
    group = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    container = {"Image": IMAGE, "ModelDataUrl": upload_model(aws, "registered"), "Environment": {"TEST_A": "1"}}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    with pytest.raises(ClientError, match="only an Approved"):
        create_model(aws, {"ModelPackageName": package})
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

    model = create_model(aws, {"ModelPackageName": package, "Environment": {"TEST_B": "2"}})
    endpoint = create_endpoint(aws, create_config(aws, model))
    settled(aws, endpoint)

    said = invoke(aws, endpoint)
    assert said["answer"] == "registered"
    assert said["environment"] == {"TEST_A": "1", "TEST_B": "2"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (model_archive({"../outside.txt": "x"}), "leaves the archive"),
        (b"this is no archive", "not a readable"),
        (model_archive({"answer.txt": "cut off"})[:-20], "not a readable"),
        (None, "NoSuchKey|404"),
    ],
    # Bytes that differ from process to process (an archive's time) must not name a test.
    ids=["reaches outside", "no archive", "cut off", "missing"],
)
def test_model_data_that_cannot_be_used_fails_the_endpoint(aws: LocalAws, content: bytes | None, reason: str) -> None:
    where = bucket(aws, "models")
    if content is not None:
        aws.client("s3").put_object(Bucket=where, Key="model.tar.gz", Body=content)
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{where}/model.tar.gz"}

    described = settled(aws, create_endpoint(aws, create_config(aws, create_model(aws, container))))

    assert described["EndpointStatus"] == "Failed"
    assert any(part in described["FailureReason"] for part in reason.split("|"))


def test_an_endpoint_is_deleted_while_it_is_created(aws: LocalAws, sagemaker: Any) -> None:
    endpoint = create_endpoint(aws, config_with_answer(aws, "never"))

    sagemaker.delete_endpoint(EndpointName=endpoint)

    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def test_what_one_machine_cannot_do_is_refused_by_name(aws: LocalAws, sagemaker: Any) -> None:
    model = create_model(aws, {"Image": IMAGE, "ModelDataUrl": upload_model(aws, "a")})
    variants = [
        {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        for name in ("a", "b")
    ]
    with pytest.raises(ClientError, match="exactly 1, got 2"):
        sagemaker.create_endpoint_config(EndpointConfigName=unique("config"), ProductionVariants=variants)
    with pytest.raises(ClientError, match="DataCaptureConfig"):
        sagemaker.create_endpoint_config(
            EndpointConfigName=unique("config"),
            ProductionVariants=variants[:1],
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": "s3://bucket/capture",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
        )
    with pytest.raises(ClientError, match="not of xgboost"):
        create_model(aws, {"Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"})
    with pytest.raises(ClientError, match="SingleModel only"):
        create_model(aws, {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": "s3://bucket/models/"})


def test_models_and_configurations_are_listed_described_and_deleted(aws: LocalAws, sagemaker: Any) -> None:
    config = config_with_answer(aws, "a")
    model = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]["ModelName"]
    assert sagemaker.list_models(NameContains=model)["Models"][0]["ModelName"] == model
    assert sagemaker.list_endpoint_configs(NameContains=config)["EndpointConfigs"][0]["EndpointConfigName"] == config

    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=model)

    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName=model)
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        create_endpoint(aws, config)
