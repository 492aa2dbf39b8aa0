"""The code that every job unpacks, `sourcedir.tar.gz`, and that of candidates' handlers: the same bytes every time.

`sourcedir.tar.gz` holds `training/` and the pure Python packages that AWS's images lack, taken from the locked
environment that runs `cdk synth`. So no job installs anything, and what ran in the tests is what runs on AWS.
"""

import gzip
import importlib.metadata
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from stacks.errors import ConfigurationError

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Distributions that are not in AWS's Hugging Face training image: bm25s, and rouge-score with what it needs. What these
# need in turn (numpy, regex, tqdm, click, joblib, six) the image has through transformers and scikit-learn. None holds
# compiled code: that would have to fit the image's machine, not the one which runs `cdk synth`.
VENDORED = ("rouge_score", "absl-py", "nltk", "bm25s")

# SageMaker's training toolkit starts a script by its name at the archive's root.
FINE_TUNE = "fine_tune_entry.py"
FINE_TUNE_CLASSIFIER = "fine_tune_classifier_entry.py"
_PROGRAMS = {FINE_TUNE: "fine_tune", FINE_TUNE_CLASSIFIER: "fine_tune_classifier"}
_PROGRAM_TEXT = '''"""Starts training/{module}.py: SageMaker's training toolkit wants a script at the root."""

import runpy

runpy.run_module("training.{module}", run_name="__main__", alter_sys=True)
'''


def write_source_archive(folder: Path) -> Path:
    """Write the archive into `folder`; return its path."""
    return _write_archive(folder / "sourcedir.tar.gz", dict(_members()))


def write_handler_archive(handler: Path, path: Path) -> Path:
    """Write the folder of a candidate's handler, as it is but for compiled Python, into the archive `path`."""
    members = {
        file.relative_to(handler).as_posix(): file.read_bytes()
        for file in handler.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    return _write_archive(path, members)


def _write_archive(path: Path, members: dict[str, bytes]) -> Path:
    """Times, owners and order are fixed: same input, same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, content in sorted(members.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(content))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return path


def _members() -> Iterator[tuple[str, bytes]]:
    for program, module in _PROGRAMS.items():
        yield program, _PROGRAM_TEXT.format(module=module).encode()
    for file in (REPOSITORY / "training").rglob("*.py"):
        yield file.relative_to(REPOSITORY).as_posix(), file.read_bytes()
    for distribution in VENDORED:
        yield from _vendored(distribution)


def _vendored(name: str) -> Iterator[tuple[str, bytes]]:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigurationError(f"{name} is not installed; run `make set-up`") from error
    files = [
        file for file in distribution.files or [] if file.suffix in (".py", ".json", ".txt") and ".." not in file.parts
    ]
    for file in files:
        # What an installer adds differs from machine to machine.
        if not file.parts[0].endswith(".dist-info"):
            yield file.as_posix(), file.read_binary()
    licences = [
        file for file in distribution.files or [] if file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))
    ]
    for file in licences:
        yield f"licences/{name}/{file.name}", file.read_binary()
