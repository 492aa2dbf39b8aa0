"""Hyperparameter tuning jobs: what the API shows of them, and how they end."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.emulator.errors import InternalFailure, ValidationError
from local.emulator.pipelines import processors
from local.emulator.pipelines.container import Stop
from local.emulator.pipelines.failures import StepFailed, StepStopped
from local.emulator.pipelines.job_store import JobStore
from local.emulator.pipelines.search import Search, Trial
from local.emulator.pipelines.settings import EngineSettings
from local.emulator.pipelines.training import TrainingJobs
from local.emulator.pipelines.tuning_requests import check_tuning_request

_ENDED = ("Completed", "Failed", "Stopped")
# As many of the best jobs as the properties of a pipeline's tuning step hold.
_TOP_JOBS = 50
_OF_THE_JOB = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "FailureReason",
)


class TuningJobs:
    """Runs tuning jobs, and knows all of them. Their training jobs are `training_jobs`."""

    def __init__(self, settings: EngineSettings, training_jobs: TrainingJobs) -> None:
        self.store = JobStore("HyperParameterTuning")
        self._settings = settings
        self._training_jobs = training_jobs
        self._lock = threading.RLock()
        self._stops: dict[str, Stop] = {}
        # Tuning job -> training job -> its tuned hyperparameters, oldest first.
        self._tuned: dict[str, dict[str, Mapping[str, str]]] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def create(self, request: Mapping[str, Any]) -> str:
        """Accept a CreateHyperParameterTuningJob request. Returns the job's ARN. Raises StepFailed when refused."""
        check_tuning_request(request)
        name = request["HyperParameterTuningJobName"]
        arn = f"arn:aws:sagemaker:{self._settings.region}:{self._settings.account}:hyper-parameter-tuning-job/{name}"
        description = {
            **request,
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
        }
        description.pop("Tags", None)
        self.store.create(name, description)
        with self._lock:
            self._stops[name] = threading.Event()
            self._tuned[name] = {}
        return arn

    def start(self, request: Mapping[str, Any]) -> str:
        """Create a job and run it in a thread of its own. Raises StepFailed when it is refused."""
        with self._lock:
            if self._closed:
                raise InternalFailure("The local SageMaker is being shut down")
            arn = self.create(request)
            name = request["HyperParameterTuningJobName"]
            thread = threading.Thread(target=self._run_alone, args=(name,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return arn

    def run(self, name: str, stop: Stop) -> dict[str, Any]:
        """Run a created job to its end; return its description, with the summaries of its best training jobs.

        Raises:
            StepFailed: no training job ended well with a value of the objective, or the job itself was stopped.
            StepStopped: `stop` was set.
        """
        own = self._stops[name]

        def is_stopped() -> bool:
            return stop.is_set() or own.is_set()

        description = self.store.describe(name)
        search = Search(
            description=description,
            training_jobs=self._training_jobs,
            environment={processors.THREADS: str(_threads(description))},
            begin=lambda trial: self._know(name, trial),
        )
        search.run(is_stopped, lambda: self._set_status(name, "Stopping"))
        if is_stopped():
            self._set_status(name, "Stopped")
            if stop.is_set():
                raise StepStopped("the execution was stopped")
            raise StepFailed(f"ClientError: tuning job {name} was stopped")
        described = self.describe(name)
        if "BestTrainingJob" not in described:
            failure = StepFailed(_reason(described, search.failures))
            self._set_status(name, "Failed", FailureReason=failure.reason)
            raise failure
        self._set_status(name, "Completed")
        return {**self.describe(name), "TrainingJobSummaries": self._best_first(name)[:_TOP_JOBS]}

    def stop(self, name: str) -> None:
        """Stop a job and its training jobs. Raises ResourceNotFound; ValidationError when it has ended."""
        status = self.store.describe(name)["HyperParameterTuningJobStatus"]
        if status in _ENDED:
            raise ValidationError(f"Tuning job {name} has ended already: {status}")
        self._stops[name].set()

    def describe(self, name: str) -> dict[str, Any]:
        """As DescribeHyperParameterTuningJob, the best job so far also while others run. Raises ResourceNotFound."""
        description = self.store.describe(name)
        jobs = self.training_jobs(name)
        best = self._best_first(name)[:1]
        return {**description, **_counters(jobs), **({"BestTrainingJob": best[0]} if best else {})}

    def summaries(self) -> list[dict[str, Any]]:
        """HyperParameterTuningJobSummaries, oldest first."""
        found = []
        for summary in self.store.summaries():
            name = summary["HyperParameterTuningJobName"]
            config = self.store.describe(name)["HyperParameterTuningJobConfig"]
            own = {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
            found.append({**summary, **own, **_counters(self.training_jobs(name))})
        return found

    def training_jobs(self, name: str) -> list[dict[str, Any]]:
        """Summaries of a job's training jobs, oldest first. Raises ResourceNotFound."""
        objective = self.store.describe(name)["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        with self._lock:
            tuned = dict(self._tuned[name])
        return [
            _summary(self._training_jobs.store.describe(job), parameters, objective)
            for job, parameters in tuned.items()
        ]

    def close(self) -> None:
        """Stop the jobs that were started here, and wait for their ends."""
        with self._lock:
            self._closed = True
            for stop in self._stops.values():
                stop.set()
        for thread in self._threads:
            thread.join()

    def _run_alone(self, name: str) -> None:
        try:
            self.run(name, threading.Event())
        except (StepFailed, StepStopped):
            return  # Its description says so.

    def _know(self, name: str, trial: Trial) -> None:
        with self._lock:
            self._tuned[name][trial.job] = trial.tuned

    def _best_first(self, name: str) -> list[dict[str, Any]]:
        """The training jobs that completed with a value, the best first; of equals, the earlier."""
        config = self.store.describe(name)["HyperParameterTuningJobConfig"]
        sign = -1 if config["HyperParameterTuningJobObjective"]["Type"] == "Maximize" else 1
        completed = [
            job
            for job in self.training_jobs(name)
            if job["TrainingJobStatus"] == "Completed" and job["ObjectiveStatus"] == "Succeeded"
        ]
        return sorted(completed, key=lambda job: sign * job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])

    def _set_status(self, name: str, status: str, **members: Any) -> None:
        if status in _ENDED:
            members["HyperParameterTuningEndTime"] = datetime.now(UTC)
        self.store.update(name, HyperParameterTuningJobStatus=status, **members)


def _threads(description: Mapping[str, Any]) -> int:
    """The share of this machine's processors that each of the jobs gets which run at once."""
    parallel: int = description["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"]
    return max(1, processors.count() // parallel)


def _summary(job: Mapping[str, Any], tuned: Mapping[str, str], objective: Mapping[str, str]) -> dict[str, Any]:
    """In the shape of HyperParameterTrainingJobSummary. The objective's value is the last that the log showed."""
    summary = {name: job[name] for name in _OF_THE_JOB if name in job}
    values = [one for one in job.get("FinalMetricDataList", []) if one["MetricName"] == objective["MetricName"]]
    status = "Pending"
    if job["TrainingJobStatus"] in _ENDED:
        status = "Succeeded" if values and job["TrainingJobStatus"] != "Failed" else "Failed"
    if status == "Succeeded":
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": values[0]["Value"]}
    return {**summary, "TunedHyperParameters": dict(tuned), "ObjectiveStatus": status}


def _counters(jobs: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    statuses = [job["TrainingJobStatus"] for job in jobs]
    objectives = [job["ObjectiveStatus"] for job in jobs]
    return {
        "TrainingJobStatusCounters": {
            "Completed": statuses.count("Completed"),
            "InProgress": statuses.count("InProgress") + statuses.count("Stopping"),
            "RetryableError": 0,  # Nothing is tried again here: RetryStrategy is refused.
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        },
        "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
    }


def _reason(described: Mapping[str, Any], failures: list[str]) -> str:
    counters = described["TrainingJobStatusCounters"]
    metric = described["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    first = f". The first failed with: {failures[0]}" if failures else ""
    return (
        f"ClientError: No training job succeeded after {sum(counters.values())} attempts: "
        f"{counters['NonRetryableError']} failed, {counters['Stopped']} ran longer than they may, "
        f"{counters['Completed']} completed without the metric {metric} in their log{first}"
    )
