"""The rows of `steps` and of `parameters` that an ended execution makes: what was done, and with which settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.record_run.cost import StepCost
from lambdas.record_run.execution import Execution
from lambdas.record_run.reason import clean_reason
from lambdas.run_tables import RunRow

_FINE_TUNE, _SCRIPT = "FineTune", "fine_tune"
# Which program SageMaker's toolkit starts and how: nothing that a model depends on.
_OF_SAGEMAKER = "sagemaker_"


@dataclass(frozen=True, kw_only=True)
class StepRow(RunRow):
    """One row of `steps`."""

    step: str
    status: str
    seconds: float | None
    cached: bool
    instance_type: str | None
    instance_count: int | None
    cost_dollars: float | None
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class ParameterRow(RunRow):
    """One row of `parameters`."""

    name: str
    value: str


def step_rows(execution: Execution, costs: Sequence[StepCost]) -> list[StepRow]:
    """A row for each step; `costs` in the order of the steps."""
    return [
        StepRow(
            run_id=execution.run_id,
            started_at=execution.started_at,
            step=step.name,
            status=step.status,
            seconds=step.seconds,
            cached=step.cached,
            instance_type=cost.instance_type,
            instance_count=cost.instance_count,
            cost_dollars=cost.dollars,
            failure=clean_reason(step.failure_reason) if step.failure_reason else None,
        )
        for step, cost in zip(execution.steps, costs, strict=True)
    ]


def training_arguments(sagemaker: Any, execution: Execution) -> dict[str, str]:
    """The arguments that FineTune's script was given, as text; none if its job was not made."""
    step = execution.step(_FINE_TUNE)
    arn = step.arn("TrainingJob") if step is not None else None
    if arn is None:
        return {}
    job = sagemaker.describe_training_job(TrainingJobName=arn.rpartition("/")[2])
    given: dict[str, str] = job["HyperParameters"]
    return {name: unquoted(value) for name, value in given.items() if not name.startswith(_OF_SAGEMAKER)}


def parameter_rows(
    execution: Execution, report: dict[str, Any] | None, arguments: Mapping[str, str]
) -> list[ParameterRow]:
    """A row for each pipeline parameter and training argument, and for what says which data it was.

    Raises:
        KeyError: the report lacks what docs/architecture.md promises.
    """
    values = {**execution.parameters, **{f"{_SCRIPT}.{name}": value for name, value in arguments.items()}}
    if "DataVersion" in execution.parameters:
        values["data_version"] = execution.parameters["DataVersion"]
    if report is not None:
        values["data_fingerprint"] = report["fingerprint"]
    return [
        ParameterRow(execution.run_id, execution.started_at, name=name, value=value)
        for name, value in sorted(values.items())
    ]


def unquoted(value: str) -> str:
    """A text as the script reads it: the pipeline JSON-quotes those that may hold line breaks."""
    try:
        text = json.loads(value)
    except json.JSONDecodeError:
        return value
    return text if isinstance(text, str) else value
