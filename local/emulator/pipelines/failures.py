"""How a step ends other than well.

StepEnding           nobody outside the engine sees these; they become a step's status and reason
├── StepFailed       the step failed; carries the reason and, for retry policies, the kind of fault
│   ├── ExpressionError   an expression of the step has no value
│   └── JobTimedOut       the step's job ran longer than it may
└── StepStopped      the execution was stopped
"""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator.errors import EmulatorError

REASON_LIMIT = 1024

# The kinds of fault that a retry policy can name. The last two never arise on one machine.
SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
FAULTS = (SERVICE_FAULT, THROTTLING, JOB_INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)

_THROTTLING_CODES = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
}


class StepEnding(Exception):
    """Base of what ends a step other than well."""


class StepStopped(StepEnding):
    """The execution was stopped while the step ran."""


class StepFailed(StepEnding):
    """The step failed. `reason` has at most 1024 characters; `fault` is one of FAULTS, or None: never retried."""

    def __init__(self, reason: str, fault: str | None = None) -> None:
        self.reason = reason if len(reason) <= REASON_LIMIT else reason[: REASON_LIMIT - 3] + "..."
        self.fault = fault
        super().__init__(self.reason)


class ExpressionError(StepFailed):
    """An expression refers to something that has no value, or not one of the right type."""


class JobTimedOut(StepFailed):
    """The job ran longer than MaxRuntimeInSeconds. AWS calls such a job stopped, not failed; its step fails."""

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(
            f"ClientError: MaxRuntimeExceeded: the job ran longer than MaxRuntimeInSeconds ({limit_seconds:g})"
        )


@contextmanager
def aws_call(what: str) -> Iterator[None]:
    """Turn what an AWS call raises into StepFailed, with the kind of fault that a retry policy can name."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        fault = THROTTLING if code in _THROTTLING_CODES else SERVICE_FAULT if status >= 500 else None
        message = error.response.get("Error", {}).get("Message", "")
        raise StepFailed(f"ClientError: {what} failed with {code}: {message}", fault) from error
    except EmulatorError as error:
        fault = SERVICE_FAULT if error.status >= 500 else None
        raise StepFailed(f"ClientError: {what} failed with {error.code}: {error}", fault) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StepFailed(f"ClientError: {what} failed: {error}", SERVICE_FAULT) from error
