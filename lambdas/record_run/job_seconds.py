"""How long a job's machines ran."""

from collections.abc import Mapping
from typing import Any


def seconds_between(job: Mapping[str, Any], start: str, end: str) -> float | None:
    """Seconds from one member of a job's description to another: 0 if it never got a machine, None without its end."""
    if start not in job:
        return 0.0
    return (job[end] - job[start]).total_seconds() if end in job else None


def training_seconds(job: Mapping[str, Any]) -> float | None:
    """`seconds_between` of a training job, from its description or its summary."""
    return seconds_between(job, "TrainingStartTime", "TrainingEndTime")
