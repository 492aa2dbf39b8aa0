"""Retry policies of a step.

Rules and limits as in the SageMaker developer guide, "Retry Policy for Pipeline Steps": MaxAttempts counts retries,
not the first attempt (default 5, at most 20); the first retry waits IntervalSeconds (default 1, at most 43200), each
further one BackoffRate times longer (default 2); ExpireAfterMin (at most 14400) counts from the first attempt.
AWS also retries service faults and throttling with no policy at all; here only a policy makes a step run again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.pipelines.failures import FAULTS

RETRIED_TYPES = ("Processing", "Training", "Tuning", "RegisterModel")
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}
_DEFAULT_ATTEMPTS = 5


@dataclass(frozen=True)
class RetryPolicy:
    """When a step runs again after one of `faults`. Times in seconds; None: no limit of this kind."""

    faults: frozenset[str]
    interval: float
    backoff: float
    attempts: int | None
    expires_after: float | None


class Retries:
    """The retries of one step: each policy counts for itself."""

    def __init__(self, policies: Sequence[RetryPolicy]) -> None:
        self._policies = policies
        self._used = [0] * len(policies)

    def wait_before_retry(self, fault: str | None, elapsed: float) -> float | None:
        """Seconds to wait before the next attempt; None: no further attempt. `elapsed` counts from the first one."""
        for number, policy in enumerate(self._policies):
            if fault not in policy.faults:
                continue
            used = self._used[number]
            wait = policy.interval * policy.backoff**used
            if policy.attempts is not None and used >= policy.attempts:
                return None
            if policy.expires_after is not None and elapsed + wait > policy.expires_after:
                return None
            self._used[number] = used + 1
            return wait
        return None


def parse_policies(policies: Any, step: str) -> tuple[RetryPolicy, ...]:
    """Raises ValidationError when a policy is malformed or names an unknown exception type."""
    if not isinstance(policies, list):
        raise ValidationError(f"Step {step}: RetryPolicies must be a list")
    return tuple(_parse(policy, step) for policy in policies)


def _parse(policy: Any, step: str) -> RetryPolicy:
    if not isinstance(policy, dict) or set(policy) - _MEMBERS:
        raise ValidationError(f"Step {step}: a retry policy may have the members {sorted(_MEMBERS)}")
    faults = policy.get("ExceptionType")
    if not isinstance(faults, list) or not faults or set(faults) - set(FAULTS):
        raise ValidationError(f"Step {step}: ExceptionType of a retry policy must list some of {', '.join(FAULTS)}")
    expires = _number(policy, "ExpireAfterMin", step, 0, 14400)
    # One of the two limits a policy; the default applies when it names neither.
    attempts = _number(policy, "MaxAttempts", step, 1, 20)
    if attempts is None and expires is None:
        attempts = _DEFAULT_ATTEMPTS
    interval = _number(policy, "IntervalSeconds", step, 0, 43200)
    backoff = _number(policy, "BackoffRate", step, 0, float("inf"))
    return RetryPolicy(
        faults=frozenset(faults),
        interval=1.0 if interval is None else interval,
        backoff=2.0 if backoff is None else backoff,
        attempts=None if attempts is None else int(attempts),
        expires_after=None if expires is None else expires * 60,
    )


def _number(policy: dict[str, Any], name: str, step: str, low: float, high: float) -> float | None:
    value = policy.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValidationError(f"Step {step}: {name} of a retry policy must be in {low}..{high}, got {value!r}")
    return float(value)
