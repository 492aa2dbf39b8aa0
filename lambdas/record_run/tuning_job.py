"""Tuning jobs of an execution, with the training jobs that they tried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.record_run.execution import Step
from lambdas.record_run.job_seconds import training_seconds


@dataclass(frozen=True)
class TuningJob:
    """`description` as DescribeHyperParameterTuningJob gives it, `jobs` the summaries of its jobs, oldest first."""

    description: Mapping[str, Any]
    jobs: Sequence[Mapping[str, Any]]

    @property
    def seconds(self) -> float | None:
        """Seconds of all jobs together; None if any of them is not known."""
        seconds = [training_seconds(job) for job in self.jobs]
        known = [one for one in seconds if one is not None]
        return sum(known) if len(known) == len(seconds) else None


def read_tuning_jobs(sagemaker: Any, steps: Iterable[Step]) -> dict[str, TuningJob]:
    """ARN -> tuning job, of every step that has one, also one that was taken from an earlier run."""
    arns = [arn for step in steps if (arn := step.arn("TuningJob")) is not None]
    return {arn: _read(sagemaker, arn.rpartition("/")[2]) for arn in arns}


def _read(sagemaker: Any, name: str) -> TuningJob:
    listed = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
    )
    return TuningJob(
        description=sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        jobs=[job for page in listed for job in page["TrainingJobSummaries"]],
    )
