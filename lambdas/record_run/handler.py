"""Writes down a pipeline execution that has ended, and tells QuickSight where there are data sets to refresh.

Its rows go into the tables `runs`, `steps`, `parameters`, `search_jobs`, `data_flow` and `lengths`.

Woken by EventBridge: SageMaker Model Building Pipeline Execution Status Change to Succeeded, Failed or Stopped. The
same event twice writes the same files twice, and starts no second refresh. Environment:

    BUCKET             where the tables lie
    PIPELINES          JSON object: task -> name of its pipeline
    PRICES             JSON object: instance type -> dollars per hour; the cost of a run with another type is null
    REFRESH_DATA_SETS  JSON list: ids of the QuickSight data sets that take these tables in; may be empty
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from lambdas.errors import EventError, ResultError
from lambdas.names import account_of_function, parse_execution_arn
from lambdas.record_run.cost import run_cost, step_costs
from lambdas.record_run.data_rows import data_flow_rows, length_rows
from lambdas.record_run.execution import Execution, read_execution
from lambdas.record_run.refresh import PATIENCE, refresh
from lambdas.record_run.results import EVALUATION, REPORT, read_result
from lambdas.record_run.runs_row import runs_row
from lambdas.record_run.search_rows import search_rows
from lambdas.record_run.step_rows import parameter_rows, step_rows, training_arguments
from lambdas.record_run.tuning_job import read_tuning_jobs
from lambdas.run_tables import RunRow, write_rows
from lambdas.settings import required, required_list, required_names, required_prices
from lambdas.structured_log import log_event, structured_logger
from training.table_schemas import DATA_FLOW, LENGTHS, PARAMETERS, RUNS, SEARCH_JOBS, STEPS, Table

_logger = structured_logger("record_run")


@dataclass(frozen=True)
class Settings:
    """The environment. `prices` in dollars per hour."""

    bucket: str
    tasks: dict[str, str]  # pipeline -> task
    prices: dict[str, float]
    refresh_data_sets: tuple[str, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        pipelines = required_names(environment, "PIPELINES")
        return cls(
            bucket=required(environment, "BUCKET"),
            tasks={pipeline: task for task, pipeline in pipelines.items()},
            prices=required_prices(environment, "PRICES"),
            refresh_data_sets=required_list(environment, "REFRESH_DATA_SETS"),
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


@cache
def _quicksight() -> Any:
    # Apart from the others: boto3's description of QuickSight is large, and most stages have no data set to refresh.
    return boto3.client("quicksight", config=PATIENCE)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the rows and say where. What fails is raised: Lambda tries again, then the dead-letter queue has it."""
    try:
        arn = event["detail"]["pipelineExecutionArn"]
    except (KeyError, TypeError) as error:
        raise EventError("the event names no pipeline execution") from error
    settings = _settings()
    execution, keys = record(arn, settings, _clients())
    if settings.refresh_data_sets:
        account = account_of_function(context.invoked_function_arn)
        refresh(_quicksight(), account, settings.refresh_data_sets, execution, _logger)
    return {"keys": keys}


def record(arn: str, settings: Settings, clients: Clients) -> tuple[Execution, dict[str, str]]:
    """Write the rows of the execution `arn`; return it, and table -> key of its file.

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
    keys = {}
    for table, rows in _rows(execution, report, evaluation, settings, clients):
        key = write_rows(clients.s3, settings.bucket, table, task, rows, evaluated=evaluation is not None)
        if key is not None:
            keys[table.name] = key
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
    return execution, keys


def _rows(
    execution: Execution,
    report: dict[str, Any] | None,
    evaluation: dict[str, Any] | None,
    settings: Settings,
    clients: Clients,
) -> list[tuple[Table, Sequence[RunRow]]]:
    """Each table's rows, in the order in which they are written: whoever sees the row of `runs` finds the others."""
    tuning_jobs = read_tuning_jobs(clients.sagemaker, execution.steps)
    costs = step_costs(clients.sagemaker, execution.steps, tuning_jobs, settings.prices)
    arguments = training_arguments(clients.sagemaker, execution)
    try:
        return [
            (STEPS, step_rows(execution, costs)),
            (PARAMETERS, parameter_rows(execution, report, arguments)),
            (SEARCH_JOBS, search_rows(execution, tuning_jobs.values())),
            (DATA_FLOW, data_flow_rows(execution, report, evaluation)),
            (LENGTHS, length_rows(execution, report)),
            (RUNS, [runs_row(execution, report, evaluation, run_cost(costs))]),
        ]
    except KeyError as error:
        raise ResultError(f"run {execution.run_id}: report.json or evaluation.json has no {error}") from error
