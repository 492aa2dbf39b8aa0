"""Hyperparameter tuning jobs and the training jobs that they start: the API in front of the engine."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from local.emulator.listing import Listing
from local.emulator.sagemaker.names import arn
from local.emulator.sagemaker.tags import Tags

TUNING_JOBS = Listing(
    result="HyperParameterTuningJobSummaries",
    identity="HyperParameterTuningJobName",
    descending=False,
    sort_members={
        "Name": "HyperParameterTuningJobName",
        "CreationTime": "CreationTime",
        "Status": "HyperParameterTuningJobStatus",
    },
    filters={"StatusEquals": "HyperParameterTuningJobStatus"},
)
_VALUE = "FinalObjectiveMetricValue"
TRAINING_JOBS = Listing(
    result="TrainingJobSummaries",
    identity="TrainingJobName",
    created="TrainingJobName",
    descending=False,
    sort_members={"CreationTime": "CreationTime", "Status": "TrainingJobStatus", _VALUE: _VALUE},
    filters={"StatusEquals": "TrainingJobStatus"},
)
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Engine(Protocol):
    """What is used of `local.emulator.pipelines.PipelineEngine`; shapes are those of botocore's responses."""

    def create_tuning_job(self, request: Mapping[str, Any]) -> str: ...

    def stop_tuning_job(self, name: str) -> None: ...

    def describe_tuning_job(self, name: str) -> dict[str, Any]: ...

    def list_tuning_jobs(self) -> list[dict[str, Any]]: ...

    def list_jobs_of_tuning_job(self, name: str) -> list[dict[str, Any]]: ...


class TuningJobs:
    """Tuning jobs by name."""

    def __init__(self, *, engine: Engine, tags: Tags) -> None:
        self._engine = engine
        self._tags = tags
        tags.know(
            lambda resource: any(job["HyperParameterTuningJobArn"] == resource for job in engine.list_tuning_jobs())
        )

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateHyperParameterTuningJob": self._create,
            "DescribeHyperParameterTuningJob": lambda request: self._engine.describe_tuning_job(_name(request)),
            "ListHyperParameterTuningJobs": lambda request: TUNING_JOBS.page(self._engine.list_tuning_jobs(), request),
            "StopHyperParameterTuningJob": self._stop,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_training_jobs,
        }

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        tuning_job = self._engine.create_tuning_job(request)
        self._tags.set(arn("hyper-parameter-tuning-job", _name(request)), request.get("Tags", []))
        return {"HyperParameterTuningJobArn": tuning_job}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._engine.stop_tuning_job(_name(request))
        return {}

    def _list_training_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        """As on AWS: sorted by the objective's value, jobs without one are left out."""
        items = [{**job, _VALUE: _value(job)} for job in self._engine.list_jobs_of_tuning_job(_name(request))]
        if request.get("SortBy") == _VALUE:
            items = [item for item in items if item[_VALUE] is not None]
        page = TRAINING_JOBS.page(items, request)
        for item in page[TRAINING_JOBS.result]:
            del item[_VALUE]
        return page


def _name(request: Mapping[str, Any]) -> str:
    name: str = request["HyperParameterTuningJobName"]
    return name


def _value(job: Mapping[str, Any]) -> float | None:
    value: float | None = job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    return value
