"""The rows of `search_jobs` that an ended execution makes: what its search over hyperparameters tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.record_run.execution import Execution
from lambdas.record_run.job_seconds import training_seconds
from lambdas.record_run.reason import clean_reason
from lambdas.record_run.step_rows import unquoted
from lambdas.record_run.tuning_job import TuningJob
from lambdas.run_tables import RunRow, compact_json


@dataclass(frozen=True, kw_only=True)
class SearchJobRow(RunRow):
    """One row of `search_jobs`."""

    job: str
    status: str
    objective: float | None
    best: bool
    early_stopped: bool | None
    seconds: float | None
    learning_rate: float | None
    max_seq_length: int | None
    train_batch_size: int | None
    model_name: str | None
    parameters: str
    failure: str | None


def search_rows(execution: Execution, tuning_jobs: Iterable[TuningJob]) -> list[SearchJobRow]:
    """A row for each training job, in the order in which they began."""
    return [_row(execution, tuning_job, job) for tuning_job in tuning_jobs for job in tuning_job.jobs]


def _row(execution: Execution, tuning_job: TuningJob, job: Mapping[str, Any]) -> SearchJobRow:
    tried = {name: unquoted(value) for name, value in job["TunedHyperParameters"].items()}
    failure = job.get("FailureReason")
    return SearchJobRow(
        execution.run_id,
        execution.started_at,
        job=job["TrainingJobName"],
        status=job["TrainingJobStatus"],
        objective=job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
        best=job["TrainingJobName"] == tuning_job.description.get("BestTrainingJob", {}).get("TrainingJobName"),
        early_stopped=_was_stopped_early(tuning_job, job),
        seconds=training_seconds(job),
        learning_rate=float(tried["learning_rate"]) if "learning_rate" in tried else None,
        max_seq_length=int(tried["max_seq_length"]) if "max_seq_length" in tried else None,
        train_batch_size=int(tried["train_batch_size"]) if "train_batch_size" in tried else None,
        model_name=tried.get("model_name"),
        parameters=compact_json(tried),
        failure=clean_reason(failure) if failure else None,
    )


def _was_stopped_early(tuning_job: TuningJob, job: Mapping[str, Any]) -> bool | None:
    """To SageMaker a job is stopped that did worse than others, that ran too long, or that somebody stopped."""
    if job["TrainingJobStatus"] != "Stopped":
        return False
    if tuning_job.description["HyperParameterTuningJobStatus"] != "Completed":
        return None
    longest = tuning_job.description["TrainingJobDefinition"]["StoppingCondition"].get("MaxRuntimeInSeconds")
    seconds = training_seconds(job)
    return longest is None or seconds is None or seconds < longest
