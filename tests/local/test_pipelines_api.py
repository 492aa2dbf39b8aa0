"""Pipelines and executions through boto3, with the real engine and real processes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws_helpers import (
    ROLE,
    bucket,
    create_pipeline,
    definition,
    ended,
    event_queue,
    processing_step,
    received,
    unique,
    wait_for,
)

WORD = {"Name": "Word", "Type": "String", "DefaultValue": "default"}


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    return aws.client("sagemaker")


def start(sagemaker: Any, pipeline: str, **request: Any) -> str:
    return str(sagemaker.start_pipeline_execution(PipelineName=pipeline, **request)["PipelineExecutionArn"])


def test_an_execution_runs_its_step_and_says_so(aws: LocalAws, sagemaker: Any) -> None:
    queue = event_queue(aws, "SageMaker Model Building Pipeline Execution Status Change")
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print('said by the step')")))

    execution = start(
        sagemaker, pipeline, PipelineExecutionDisplayName="shown", PipelineExecutionDescription="described"
    )
    described = ended(aws, execution)

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["PipelineExecutionDisplayName"] == "shown"
    assert described["PipelineExecutionDescription"] == "described"
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert (step["StepName"], step["StepStatus"]) == ("Say", "Succeeded")
    job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[1]
    assert sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Completed"
    event = received(aws, queue, lambda event: event["detail"]["currentPipelineExecutionStatus"] == "Succeeded")
    assert event["detail"]["pipelineExecutionArn"] == execution
    assert event["resources"] == [described["PipelineArn"], execution]


def test_a_step_that_fails_fails_the_execution(aws: LocalAws, sagemaker: Any) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Break", "raise SystemExit(33)")))

    execution = start(sagemaker, pipeline)

    assert ended(aws, execution)["PipelineExecutionStatus"] == "Failed"
    (step,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert step["StepStatus"] == "Failed"
    assert "33" in step["FailureReason"]


def test_a_repeated_client_token_starts_once(aws: LocalAws, sagemaker: Any) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print(1)")))
    token = "the-same-token-".ljust(32, "x")

    first = start(sagemaker, pipeline, ClientRequestToken=token)
    second = start(sagemaker, pipeline, ClientRequestToken=token)

    assert first == second
    assert len(sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]) == 1
    ended(aws, first)


@pytest.mark.parametrize(
    ("declared", "given", "named"),
    [
        ([WORD], [{"Name": "Wrod", "Value": "a"}], "Wrod"),
        ([{"Name": "Needed", "Type": "String"}], [], "Needed"),
        ([{"Name": "Count", "Type": "Integer", "DefaultValue": 1}], [{"Name": "Count", "Value": "many"}], "Count"),
        ([WORD], [{"Name": "Word", "Value": "a"}, {"Name": "Word", "Value": "b"}], "more than once"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    aws: LocalAws, sagemaker: Any, declared: list[Any], given: list[Any], named: str
) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print(1)"), parameters=declared))

    with pytest.raises(ClientError, match=named) as refusal:
        start(sagemaker, pipeline, PipelineParameters=given)

    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert not sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]


def test_the_parameters_of_an_execution_are_listed(aws: LocalAws, sagemaker: Any) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print(1)"), parameters=[WORD]))

    execution = start(sagemaker, pipeline, PipelineParameters=[{"Name": "Word", "Value": "given"}])

    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    assert listed["PipelineParameters"] == [{"Name": "Word", "Value": "given"}]
    ended(aws, execution)


def test_an_execution_keeps_the_definition_that_it_was_started_with(aws: LocalAws, sagemaker: Any) -> None:
    before = definition(processing_step("Before", "print(1)"))
    pipeline = create_pipeline(aws, before)
    execution = start(sagemaker, pipeline)
    sagemaker.update_pipeline(PipelineName=pipeline, PipelineDefinition=definition(processing_step("After", "")))

    kept = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)

    assert json.loads(kept["PipelineDefinition"]) == json.loads(before)
    assert "After" in sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    ended(aws, execution)


def test_executions_are_listed_newest_first_and_filtered_by_time(aws: LocalAws, sagemaker: Any) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Say", "print(1)")))
    executions = []
    for _ in range(3):
        executions.append(start(sagemaker, pipeline))
        ended(aws, executions[-1])

    def listed(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline, **request)
        return [e["PipelineExecutionArn"] for page in pages for e in page["PipelineExecutionSummaries"]]

    assert listed() == executions[::-1]
    assert listed(SortOrder="Ascending") == executions
    assert listed(PaginationConfig={"PageSize": 1}) == executions[::-1]
    assert listed(CreatedAfter=datetime.now(UTC) + timedelta(hours=1)) == []
    assert listed(CreatedBefore=datetime.now(UTC) + timedelta(hours=1)) == executions[::-1]


def test_a_running_execution_is_stopped_and_only_then_can_its_pipeline_go(aws: LocalAws, sagemaker: Any) -> None:
    pipeline = create_pipeline(aws, definition(processing_step("Wait", "import time; time.sleep(60)")))
    execution = start(sagemaker, pipeline)
    wait_for(
        lambda: sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"],
        "the step to begin",
    )
    with pytest.raises(ClientError, match="running execution") as refusal:
        sagemaker.delete_pipeline(PipelineName=pipeline)
    assert refusal.value.response["Error"]["Code"] == "ConflictException"

    sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)

    assert ended(aws, execution)["PipelineExecutionStatus"] == "Stopped"
    sagemaker.delete_pipeline(PipelineName=pipeline)
    with pytest.raises(ClientError) as gone:
        sagemaker.describe_pipeline(PipelineName=pipeline)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_definition_may_lie_in_s3(aws: LocalAws, sagemaker: Any) -> None:
    where, body, name = bucket(aws), definition(processing_step("Say", "print(1)")), unique("pipeline")
    aws.client("s3").put_object(Bucket=where, Key="definition.json", Body=body.encode())

    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinitionS3Location={"Bucket": where, "ObjectKey": "definition.json"},
        RoleArn=ROLE,
        ClientRequestToken=unique("token-".ljust(32, "x")),
    )

    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        (json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "A", "Type": "Dance", "Arguments": {}}]}), "Dance"),
    ],
)
def test_a_definition_that_could_not_run_is_refused(aws: LocalAws, body: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        create_pipeline(aws, body)


def test_a_name_is_taken_once(aws: LocalAws, sagemaker: Any) -> None:
    name = create_pipeline(aws, definition(processing_step("Say", "print(1)")))
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=definition(processing_step("Say", "")),
            RoleArn=ROLE,
            ClientRequestToken=unique("token-".ljust(32, "x")),
        )
