"""A ministack that is not the one this was written against is one clear error."""

import subprocess
from pathlib import Path

import pytest

from tests.local.conftest import REPOSITORY

CHECK = "from local.emulator import ministack_hooks; ministack_hooks.check_ministack()"


def check(emulator_python: Path, before: str) -> "subprocess.CompletedProcess[str]":
    script = f"{before}\n{CHECK}"
    environment = {"PYTHONPATH": str(REPOSITORY), "LOG_LEVEL": "ERROR"}
    return subprocess.run(
        [str(emulator_python), "-c", script], env=environment, capture_output=True, text=True, check=False
    )


def test_the_one_that_is_installed_fits(emulator_python: Path) -> None:
    answer = check(emulator_python, "")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (
            "import importlib.metadata as m; m.version = lambda name: '1.5.34'",
            "ministack 1.5.34 is installed, 1.5.33 is needed",
        ),
        (
            "import ministack.services.athena as a; del a._datum_text",
            "lacks ministack.services.athena._datum_text",
        ),
    ],
)
def test_another_one_is_named(emulator_python: Path, before: str, message: str) -> None:
    answer = check(emulator_python, before)
    assert answer.returncode != 0
    assert message in answer.stderr
    assert "MinistackMismatch" in answer.stderr
