"""One container's process: started, watched, ended."""

import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from local.emulator.containers import start_child, stop_child
from local.emulator.pipelines.failures import JOB_INTERNAL_ERROR, StepFailed, StepStopped
from local.emulator.pipelines.job_log import JobLog

# Between two looks at a process: far below what a person notices, far above what costs anything.
_LOOK_SECONDS = 0.05
# Set when the execution that a job belongs to is stopped.
Stop = threading.Event


class Ending(Enum):
    """How a process ended."""

    EXITED = "exited"
    KILLED = "killed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Result:
    """`code` is the exit code (0..255), or for a process that a signal ended, the signal's negative number."""

    ending: Ending
    code: int


def run_container(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: JobLog,
    stop: Stop,
    limit_seconds: float,
    stop_seconds: float,
) -> Result:
    """Run `command` in `folder` until it ends, is told to stop, or has run for `limit_seconds`.

    Whatever it started ends with it, as in a container. This thread stays until then: the kernel ends the process
    with the thread that started it.

    Raises:
        StepFailed: the command cannot be started.
    """
    try:
        process = start_child(command, environment=environment, folder=folder, output=log.output)
    except OSError as error:
        raise StepFailed(f"AlgorithmError: {command[0]} cannot be started: {error.strerror}") from error
    log.close_output()
    try:
        ending = _watch(process, stop, time.monotonic() + limit_seconds)
    finally:
        # Also after a process that ended by itself: what it started may still be there.
        stop_child(process, stop_seconds)
    if ending is Ending.EXITED and process.returncode < 0:
        ending = Ending.KILLED
    return Result(ending, process.returncode)


def _watch(process: "subprocess.Popen[bytes]", stop: Stop, deadline: float) -> Ending:
    while process.poll() is None:
        if stop.wait(_LOOK_SECONDS):
            return Ending.STOPPED
        if time.monotonic() > deadline:
            return Ending.TIMED_OUT
    return Ending.EXITED


def check_result(result: Result, message: str | None) -> None:
    """Raise what a result other than success means. A time-out is for the caller: kinds of jobs differ in it.

    `message` is what the job left as its reason. A process that ended by a signal that the engine did not send was
    killed by the machine (most often for want of memory): a fault that a retry policy can name.
    """
    if result.ending is Ending.STOPPED:
        raise StepStopped("the execution was stopped")
    if result.ending is Ending.KILLED:
        name = signal.Signals(-result.code).name
        raise StepFailed(
            "InternalServerError: We encountered an internal error. Please try again. "
            f"(The job's process was ended by {name}.)",
            JOB_INTERNAL_ERROR,
        )
    if result.ending is Ending.EXITED and result.code != 0:
        tail = f", exit code: {result.code}"
        reason = message or "See job logs for more information"
        raise StepFailed(f"AlgorithmError: {reason[: 1024 - len(tail) - 16]}{tail}")
