"""Retries: which ends of a step lead to another attempt, and how many."""

from typing import Any

import pytest

from local.emulator.pipelines.retries import Retries, parse_policies
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import pipeline, processing
from tests.local.pipelines.doubles import client_error

# Counts its attempts in a file, and ends as told unless this is attempt number argv[2].
COUNT = """
    import os, pathlib, signal, sys
    file = pathlib.Path(sys.argv[1])
    attempt = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(attempt))
    if attempt < int(sys.argv[2]):
        END
"""
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"


def policy(*faults: str, **limits: Any) -> dict[str, Any]:
    return {"ExceptionType": list(faults), "IntervalSeconds": 0, "BackoffRate": 1.0, "MaxAttempts": 2, **limits}


def run(emulator: Emulator, end: str, succeeds_at: int, *policies: dict[str, Any]) -> str:
    arguments = [str(emulator.root.parent / "attempts"), str(succeeds_at)]
    step = processing("Fragile", COUNT.replace("END", end), arguments=arguments, step={"RetryPolicies": list(policies)})
    return emulator.run(pipeline(step))


def attempts(emulator: Emulator, arn: str) -> int:
    count = int(emulator.steps(arn)["Fragile"]["AttemptCount"])
    assert len(emulator.engine.list_processing_jobs()) == count
    return count


def test_a_job_that_the_machine_killed_runs_again(emulator: Emulator) -> None:
    arn = run(emulator, KILLED, 3, policy("SageMaker.JOB_INTERNAL_ERROR"))
    assert emulator.status(arn) == "Succeeded"
    assert attempts(emulator, arn) == 3
    assert "FailureReason" not in emulator.steps(arn)["Fragile"]
    first = emulator.engine.list_processing_jobs()[0]
    assert first["FailureReason"].startswith("InternalServerError: We encountered an internal error.")
    assert "SIGKILL" in first["FailureReason"]


def test_max_attempts_counts_retries(emulator: Emulator) -> None:
    arn = run(emulator, KILLED, 9, policy("SageMaker.JOB_INTERNAL_ERROR", MaxAttempts=1))
    assert emulator.status(arn) == "Failed"
    assert attempts(emulator, arn) == 2


@pytest.mark.parametrize(
    ("end", "policies"),
    [
        # The job's own failure is no fault of the machine.
        ("raise SystemExit(1)", [policy("SageMaker.JOB_INTERNAL_ERROR", "Step.SERVICE_FAULT")]),
        (KILLED, [policy("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT", "Step.THROTTLING")]),
        (KILLED, []),
        (KILLED, [policy("SageMaker.JOB_INTERNAL_ERROR", IntervalSeconds=120, MaxAttempts=None, ExpireAfterMin=1)]),
    ],
)
def test_what_does_not_run_again(emulator: Emulator, end: str, policies: list[dict[str, Any]]) -> None:
    arn = run(emulator, end, 2, *policies)
    assert emulator.status(arn) == "Failed"
    assert attempts(emulator, arn) == 1


@pytest.mark.parametrize(
    ("code", "status", "fault"),
    [("ThrottlingException", 400, "Step.THROTTLING"), ("InternalError", 500, "Step.SERVICE_FAULT")],
)
def test_faults_of_a_service_are_told_apart(emulator: Emulator, code: str, status: int, fault: str) -> None:
    answers: list[Any] = [client_error("CreateModelPackage", code, status), "arn:of:the:package"]

    def answer() -> str:
        first = answers.pop(0)
        if isinstance(first, Exception):
            raise first
        return str(first)

    emulator.registry_answer = answer
    step = {"Name": "Register", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "group"}}
    arn = emulator.run(pipeline({**step, "RetryPolicies": [policy(fault)]}))
    assert emulator.status(arn) == "Succeeded"
    assert emulator.steps(arn)["Register"]["AttemptCount"] == 2
    answers[:] = [client_error("CreateModelPackage", "ValidationException")]
    assert emulator.status(emulator.run(pipeline({**step, "RetryPolicies": [policy(fault)]}))) == "Failed"


def test_intervals_grow_and_end() -> None:
    given = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 30, "BackoffRate": 2.0, "MaxAttempts": 3}
    retries = Retries(parse_policies([given], "Step"))
    assert [retries.wait_before_retry("Step.THROTTLING", 0) for _ in range(4)] == [30, 60, 120, None]


def test_defaults_are_awss() -> None:
    (parsed,) = parse_policies([{"ExceptionType": ["Step.THROTTLING"]}], "Step")
    assert (parsed.interval, parsed.backoff, parsed.attempts, parsed.expires_after) == (1, 2, 5, None)


def test_a_policy_expires() -> None:
    given = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 60, "BackoffRate": 1.0, "ExpireAfterMin": 10}
    retries = Retries(parse_policies([given], "Step"))
    assert retries.wait_before_retry("Step.THROTTLING", 9 * 60) == 60
    assert retries.wait_before_retry("Step.THROTTLING", 9 * 60 + 1) is None


def test_each_policy_counts_for_itself() -> None:
    policies = [policy("Step.THROTTLING", MaxAttempts=1), policy("Step.SERVICE_FAULT", MaxAttempts=1)]
    retries = Retries(parse_policies(policies, "Step"))
    waits = [retries.wait_before_retry(f"Step.{fault}", 0) for fault in ("THROTTLING", "SERVICE_FAULT", "THROTTLING")]
    assert waits == [0, 0, None]
