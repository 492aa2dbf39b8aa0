"""Writes the row of `runs` for a pipeline execution that has ended.

Woken by EventBridge: SageMaker Model Building Pipeline Execution Status Change to Succeeded, Failed or Stopped. The
same event twice writes the same file twice. Environment:

    BUCKET     where the tables lie
    PIPELINES  JSON object: task -> name of its pipeline
    PRICES     JSON object: instance type -> dollars per hour; the cost of a run with another type is null
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.errors import EventError
from lambdas.names import parse_execution_arn
from lambdas.record_run.cost import estimated_cost
from lambdas.record_run.execution import read_execution
from lambdas.record_run.results import EVALUATION, REPORT, read_result
from lambdas.record_run.row import run_row
from lambdas.runs_table import write_row
from lambdas.settings import required, required_names, required_prices
from lambdas.structured_log import log_event, structured_logger

_logger = structured_logger("record_run")


@dataclass(frozen=True)
class Settings:
    """The environment. `prices` in dollars per hour."""

    bucket: str
    tasks: dict[str, str]  # pipeline -> task
    prices: dict[str, float]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        pipelines = required_names(environment, "PIPELINES")
        return cls(
            bucket=required(environment, "BUCKET"),
            tasks={pipeline: task for task, pipeline in pipelines.items()},
            prices=required_prices(environment, "PRICES"),
        )


@dataclass(frozen=True)
class Clients:
    """boto3 clients of S3 and SageMaker."""

    s3: Any
    sagemaker: Any


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _clients() -> Clients:
    return Clients(s3=boto3.client("s3"), sagemaker=boto3.client("sagemaker"))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Write the row and say where. What fails is raised: Lambda tries again, then the dead-letter queue has it."""
    try:
        arn = event["detail"]["pipelineExecutionArn"]
    except (KeyError, TypeError) as error:
        raise EventError("the event names no pipeline execution") from error
    return {"key": record(arn, _settings(), _clients())}


def record(arn: str, settings: Settings, clients: Clients) -> str:
    """Write the row of the execution `arn` and return its key.

    Raises:
        EventError: it is not an execution of one of our pipelines.
        UnfinishedRunError: it has not ended.
        ResultError: what its jobs left behind cannot be read.
    """
    pipeline, _ = parse_execution_arn(arn)
    if pipeline not in settings.tasks:
        raise EventError(f"an event is about pipeline {pipeline!r}, which belongs to no task")
    task = settings.tasks[pipeline]
    execution = read_execution(clients.sagemaker, arn)
    report, evaluation = (
        read_result(clients.sagemaker, clients.s3, execution.step(step), output, file)
        for step, output, file in (REPORT, EVALUATION)
    )
    cost = estimated_cost(clients.sagemaker, execution.steps, settings.prices)
    key = write_row(clients.s3, settings.bucket, task, run_row(execution, report, evaluation, cost))
    log_event(
        _logger,
        "run_recorded",
        task=task,
        run_id=execution.run_id,
        status=execution.status,
        steps=len(execution.steps),
        with_report=report is not None,
        with_evaluation=evaluation is not None,
    )
    return key
