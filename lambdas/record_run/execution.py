"""A pipeline execution that has ended, as SageMaker describes it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.errors import UnfinishedRunError
from lambdas.names import parse_execution_arn

_ENDED = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class Step:
    """One step. `seconds` is None if it never ended; `cached`: an earlier run's result was taken.

    `metadata` says what it made, by kind, as SageMaker does: {"ProcessingJob": {"Arn": ...}}.
    """

    name: str
    status: str
    started_at: datetime | None
    seconds: float | None
    failure_reason: str | None
    cached: bool
    metadata: dict[str, dict[str, Any]]

    def arn(self, kind: str) -> str | None:
        """ARN of what the step made of this kind: ProcessingJob, TrainingJob, RegisterModel, ..."""
        arn: str | None = self.metadata.get(kind, {}).get("Arn")
        return arn


@dataclass(frozen=True)
class Execution:
    """An execution that has ended. `steps` are those that were reached, in the order of their start.

    `parameters` are all of the pipeline's: those that it was started with, the defaults for the others.
    """

    pipeline: str
    run_id: str
    status: str
    started_at: datetime
    ended_at: datetime
    failure_reason: str | None
    parameters: dict[str, str]
    steps: tuple[Step, ...]

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    @property
    def failed_step(self) -> Step | None:
        """The step that failed first: later ones may have failed only because of it."""
        return next((step for step in self.steps if step.status == "Failed"), None)


def read_execution(sagemaker: Any, arn: str) -> Execution:
    """Describe the execution `arn` with its steps and parameters.

    Raises:
        EventError: `arn` is not that of a pipeline execution.
        UnfinishedRunError: it has not ended (SageMaker's answers may lag behind its events).
    """
    pipeline, run_id = parse_execution_arn(arn)
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    status = described["PipelineExecutionStatus"]
    if status not in _ENDED:
        raise UnfinishedRunError(f"run {run_id} is {status}; its row is written once it has ended")
    return Execution(
        pipeline=pipeline,
        run_id=run_id,
        status=status,
        started_at=described["CreationTime"],
        ended_at=described["LastModifiedTime"],
        failure_reason=described.get("FailureReason"),
        parameters=_parameters(sagemaker, arn),
        steps=_steps(sagemaker, arn),
    )


def _parameters(sagemaker: Any, arn: str) -> dict[str, str]:
    described = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    declared = json.loads(described["PipelineDefinition"])["Parameters"]
    defaults = {item["Name"]: str(item["DefaultValue"]) for item in declared if "DefaultValue" in item}
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    return defaults | {item["Name"]: item["Value"] for page in pages for item in page["PipelineParameters"]}


def _steps(sagemaker: Any, arn: str) -> tuple[Step, ...]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    steps = [_step(item) for page in pages for item in page["PipelineExecutionSteps"]]
    # Steps that never started come last.
    return tuple(sorted(steps, key=lambda step: (step.started_at is None, step.started_at)))


def _step(item: dict[str, Any]) -> Step:
    started, ended = item.get("StartTime"), item.get("EndTime")
    return Step(
        name=item["StepName"],
        status=item["StepStatus"],
        started_at=started,
        seconds=(ended - started).total_seconds() if started and ended else None,
        failure_reason=item.get("FailureReason"),
        cached="CacheHitResult" in item,
        metadata=item.get("Metadata", {}),
    )
