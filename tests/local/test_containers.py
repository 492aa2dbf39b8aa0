"""Child processes that stand for containers: their paths, their groups, their end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator.containers import start_child, stop_child, substitute_paths
from tests.local.aws_helpers import wait_for

ROOT = Path("/jobs/a b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/opt/ml", "/jobs/a b"),
        ("/opt/ml/", "/jobs/a b/"),
        ("/opt/ml/input/data/train", "/jobs/a b/input/data/train"),
        ("cd /opt/ml/code && python -m a --x=/opt/ml/model", "cd /jobs/a b/code && python -m a --x=/jobs/a b/model"),
        ('{"path": "/opt/ml/model"}', '{"path": "/jobs/a b/model"}'),
        ("/usr/bin:/opt/ml/code", "/usr/bin:/jobs/a b/code"),
        ("file:///opt/ml/model", "file:///jobs/a b/model"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/opt/ml.bak", "/opt/ml.bak"),
        ("/opt/ml-old/x", "/opt/ml-old/x"),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
        ("/var/opt/ml", "/var/opt/ml"),
        (r"a\1/opt/ml", r"a\1/opt/ml"),
    ],
)
def test_paths(text: str, expected: str) -> None:
    assert substitute_paths(text, ROOT) == expected


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and nobody waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def start(script: str, folder: Path) -> "subprocess.Popen[bytes]":
    return start_child([sys.executable, "-c", script], environment={}, folder=folder, output=subprocess.PIPE)


def test_a_child_inherits_no_environment_and_gets_no_input(tmp_path: Path) -> None:
    child = start("import os, sys; print(sorted(set(os.environ) - {'LC_CTYPE'}), repr(sys.stdin.read()))", tmp_path)
    assert child.communicate()[0] == b"[] ''\n"


@pytest.mark.parametrize("stubborn", [False, True])
def test_what_a_child_started_ends_with_it(tmp_path: Path, stubborn: bool) -> None:
    ignoring = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    script = f"""
import signal, subprocess, sys, time
if {stubborn}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", {ignoring!r}])
print(grandchild.pid, flush=True)
time.sleep(600)
"""
    child = start(script, tmp_path)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())

    stop_child(child, seconds=0.5)

    assert child.returncode == (-signal.SIGKILL if stubborn else -signal.SIGTERM)
    wait_for(lambda: not is_running(grandchild), "the grandchild to end")
    child.stdout.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends children with their parent")
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, subprocess
from pathlib import Path
from local.emulator.containers import start_child
child = start_child(["sleep", "600"], environment={{"PATH": {os.environ["PATH"]!r}}}, folder=Path({str(tmp_path)!r}),
                    output=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""
    repository = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=repository, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)

    parent.kill()
    parent.wait()

    wait_for(lambda: not is_running(child), "the child to end")
    parent.stdout.close()
