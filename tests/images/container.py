"""A place like the inside of SageMaker's containers: a process that sees its own /opt/ml, by a mount namespace.

No Docker is needed, but Linux must let us make the namespace; `missing` says what is not there.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = REPOSITORY / ".venv-images"
# `--map-root-user` lets somebody who is not root mount things in a namespace of their own.
_UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
_ENTER = 'mount -t tmpfs tmpfs /opt && mkdir /opt/ml && mount --bind "$0" /opt/ml && exec "$@"'


def missing(*, java: bool = False) -> str | None:
    """What keeps a test of this folder from running here; None if nothing does."""
    if not (ENVIRONMENT / "bin" / "train").is_file():
        return "AWS's container software is not installed (local/set_up.py says why)"
    if java and shutil.which("java") is None:
        return "there is no Java, in which Multi Model Server is written"
    if not Path("/opt").is_dir() or Path(sys.base_prefix).is_relative_to("/opt"):
        return "Python lies in /opt, where the container's own folder must be"
    if shutil.which("unshare") is None:
        return "there is no unshare (util-linux)"
    entered = subprocess.run([*_UNSHARE, "sh", "-c", _ENTER, "/tmp", "true"], check=False, capture_output=True)
    return None if entered.returncode == 0 else "mount namespaces are not allowed here"


def start(
    ml: Path, command: Sequence[str], environment: Mapping[str, str], output: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a command that sees the folder `ml` as /opt/ml, in a process group of its own."""
    return subprocess.Popen(
        [*_UNSHARE, "sh", "-c", _ENTER, str(ml), *command],
        env={
            "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(ml),
            "LANG": "C.UTF-8",
            "OMP_WAIT_POLICY": "PASSIVE",
            **environment,
        },
        cwd=ml,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End everything that was started with it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
