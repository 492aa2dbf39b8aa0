"""The folder that stands for a container's file system while its job runs, and is gone afterwards."""

import json
import logging
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from local.emulator.containers import CONTAINER_ROOT, substitute_paths
from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.settings import EngineSettings

logger = logging.getLogger(__name__)
_SYSTEM_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"


class JobFolder:
    """`ml` stands for /opt/ml, `home` for the user's home, `scratch` for /tmp, `programs` comes first on PATH."""

    def __init__(self, root: Path, name: str) -> None:
        self.path = root / name
        self.ml = self.path / "ml"
        self.home = self.path / "home"
        self.scratch = self.path / "tmp"
        self.programs = self.path / "bin"

    def create(self, python: Path) -> None:
        """Make the folder, readable for this user alone, with `python` and `python3` that start `python`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)
        for folder in (self.ml, self.home, self.scratch, self.programs):
            folder.mkdir()
        for name in ("python", "python3"):
            # A script, not a link: behind a link an interpreter does not find its virtual environment.
            program = self.programs / name
            program.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n', encoding="utf-8")
            program.chmod(0o755)

    def remove(self) -> None:
        """Remove everything. What cannot be removed is reported: it may hold clinical text."""
        try:
            _make_writable(self.path)
            shutil.rmtree(self.path)
        except OSError as error:
            logger.error("Job folder %s could not be removed (%s); remove it by hand", self.path, error.strerror)

    def inside(self, container_path: str) -> Path:
        """The place of a path below /opt/ml. Raises StepFailed for any other path."""
        path = PurePosixPath(container_path)
        if not path.is_relative_to(CONTAINER_ROOT) or ".." in path.parts:
            raise StepFailed(f"ClientError: path {container_path!r} must lie below {CONTAINER_ROOT}")
        return self.ml / path.relative_to(CONTAINER_ROOT)

    def substitute(self, value: Any) -> Any:
        """`value` with /opt/ml in every text of it, however deep, replaced by the place that stands for it."""
        if isinstance(value, str):
            return substitute_paths(value, self.ml)
        if isinstance(value, Mapping):
            return {key: self.substitute(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.substitute(item) for item in value]
        return value

    def write_json(self, path: str, value: Any) -> None:
        """Write a configuration file of the container contract, its paths substituted."""
        target = self.inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(self.substitute(value), default=str), encoding="utf-8")

    def read_message(self, path: str) -> str | None:
        """What a job left as its message: at most 1 KiB of UTF-8; None if it left none.

        Raises:
            StepFailed: the file is not UTF-8 text.
        """
        target = self.inside(path)
        if not target.is_file():
            return None
        with target.open("rb") as file:
            content = file.read(1025)
        try:
            # A character cut in two by the limit is not an error of the job.
            return content[:1024].decode("utf-8", "ignore" if len(content) > 1024 else "strict").strip() or None
        except UnicodeDecodeError:  # The error quotes the bytes, so it is not chained.
            raise StepFailed(f"ClientError: {path} is not UTF-8 text") from None

    def environment(self, settings: EngineSettings, container: Mapping[str, str]) -> dict[str, str]:
        """The complete environment of the job's process, of which nothing is this process's own.

        `container` is what the request and the container contract say; it wins.
        """
        return {
            # Beside the interpreter lie the programs that AWS's images offer too, such as torchrun.
            "PATH": os.pathsep.join((str(self.programs), str(settings.python.parent), _SYSTEM_PROGRAMS)),
            "LANG": "C.UTF-8",
            # As in AWS's images: lines come as they are printed, no bytecode beside the code.
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **settings.job_environment,
            "HOME": str(self.home),
            "TMPDIR": str(self.scratch),
            **{name: substitute_paths(value, self.ml) for name, value in container.items()},
        }


def _make_writable(folder: Path) -> None:
    """A job may leave folders without write permission; their owner can still remove them."""
    folder.chmod(stat.S_IRWXU)
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            _make_writable(child)
