"""The runs of a task's pipeline, as far as `reconcile` must know them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

_ACTIVE = ("Executing", "Stopping")


@dataclass(frozen=True)
class NewestRun:
    """The newest execution of a pipeline. `data_version` is None if it was started by hand without one."""

    arn: str
    started_at: datetime
    data_version: str | None


@dataclass(frozen=True)
class Runs:
    """`executing`: one of the newest 100 executions has not ended. `newest` is None before the first run."""

    executing: bool
    newest: NewestRun | None


def read_runs(sagemaker: Any, pipeline: str) -> Runs:
    summaries = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=100
    )["PipelineExecutionSummaries"]
    if not summaries:
        return Runs(executing=False, newest=None)
    newest = summaries[0]
    return Runs(
        # Somebody may have started an older one by hand that still runs, hence all and not only the newest.
        executing=any(summary["PipelineExecutionStatus"] in _ACTIVE for summary in summaries),
        newest=NewestRun(
            arn=newest["PipelineExecutionArn"],
            started_at=newest["StartTime"],
            data_version=_data_version(sagemaker, newest["PipelineExecutionArn"]),
        ),
    )


def ended_at(sagemaker: Any, arn: str) -> datetime:
    """When an execution that has ended did so."""
    modified: datetime = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["LastModifiedTime"]
    return modified


def _data_version(sagemaker: Any, arn: str) -> str | None:
    pages = sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    for page in pages:
        for parameter in page["PipelineParameters"]:
            if parameter["Name"] == "DataVersion":
                value: str = parameter["Value"]
                return value
    return None
