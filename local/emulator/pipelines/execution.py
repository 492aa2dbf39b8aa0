"""One execution of a pipeline: its steps in the order of their dependencies, several at once."""

import copy
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local.emulator.pipelines.cache import CachedStep, StepCache, cache_key
from local.emulator.pipelines.definition import Definition, Step
from local.emulator.pipelines.events import Announcer
from local.emulator.pipelines.expressions import Scope, evaluate
from local.emulator.pipelines.failures import REASON_LIMIT, StepFailed, StepStopped
from local.emulator.pipelines.retries import Retries
from local.emulator.pipelines.step_state import StepState
from local.emulator.pipelines.steps import RUNNERS, Services, StepRun, evaluate_arguments

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExecutionInfo:
    """What an execution was started with, and never changes."""

    arn: str
    pipeline_arn: str
    pipeline_name: str
    display_name: str
    role_arn: str | None
    given_parameters: Mapping[str, str]
    parallel_steps: int
    started: datetime

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[1]


class Execution:
    """Runs in threads of its own from `start` on; everything else may be called from any thread."""

    def __init__(
        self,
        *,
        info: ExecutionInfo,
        definition: Definition,
        scope: Scope,
        services: Services,
        cache: StepCache,
        announce: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.info = info
        self.definition = definition
        # The scope's own mapping of properties is replaced by the one that this execution fills.
        self._properties: dict[str, Mapping[str, Any]] = {}
        self._scope = replace(scope, properties=self._properties)
        self._services = services
        self._cache = cache
        self._announcer = Announcer(info, announce)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._stop_announced = False
        self._status = "Executing"
        self._failure: str | None = None
        self._modified = info.started
        self._steps: dict[str, StepState] = {}
        self._running: set[str] = set()
        # Daemons all: a process that ends without closing the engine must not wait for hours of training.
        self._thread = threading.Thread(target=self._run, name=f"pipeline {info.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> bool:
        """Stop running jobs and start no more steps. Returns whether there was anything to stop."""
        with self._changed:
            if self._status not in ("Executing", "Stopping"):
                return False
            if self._status == "Executing":
                self._set_status("Stopping")
                self._stop.set()
                self._changed.notify_all()
            return True

    def join(self) -> None:
        self._thread.join()

    @property
    def status(self) -> str:
        with self._changed:
            return self._status

    def describe(self) -> dict[str, Any]:
        """In the shape of DescribePipelineExecution."""
        info = self.info
        with self._changed:
            answer: dict[str, Any] = {
                "PipelineArn": info.pipeline_arn,
                "PipelineExecutionArn": info.arn,
                "PipelineExecutionDisplayName": info.display_name,
                "PipelineExecutionStatus": self._status,
                "CreationTime": info.started,
                "LastModifiedTime": self._modified,
                "CreatedBy": {},
                "LastModifiedBy": {},
                "ParallelismConfiguration": {"MaxParallelExecutionSteps": info.parallel_steps},
            }
            if self._failure is not None:
                answer["FailureReason"] = self._failure
        experiment = self.definition.body.get("PipelineExperimentConfig")
        if experiment:
            answer["PipelineExperimentConfig"] = evaluate(experiment, self._scope)
        if info.role_arn:
            answer["RoleArn"] = info.role_arn
        return answer

    def summary(self) -> dict[str, Any]:
        """In the shape of an element of PipelineExecutionSummaries."""
        with self._changed:
            failure = {} if self._failure is None else {"PipelineExecutionFailureReason": self._failure}
            return {
                "PipelineExecutionArn": self.info.arn,
                "StartTime": self.info.started,
                "PipelineExecutionStatus": self._status,
                "PipelineExecutionDisplayName": self.info.display_name,
                **failure,
            }

    def steps(self) -> list[dict[str, Any]]:
        """The steps started so far, oldest first, in the shape of PipelineExecutionSteps."""
        with self._changed:
            return [state.summary() for state in self._steps.values()]

    # From here on: the execution's own thread.

    def _run(self) -> None:
        self._announcer.execution("Executing", None, None)
        while self._begin_and_wait():
            pass
        with self._changed:
            before = self._status
            failed = [state for state in self._steps.values() if state.status == "Failed"]
            after = "Stopped" if self._stop.is_set() else "Failed" if failed else "Succeeded"
            if after == "Failed":
                self._failure = _failure_reason(failed)
            self._set_status(after)
            ended = self._modified
        self._announcer.execution(after, before, ended)

    def _begin_and_wait(self) -> bool:
        """Start what may start and wait until something changed. Returns False when nothing runs any more.

        Nothing is announced while the lock is held: who is told may ask about this execution from another thread.
        """
        with self._changed:
            stopping = self._stop.is_set() and not self._stop_announced
            if not stopping:
                for step in self._ready():
                    self._begin(step)
                if not self._running:
                    return False
                self._changed.wait()
        if stopping:
            self._stop_announced = True
            self._announcer.execution("Stopping", "Executing", None)
        return True

    def _ready(self) -> list[Step]:
        """Steps that may start now. After a failure or a stop none may: what runs is let finish."""
        if self._stop.is_set() or any(state.status == "Failed" for state in self._steps.values()):
            return []
        waiting = [step for step in self.definition.steps.values() if step.name not in self._steps]
        ready = [step for step in waiting if self._may_run(step)]
        return ready[: max(0, self.info.parallel_steps - len(self._running))]

    def _may_run(self, step: Step) -> bool:
        if step.branch is not None:
            outcome = self._properties.get(step.branch.condition, {}).get("Outcome")
            if outcome != str(step.branch.outcome):
                return False
        return all(other in self._properties for other in step.after)

    def _begin(self, step: Step) -> None:
        self._steps[step.name] = StepState(step=step, started=datetime.now(UTC))
        self._running.add(step.name)
        name = f"step {step.name} {self.info.id}"
        threading.Thread(target=self._run_step, args=(step,), name=name, daemon=True).start()

    # From here on: the step's own thread.

    def _run_step(self, step: Step) -> None:
        state = self._steps[step.name]
        status, properties, failure = "Failed", None, None
        try:
            self._announce_step(state, None)
            properties = self._cached_or_run(state)
            status = "Succeeded"
        except StepStopped:
            status = "Stopped"
        except StepFailed as ending:
            failure = ending.reason
        except Exception as error:
            # A defect of the engine must not leave an execution that never ends.
            logger.exception("Step %s of execution %s met a defect", step.name, self.info.id)
            failure = f"InternalServerError: the local SageMaker failed with {type(error).__name__}; see its own log"
        self._change_step(state, status, properties=properties, failure=failure)

    def _cached_or_run(self, state: StepState) -> dict[str, Any]:
        step = state.step
        key = None
        if step.cache_for is not None:
            # Every attempt's job has a name of its own; here it only holds the place.
            scope = replace(self._scope, job={"ProcessingJobName": "", "TrainingJobName": ""})
            arguments = evaluate_arguments(step, scope)
            key = cache_key(self.info.pipeline_name, step.name, step.type, arguments)
            hit = self._cache.find(key, step.cache_for)
            if hit is not None:
                with self._changed:
                    state.metadata, state.cache_source = dict(hit.metadata), hit.execution_arn
                    state.attempts = 1
                return dict(hit.properties)
        properties = self._run_with_retries(state)
        if key is not None:
            ended = datetime.now(UTC)
            self._cache.put(key, CachedStep(self.info.arn, ended, properties, copy.deepcopy(state.metadata)))
        return properties

    def _run_with_retries(self, state: StepState) -> dict[str, Any]:
        retries = Retries(state.step.retry_policies)
        began = time.monotonic()

        def show(metadata: dict[str, Any]) -> None:
            with self._changed:
                state.metadata = metadata

        run = StepRun(state.step, self._scope, self._services, self._stop, self.info.id, show)
        self._change_step(state, "Executing")
        while True:
            with self._changed:
                state.attempts += 1
            try:
                return RUNNERS[state.step.type](run)
            except StepFailed as failure:
                wait = retries.wait_before_retry(failure.fault, time.monotonic() - began)
                if wait is None:
                    raise
            if self._stop.wait(wait):
                raise StepStopped("the execution was stopped")

    def _change_step(
        self,
        state: StepState,
        status: str,
        *,
        properties: dict[str, Any] | None = None,
        failure: str | None = None,
    ) -> None:
        """Change a step's status. At its end the execution goes on only after the step's event is out."""
        with self._changed:
            before, state.status = state.status, status
            if status != "Executing":
                state.ended = datetime.now(UTC)
                state.failure = failure
                if properties is not None:
                    self._properties[state.step.name] = properties
        self._announce_step(state, before)
        if status != "Executing":
            with self._changed:
                self._running.discard(state.step.name)
                self._modified = datetime.now(UTC)
                self._changed.notify_all()

    def _announce_step(self, state: StepState, before: str | None) -> None:
        with self._changed:
            summary = state.summary()
        self._announcer.step(summary, state.step.type, before)

    def _set_status(self, status: str) -> None:
        self._status = status
        self._modified = datetime.now(UTC)


def _failure_reason(failed: list[StepState]) -> str:
    """AWS says only that steps failed; the names and the first reason save a look into each of them."""
    names = ", ".join(state.step.name for state in failed)
    reason = f"Step failure: One or multiple steps failed. {names}: {failed[0].failure}"
    return reason[:REASON_LIMIT]
