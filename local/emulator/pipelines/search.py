"""The search of one tuning job while it runs: starts training jobs, several at once, and goes by their results."""

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.emulator.pipelines.container import Stop
from local.emulator.pipelines.early_stopping import is_hopeless
from local.emulator.pipelines.failures import JobTimedOut, StepFailed, StepStopped
from local.emulator.pipelines.training import TrainingJobs
from local.emulator.pipelines.tuning_requests import training_request

# Between two looks at whether the search is to be stopped.
_LOOK_SECONDS = 0.05
# As on AWS: when so many jobs ended and none of them well, the others would most likely end so too.
_ATTEMPTS = 5

logger = logging.getLogger(__name__)


@dataclass
class Trial:
    """One training job of the search. `values` are the objective's so far, in order."""

    number: int
    job: str
    tuned: Mapping[str, str]
    stop: Stop = field(default_factory=threading.Event)
    values: list[float] = field(default_factory=list)


class Search:
    """Runs in the thread that calls `run`; jobs have threads of their own, which only put events into the queue.

    `begin` is told of each job before it runs. `environment` is what every job's process gets besides.
    """

    def __init__(
        self,
        *,
        description: Mapping[str, Any],
        training_jobs: TrainingJobs,
        environment: Mapping[str, str],
        begin: Callable[[Trial], None],
    ) -> None:
        # Optuna and numpy take a third of a second and 40 MB, and most pipelines search for nothing.
        from local.emulator.pipelines.suggestions import Suggestions

        config = description["HyperParameterTuningJobConfig"]
        objective, limits = config["HyperParameterTuningJobObjective"], config["ResourceLimits"]
        self._description = description
        self._metric = objective["MetricName"]
        self._maximise = objective["Type"] == "Maximize"
        self._stops_early = config.get("TrainingJobEarlyStoppingType") == "Auto"
        self._jobs, self._parallel = limits["MaxNumberOfTrainingJobs"], limits["MaxParallelTrainingJobs"]
        self._training_jobs = training_jobs
        self._environment = environment
        self._begin = begin
        self._suggestions = Suggestions(
            config["ParameterRanges"], jobs=self._jobs, maximise=self._maximise, seed=config.get("RandomSeed")
        )
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._running: dict[int, Trial] = {}
        self._threads: list[threading.Thread] = []
        self._completed: list[list[float]] = []
        # Why jobs failed, in the order of their ends.
        self.failures: list[str] = []
        self._started = 0
        self._is_stopping = False

    def run(self, is_stopped: Callable[[], bool], on_stop: Callable[[], None]) -> None:
        """Run training jobs until there have been as many as asked for, or the search is stopped.

        `on_stop` is called once, before the jobs that still run are stopped.
        """
        try:
            while self._may_start() or self._running:
                if is_stopped() and not self._is_stopping:
                    self._is_stopping = True
                    on_stop()
                    self._stop_jobs()
                while self._may_start() and len(self._running) < self._parallel:
                    self._start()
                try:
                    self._events.get(timeout=_LOOK_SECONDS)()
                except queue.Empty:
                    continue
        finally:
            self._stop_jobs()
            for thread in self._threads:
                thread.join()

    def _may_start(self) -> bool:
        in_vain = len(self.failures) >= _ATTEMPTS and not self._completed
        return self._started < self._jobs and not in_vain and not self._is_stopping

    def _start(self) -> None:
        number, tuned = self._suggestions.ask()
        tuning_job = self._description["HyperParameterTuningJobName"]
        trial = Trial(number, f"{tuning_job}-{number + 1:03d}-{secrets.token_hex(4)}", tuned)
        request = training_request(self._description, trial.job, tuned)
        self._training_jobs.create(request, tuning_job_arn=self._description["HyperParameterTuningJobArn"])
        self._begin(trial)
        self._started += 1
        self._running[number] = trial
        thread = threading.Thread(target=self._run_job, args=(trial,), name=trial.job, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _stop_jobs(self) -> None:
        for trial in self._running.values():
            trial.stop.set()

    def _on_value(self, trial: Trial, value: float) -> None:
        trial.values.append(value)
        if self._stops_early and is_hopeless(trial.values, self._completed, maximise=self._maximise):
            trial.stop.set()

    def _on_end(self, trial: Trial, *, completed: bool, failure: str | None) -> None:
        del self._running[trial.number]
        self._suggestions.tell(trial.number, [] if failure else trial.values, completed=completed)
        if completed:
            self._completed.append(trial.values)
        if failure is not None:
            self.failures.append(failure)

    # From here on: the job's own threads.

    def _run_job(self, trial: Trial) -> None:
        completed, failure = False, None
        try:
            self._training_jobs.run(
                trial.job,
                trial.stop,
                on_metric=lambda metric, value, _: self._tell(trial, metric, value),
                environment=self._environment,
            )
            completed = True
        except (StepStopped, JobTimedOut):
            completed = False
        except StepFailed as ending:
            failure = ending.reason
        except Exception as error:
            # A defect of the engine must not leave a search that never ends.
            logger.exception("Training job %s met a defect", trial.job)
            failure = f"InternalServerError: the local SageMaker failed with {type(error).__name__}; see its own log"
        self._events.put(partial(self._on_end, trial, completed=completed, failure=failure))

    def _tell(self, trial: Trial, metric: str, value: float) -> None:
        if metric == self._metric:
            self._events.put(partial(self._on_value, trial, value))
