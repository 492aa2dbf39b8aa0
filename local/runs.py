"""Following a run of a pipeline through AWS's own API."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ENDED = ("Succeeded", "Failed", "Stopped")
_TRAINING_LINE = re.compile(r"\{'(?P<kind>loss|eval_loss)': (?P<value>[0-9.]+).*'epoch': (?P<epoch>[0-9.]+)")


@dataclass(frozen=True)
class Step:
    """A step of a run: its state, and how long it has taken so far (seconds)."""

    name: str
    status: str
    seconds: float
    reason: str | None = None
    cached: bool = False


@dataclass(frozen=True)
class Loss:
    """A loss that the training job logged."""

    kind: str
    value: float
    epoch: float


@dataclass(frozen=True)
class Trial:
    """A training of a search: its state, what it was given, and what it reached (None so far)."""

    name: str
    status: str
    parameters: dict[str, str]
    objective: float | None


@dataclass
class RunView:
    """What can be said about a run at one moment."""

    arn: str
    status: str
    steps: list[Step] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    reason: str | None = None

    @property
    def run_id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def ended(self) -> bool:
        return self.status in ENDED


class RunWatcher:
    """Looks at one run again and again; remembers which log lines it has seen."""

    def __init__(self, *, sagemaker: Any, logs: Any, arn: str) -> None:
        self._sagemaker = sagemaker
        self._logs = logs
        self._arn = arn
        self._losses: list[Loss] = []
        self._log_token: str | None = None
        self._log_stream: str | None = None

    def look(self) -> RunView:
        """Ask AWS once how the run is doing."""
        execution = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=self._arn)
        pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=self._arn, SortOrder="Ascending"
        )
        steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
        trials: list[Trial] = []
        for step in steps:
            made = step.get("Metadata", {})
            job = made.get("TrainingJob", {}).get("Arn")
            if job and "CacheHitResult" not in step:
                self._read_losses(job.rsplit("/", 1)[-1])
            search = made.get("TuningJob", {}).get("Arn")
            if search:
                trials = self._trials(search.rsplit("/", 1)[-1])
        return RunView(
            arn=self._arn,
            status=execution["PipelineExecutionStatus"],
            steps=[_step(step) for step in steps],
            losses=list(self._losses),
            trials=trials,
            reason=execution.get("FailureReason"),
        )

    def follow(self, interval_seconds: float) -> Iterator[RunView]:
        """Look until the run has ended; the last view is of its end."""
        while True:
            view = self.look()
            yield view
            if view.ended:
                return
            time.sleep(interval_seconds)

    def _trials(self, search: str) -> list[Trial]:
        """The trainings of a search in the order of their start."""
        pages = self._sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=search, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [
            Trial(
                name=job["TrainingJobName"],
                status=job["TrainingJobStatus"],
                parameters=job["TunedHyperParameters"],
                objective=job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value"),
            )
            for page in pages
            for job in page["TrainingJobSummaries"]
        ]

    def _read_losses(self, job: str) -> None:
        group = "/aws/sagemaker/TrainingJobs"
        if self._log_stream is None:
            try:
                streams = self._logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
            except self._logs.exceptions.ResourceNotFoundException:
                # The group appears with the first line of the first job.
                return
            if not streams["logStreams"]:
                return
            self._log_stream = streams["logStreams"][0]["logStreamName"]
        position = {"nextToken": self._log_token} if self._log_token else {}
        page = self._logs.get_log_events(
            logGroupName=group, logStreamName=self._log_stream, startFromHead=True, **position
        )
        self._log_token = page["nextForwardToken"]
        for event in page["events"]:
            match = _TRAINING_LINE.search(event["message"])
            if match:
                self._losses.append(Loss(match["kind"], float(match["value"]), float(match["epoch"])))


def newest_run(sagemaker: Any, pipeline: str, *, after: datetime | None = None) -> str | None:
    """ARN of the pipeline's newest run, if there is one (started after `after`)."""
    summaries = sagemaker.list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )["PipelineExecutionSummaries"]
    if not summaries or (after is not None and summaries[0]["StartTime"] <= after):
        return None
    return str(summaries[0]["PipelineExecutionArn"])


def parameters_of(sagemaker: Any, arn: str) -> dict[str, str]:
    """A run's parameters: those it was started with, and the definition's defaults for the others."""
    definition = _definition(sagemaker, arn)
    defaults = {p["Name"]: str(p["DefaultValue"]) for p in definition["Parameters"] if "DefaultValue" in p}
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    return {**defaults, **{p["Name"]: p["Value"] for p in given}}


def steps_of(sagemaker: Any, arn: str) -> list[str]:
    """Names of the steps that a run may reach, in the definition's order, those behind a condition after it."""
    names = []
    for step in _definition(sagemaker, arn)["Steps"]:
        names.append(step["Name"])
        branches = step["Arguments"] if step["Type"] == "Condition" else {}
        names += [inner["Name"] for inner in [*branches.get("IfSteps", []), *branches.get("ElseSteps", [])]]
    return names


def _definition(sagemaker: Any, arn: str) -> dict[str, Any]:
    described = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    definition: dict[str, Any] = json.loads(described["PipelineDefinition"])
    return definition


def _step(step: dict[str, Any]) -> Step:
    start, end = step.get("StartTime"), step.get("EndTime")
    now = end or datetime.now(start.tzinfo if start else None)
    return Step(
        name=step["StepName"],
        status=step["StepStatus"],
        seconds=(now - start).total_seconds() if start else 0.0,
        reason=step.get("FailureReason"),
        cached="CacheHitResult" in step,
    )
