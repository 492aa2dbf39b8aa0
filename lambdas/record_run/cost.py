"""What a run's jobs cost, estimated: seconds of each job times its instances times the instance's price.

Not in it: storage, requests, endpoints, and earlier attempts of a step that was retried (SageMaker names only the last
job of a step).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lambdas.record_run.execution import Step

# Steps of these kinds run on machines whose cost is not known here.
_UNKNOWN_KINDS = ("TransformJob", "TuningJob", "AutoMLJob", "EMR", "EMRServerless", "QualityCheck", "ClarifyCheck")

_SECONDS_PER_HOUR = 3600


def estimated_cost(sagemaker: Any, steps: Iterable[Step], prices: Mapping[str, float]) -> float | None:
    """Dollars of all jobs that this run really ran, to a hundredth of a cent; None if any of them is not known.

    `prices` are dollars per hour by instance type.
    """
    total = 0.0
    for step in steps:
        cost = 0.0 if step.cached else _step_cost(sagemaker, step, prices)
        if cost is None:
            return None
        total += cost
    return round(total, 4)


def _step_cost(sagemaker: Any, step: Step, prices: Mapping[str, float]) -> float | None:
    if any(kind in step.metadata for kind in _UNKNOWN_KINDS):
        return None
    if (arn := step.arn("ProcessingJob")) is not None:
        job = sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
        cluster = job["ProcessingResources"]["ClusterConfig"]
        seconds = _seconds(job, "ProcessingStartTime", "ProcessingEndTime")
    elif (arn := step.arn("TrainingJob")) is not None:
        job = sagemaker.describe_training_job(TrainingJobName=arn.rpartition("/")[2])
        cluster = job["ResourceConfig"]
        seconds = job.get("BillableTimeInSeconds", _seconds(job, "TrainingStartTime", "TrainingEndTime"))
    else:
        return 0.0  # conditions and registrations run on no machine
    price = prices.get(cluster["InstanceType"])
    if price is None or seconds is None:
        return None
    return float(seconds * cluster["InstanceCount"] * price / _SECONDS_PER_HOUR)


def _seconds(job: Mapping[str, Any], start: str, end: str) -> float | None:
    """Seconds that a job ran: 0 if it never got a machine, None if its end is not known."""
    if start not in job:
        return 0.0
    return (job[end] - job[start]).total_seconds() if end in job else None
