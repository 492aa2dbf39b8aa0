"""Set-up: what was made is not made again, and what is broken, half done or outdated is."""

import subprocess
import sys
from pathlib import Path

import pytest

from local import set_up
from local.set_up import Part


def _part(tmp_path: Path, made: list[str]) -> Part:
    source = tmp_path / "requirements.txt"
    source.touch()

    def make(folder: Path) -> None:
        folder.mkdir()
        made.append(source.read_text())

    return Part("a part", tmp_path / "made", (source,), make)


def test_a_part_is_made_once_and_again_when_its_sources_change(tmp_path: Path) -> None:
    made: list[str] = []
    part = _part(tmp_path, made)
    assert not part.is_made()
    set_up._make(part)
    assert part.is_made()
    (tmp_path / "requirements.txt").write_text("more")
    assert not part.is_made()
    set_up._make(part)
    assert part.is_made()
    assert made == ["", "more"]


def test_a_half_made_part_is_made_again_from_nothing(tmp_path: Path) -> None:
    made: list[str] = []
    part = _part(tmp_path, made)
    part.folder.mkdir()
    (part.folder / "half").touch()
    assert not part.is_made()
    set_up._make(part)
    assert part.is_made()
    assert not (part.folder / "half").exists()


def test_an_environment_is_made_anew_by_the_python_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Makefile puts the environment first in the path, so after the first time that is the Python that runs."""
    monkeypatch.setattr(set_up, "LOG", tmp_path / "log" / "set-up.log")
    folder = tmp_path / "environment"
    set_up._venv(folder)
    program = (
        "import shutil, pathlib; from local import set_up; "
        f"set_up.LOG = pathlib.Path({str(set_up.LOG)!r}); folder = pathlib.Path({str(folder)!r}); "
        "shutil.rmtree(folder); set_up._venv(folder)"
    )
    subprocess.run([folder / "bin" / "python", "-c", program], cwd=set_up.REPOSITORY, check=True)
    version = subprocess.run([folder / "bin" / "python", "-V"], check=True, capture_output=True, text=True).stdout
    assert version == f"Python {sys.version.split()[0]}\n"
