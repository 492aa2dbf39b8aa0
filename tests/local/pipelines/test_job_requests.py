"""Requests for jobs that are malformed, or ask for what this machine cannot give: each refused by name."""

import pytest

from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import IMAGE, pipeline, processing, training


def reading(source: dict) -> dict:
    return processing("Copy", "pass", inputs={"data": source})


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/mine:1"}}, "image 1.dkr.ecr"),
        ({"AppSpecification": {"ImageUri": IMAGE}}, "without ContainerEntrypoint"),
        ({"AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["no-such-program"]}}, "no-such-program"),
        ({"RoleArn": "short"}, "RoleArn"),
        ({"ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}}}, "VolumeSizeInGB"),
        (
            {
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
                }
            },
            "more than one instance",
        ),
    ],
)
def test_processing_jobs_that_cannot_run_are_refused_by_name(emulator: Emulator, members: dict, reason: str) -> None:
    arn = emulator.run(pipeline(processing("Odd", "pass", **members)))
    assert reason in emulator.reason(arn, "Odd")


@pytest.mark.parametrize("path", ["/etc/data", "/opt/ml/../data", "/opt/mlflow/data", "relative"])
def test_a_path_outside_the_container_contract_is_refused(emulator: Emulator, path: str) -> None:
    emulator.s3.put("s3://data/in/a", "a")
    arn = emulator.run(pipeline(reading({"S3Uri": "s3://data/in/", "LocalPath": path})))
    assert f"path '{path}' must lie below /opt/ml" in emulator.reason(arn, "Copy")


@pytest.mark.parametrize("source", [{"S3InputMode": "Pipe"}, {"S3CompressionType": "Gzip"}])
def test_inputs_that_cannot_be_given_here_are_refused_by_name(emulator: Emulator, source: dict) -> None:
    emulator.s3.put("s3://data/in/a", "a")
    arn = emulator.run(pipeline(reading({"S3Uri": "s3://data/in/", **source})))
    ((member, value),) = source.items()
    assert f"processing input data with {member} {value}" in emulator.reason(arn, "Copy")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"algorithm": {"TrainingImage": "1.dkr.ecr.us-east-1.amazonaws.com/mine:1"}}, "mine:1"),
        ({"algorithm": {}}, "without ContainerEntrypoint or the hyperparameters"),
        ({"algorithm": {"TrainingInputMode": "Pipe"}}, "TrainingInputMode Pipe"),
        ({"metrics": {"loss": "loss="}}, "the regex needs a group"),
        ({"metrics": {"loss": "loss=("}}, "MetricDefinitions"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://data/out", "CompressionType": "NONE"}}, "CompressionType NONE"),
        (
            {"ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}},
            "one instance",
        ),
        ({"DebugHookConfig": {"S3OutputPath": "s3://data/debug"}}, "DebugHookConfig"),
        ({"OutputDataConfig": {}}, "S3OutputPath"),
    ],
)
def test_training_jobs_that_cannot_run_are_refused_by_name(emulator: Emulator, step: dict, reason: str) -> None:
    arn = emulator.run(pipeline(training("FineTune", **step)))
    assert reason in emulator.reason(arn, "FineTune")
