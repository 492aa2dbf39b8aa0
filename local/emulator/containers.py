"""Child processes that stand for SageMaker's containers.

A container sees its files below `/opt/ml`. A child process here sees them below a folder of its own, because mount
namespaces are not offered everywhere; so every path that it is told is substituted. Every child leads a process group
of its own, so that what it starts can be ended with it, and dies with the emulator, however that ends.
"""

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

CONTAINER_ROOT = "/opt/ml"
# `/opt/ml` as a whole path component: not the tail of a longer path or name, not the head of `/opt/mlflow`. A path in
# a `file://` URL counts.
_CONTAINER_PATH = re.compile(r"(?:(?<![\w./-])|(?<=file://))/opt/ml(?![\w.-])")
_PR_SET_PDEATHSIG = 1
STOP_SECONDS = 10.0


def substitute_paths(text: str, root: Path) -> str:
    """Replace `/opt/ml` by `root`, wherever it stands as the beginning of a path, anywhere in `text`."""
    return _CONTAINER_PATH.sub(lambda _: str(root), text)


def start_child(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, both output streams to `output`, no input.

    `environment` is complete: nothing of the emulator's own environment is inherited.
    On Linux the kernel kills the child when the thread that started it ends, so that an emulator that is killed
    leaves nothing behind. That is bound to the thread: call this from one that outlives the child.
    """
    return subprocess.Popen(
        list(argv),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Not a session of its own: whoever started the emulator in one finds everything by it.
        process_group=0,
        preexec_fn=_die_with_parent(),
    )


def stop_child(process: "subprocess.Popen[bytes]", seconds: float = STOP_SECONDS) -> None:
    """End a child and its whole process group: SIGTERM, after `seconds` SIGKILL; then wait for it."""
    _signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    # Also after a leader that ended in time: what it started may still be there.
    _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # The whole group is gone already.
    except PermissionError:
        return  # macOS answers so for a group that holds nothing but ended processes.


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent died between fork and here: nobody would send the signal.
            os._exit(1)

    return prepare
