"""A changed deployment keeps the newest model in service, and destroy leaves nothing behind.

Collected after the other files of this folder, whose stage it takes away.
"""

from pathlib import Path

import pytest

from local.deployment import deploy, destroy, synthesise
from local.stage import served_package, wait_for_endpoint
from tests.end_to_end.conftest import TASK, Pipeline, write_tasks
from tests.end_to_end.reports import write_reports

pytestmark = pytest.mark.end_to_end


def test_a_second_approved_model_goes_live_and_a_redeploy_keeps_it(pipeline: Pipeline, tmp_path: Path) -> None:
    sagemaker, stage = pipeline.sagemaker, pipeline.stage
    # Newer than any package that an earlier test approved: the newest approved one is what goes live.
    first = registered_again(pipeline, some_package(pipeline, tmp_path))
    second = registered_again(pipeline, first)
    for package in (first, second):
        sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
        wait_for_endpoint(sagemaker, pipeline.name, package)

    # A deployment that changes the endpoint's machines.
    tasks = write_tasks(tmp_path / "tasks")
    file = tasks / f"{TASK}.yaml"
    text = file.read_text(encoding="utf-8")
    assert "live: {instance_type: ml.g5.2xlarge}" in text
    file.write_text(text.replace("live: {instance_type: ml.g5.2xlarge}", "live: {instance_type: ml.g5.4xlarge}"))
    synthesise(stage.assembly, tasks=tasks)
    deploy(stage.assembly, stage.aws.environment())
    wait_for_endpoint(sagemaker, pipeline.name, second)
    config = sagemaker.describe_endpoint(EndpointName=pipeline.name)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    assert variant["InstanceType"] == "ml.g5.4xlarge"

    # The newest model is withdrawn: the one before it comes back.
    sagemaker.update_model_package(ModelPackageArn=second, ModelApprovalStatus="Rejected")
    wait_for_endpoint(sagemaker, pipeline.name, first)
    assert served_package(sagemaker, pipeline.name) == first


def some_package(pipeline: Pipeline, folder: Path) -> str:
    """A model package of the pipeline; where no earlier test left one, that of a run."""
    listed = pipeline.sagemaker.list_model_packages(ModelPackageGroupName=pipeline.name)["ModelPackageSummaryList"]
    if listed:
        return str(listed[0]["ModelPackageArn"])
    known = len(pipeline.runs())
    pipeline.upload(write_reports(folder / "train.jsonl", range(400)))
    return str(pipeline.row(pipeline.wait(pipeline.next_run(known)).run_id)["model_package"])


def registered_again(pipeline: Pipeline, package: str) -> str:
    """A newer model package with the same model."""
    described = pipeline.sagemaker.describe_model_package(ModelPackageName=package)
    kept = ("ModelPackageGroupName", "InferenceSpecification", "CustomerMetadataProperties")
    created = pipeline.sagemaker.create_model_package(
        **{name: described[name] for name in kept}, ModelApprovalStatus="PendingManualApproval"
    )
    return str(created["ModelPackageArn"])


def test_destroy_leaves_nothing_behind(pipeline_of_stage: Pipeline) -> None:
    stage, sagemaker = pipeline_of_stage.stage, pipeline_of_stage.sagemaker
    pipeline_of_stage.settle()
    assert sagemaker.list_endpoints()["Endpoints"]
    destroy(stage.assembly, stage.aws.environment())
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    buckets = [bucket["Name"] for bucket in stage.aws.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if not name.startswith("cdk-")] == []
    assert stage.aws.client("sqs").list_queues().get("QueueUrls", []) == []
    assert stage.aws.client("lambda").list_functions()["Functions"] == []
    assert stage.aws.client("glue").get_databases()["DatabaseList"] == []
    rules = stage.aws.client("events").list_rules()["Rules"]
    assert rules == []
