"""What Describe and List answer about jobs: one description a job, changed as it runs, kept while the process lives."""

import copy
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.emulator.errors import ResourceInUse, ResourceNotFound

# Members of a description that a summary of botocore's shapes has too.
_SUMMARY = {
    "Processing": (
        "ProcessingJobName",
        "ProcessingJobArn",
        "ProcessingJobStatus",
        "CreationTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "FailureReason",
        "ExitMessage",
    ),
    "Training": (
        "TrainingJobName",
        "TrainingJobArn",
        "TrainingJobStatus",
        "SecondaryStatus",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
    ),
    "HyperParameterTuning": (
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "CreationTime",
        "HyperParameterTuningEndTime",
        "LastModifiedTime",
    ),
}


class JobStore:
    """The jobs of one kind, `Processing`, `Training` or `HyperParameterTuning`, in the order of their creation."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = threading.Lock()
        self._jobs: dict[str, dict[str, Any]] = {}

    def create(self, name: str, description: Mapping[str, Any]) -> None:
        """Raises ResourceInUse when the name is taken."""
        now = datetime.now(UTC)
        with self._lock:
            if name in self._jobs:
                raise ResourceInUse(f"{self._kind} job {name} exists already")
            self._jobs[name] = {**copy.deepcopy(dict(description)), "CreationTime": now, "LastModifiedTime": now}

    def update(self, name: str, **members: Any) -> None:
        with self._lock:
            self._jobs[name].update(copy.deepcopy(members), LastModifiedTime=datetime.now(UTC))

    def describe(self, name: str) -> dict[str, Any]:
        """Raises ResourceNotFound."""
        with self._lock:
            if name not in self._jobs:
                raise ResourceNotFound(f"Could not find requested job with name: {name}")
            return copy.deepcopy(self._jobs[name])

    def summaries(self) -> list[dict[str, Any]]:
        members = _SUMMARY[self._kind]
        with self._lock:
            return [{name: job[name] for name in members if name in job} for job in self._jobs.values()]

    def begin_secondary_status(self, name: str, status: str, message: str) -> None:
        """Training jobs only: end the status before, begin `status`."""
        now = datetime.now(UTC)
        with self._lock:
            transitions = self._jobs[name].setdefault("SecondaryStatusTransitions", [])
            if transitions:
                transitions[-1].setdefault("EndTime", now)
            transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})
            self._jobs[name].update(SecondaryStatus=status, LastModifiedTime=now)

    def record_metric(self, name: str, metric: str, value: float, time: datetime) -> None:
        """Training jobs only: the latest value of each metric."""
        with self._lock:
            latest = self._jobs[name].setdefault("FinalMetricDataList", [])
            latest[:] = [entry for entry in latest if entry["MetricName"] != metric]
            latest.append({"MetricName": metric, "Value": value, "Timestamp": time})
