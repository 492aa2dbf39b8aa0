"""Step caching: a step that ran before with the same arguments does not run again.

Which arguments count is AWS's list, "Default cache key attributes by pipeline step type" in the SageMaker developer
guide (pipelines-default-keys): for Processing AppSpecification, Environment and ProcessingInputs; for Training
AlgorithmSpecification, CheckpointConfig, DebugHookConfig, DebugRuleConfigurations, Environment, HyperParameters and
InputDataConfig; for Tuning HyperParameterTuningJobConfig and some of what TrainingJobDefinition holds. Output
locations, instance types, roles and time limits do not count. Inputs count by their S3 URI, as on AWS: an object that
changed under the same URI is not noticed.

Also as on AWS ("Caching pipeline steps"): only within one pipeline, only steps that succeeded, the most recent one
within ExpireAfter, and its outputs are not looked at, so a hit may name objects that were deleted since.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.emulator.errors import ValidationError

_IDENTITY = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
    ),
}
CACHED_TYPES = tuple(_IDENTITY)

# AWS's own examples leave the P out and write small letters ("30dT5h"); the SDK's write it ("P30DT5H").
_DURATION = re.compile(
    r"P?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.IGNORECASE,
)
_DAYS = {"years": 365, "months": 30}


@dataclass(frozen=True)
class CachedStep:
    """A step that succeeded: which execution ran it, when it ended, and what it made."""

    execution_arn: str
    ended: datetime
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


class StepCache:
    """The newest successful run of every step and identity of its arguments."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, CachedStep] = {}

    def find(self, key: str, cache_for: timedelta) -> CachedStep | None:
        with self._lock:
            step = self._steps.get(key)
        return step if step is not None and datetime.now(UTC) - step.ended <= cache_for else None

    def put(self, key: str, step: CachedStep) -> None:
        with self._lock:
            newer = self._steps.get(key)
            if newer is None or newer.ended <= step.ended:
                self._steps[key] = step


def cache_key(pipeline: str, step: str, step_type: str, arguments: Mapping[str, Any]) -> str:
    """What two runs must share for the second to be a hit. `arguments` are evaluated."""
    identity = {path: _member(arguments, path) for path in _IDENTITY[step_type]}
    return json.dumps([pipeline, step, step_type, identity], sort_keys=True)


def _member(arguments: Mapping[str, Any], path: str) -> Any:
    value: Any = arguments
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def parse_duration(text: Any, step: str) -> timedelta:
    """An ISO 8601 duration. A year counts 365 days, a month 30. Raises ValidationError."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    parts = {name: int(number) for name, number in match.groupdict().items() if number} if match else {}
    if not parts:
        raise ValidationError(f"Step {step}: ExpireAfter must be an ISO 8601 duration such as P30D, got {text!r}")
    days = sum(parts.pop(name, 0) * count for name, count in _DAYS.items())
    try:
        return timedelta(days=days) + timedelta(**parts)
    except OverflowError as error:
        raise ValidationError(f"Step {step}: ExpireAfter {text!r} is too long") from error
