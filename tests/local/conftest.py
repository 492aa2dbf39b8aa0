"""One local AWS for all tests of this folder, with a stand-in for the model server."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws import LocalAws

REPOSITORY = Path(__file__).resolve().parents[2]
STAND_IN = Path(__file__).with_name("stand_in_model_server.py")


@pytest.fixture(scope="session")
def emulator_python() -> Path:
    """The interpreter of the emulator's environment, which `make` sets up."""
    python = Path(os.environ.get("EMULATOR_PYTHON", REPOSITORY / ".venv-emulator" / "bin" / "python"))
    if not python.exists():
        pytest.fail(f"{python} does not exist; `make test` sets the emulator's environment up")
    return python


@pytest.fixture(scope="session")
def aws(emulator_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    state = tmp_path_factory.mktemp("aws")
    local = LocalAws(
        state,
        python=emulator_python,
        job_python=Path(sys.executable),
        repository=REPOSITORY,
        model_server=STAND_IN,
    )
    with local:
        yield local
