"""Network isolation: a job with EnableNetworkIsolation runs where there is no network, if this machine can do that."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

_LOOPBACK = Path(__file__).with_name("loopback.py")
_PROBE_SECONDS = 20


@functools.cache
def isolation_prefix(python: Path) -> tuple[str, ...] | None:
    """What to put before a command so that it runs without network; None where this machine cannot.

    Linux lets root make a network namespace, and on many systems everyone within a user namespace. Tried once for
    each `python`, by running a command that way.
    """
    unshare = shutil.which("unshare")
    if not sys.platform.startswith("linux") or unshare is None:
        return None
    for user in ((), ("--user", "--map-root-user")):
        prefix = (unshare, *user, "--net", "--", str(python), "-I", str(_LOOPBACK))
        if _runs((*prefix, "true")):
            return prefix
    return None


def _runs(command: tuple[str, ...]) -> bool:
    try:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0
