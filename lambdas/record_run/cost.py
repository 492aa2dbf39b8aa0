"""What a run's jobs cost, estimated: seconds of each job times its instances times the instance's price.

A tuning job costs what its training jobs cost together. Not in it: storage, requests, endpoints, and earlier attempts
of a step that was retried (SageMaker names only the last job of a step).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.record_run.execution import Step
from lambdas.record_run.job_seconds import seconds_between, training_seconds
from lambdas.record_run.tuning_job import TuningJob

# Steps of these kinds run on machines whose cost is not known here.
_UNKNOWN_KINDS = ("TransformJob", "AutoMLJob", "EMR", "EMRServerless", "QualityCheck", "ClarifyCheck")

_SECONDS_PER_HOUR = 3600
# A hundredth of a cent. A step's cost is rounded and a run's is the sum of these, so that both say the same.
_DIGITS = 4


@dataclass(frozen=True)
class StepCost:
    """What one step cost, None if it is not known, and on which machines, None if none ran (or which is not known)."""

    dollars: float | None
    instance_type: str | None = None
    instance_count: int | None = None


def step_costs(
    sagemaker: Any, steps: Iterable[Step], tuning_jobs: Mapping[str, TuningJob], prices: Mapping[str, float]
) -> tuple[StepCost, ...]:
    """The cost of each step, in order.

    `tuning_jobs` are those of the steps by ARN, `prices` dollars per hour by instance type.
    """
    return tuple(_step_cost(sagemaker, step, tuning_jobs, prices) for step in steps)


def run_cost(costs: Iterable[StepCost]) -> float | None:
    """Dollars of all steps together; None if any of them is not known."""
    total = 0.0
    for cost in costs:
        if cost.dollars is None:
            return None
        total += cost.dollars
    return round(total, _DIGITS)


def _step_cost(
    sagemaker: Any, step: Step, tuning_jobs: Mapping[str, TuningJob], prices: Mapping[str, float]
) -> StepCost:
    if step.cached:
        return StepCost(0.0)  # the job that it names is an earlier run's
    if any(kind in step.metadata for kind in _UNKNOWN_KINDS):
        return StepCost(None)
    if (arn := step.arn("ProcessingJob")) is not None:
        job = sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
        cluster = job["ProcessingResources"]["ClusterConfig"]
        seconds = seconds_between(job, "ProcessingStartTime", "ProcessingEndTime")
    elif (arn := step.arn("TrainingJob")) is not None:
        job = sagemaker.describe_training_job(TrainingJobName=arn.rpartition("/")[2])
        cluster = job["ResourceConfig"]
        seconds = job.get("BillableTimeInSeconds", training_seconds(job))
    elif (arn := step.arn("TuningJob")) is not None:
        tuning_job = tuning_jobs[arn]
        cluster = tuning_job.description["TrainingJobDefinition"]["ResourceConfig"]
        seconds = tuning_job.seconds
    else:
        return StepCost(0.0)  # conditions and registrations run on no machine
    kind, count = cluster["InstanceType"], cluster["InstanceCount"]
    price = prices.get(kind)
    known = price is not None and seconds is not None
    return StepCost(round(seconds * count * price / _SECONDS_PER_HOUR, _DIGITS) if known else None, kind, count)
