"""Where uploaded files lie, and what that makes of them: train/..., reviewed/... and eval/<set>/... ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class UploadedFile:
    """`set_name` is its evaluation set, None for training data; of that, what is `reviewed` was judged by a person."""

    path: Path
    set_name: str | None = None
    reviewed: bool = False


def uploaded_files(uploads: Path, warnings: list[str]) -> Iterator[UploadedFile]:
    """Every file by its name; at the end a warning is added of those that lie where nobody looks."""
    misplaced = 0
    for path in sorted(uploads.rglob("*")):
        if not path.is_file():
            continue
        match path.relative_to(uploads).parts:
            case ["train" | "reviewed" as folder, _, *_]:
                yield UploadedFile(path, reviewed=folder == "reviewed")
            case ["eval", name, _, *_] if _SET_NAME.fullmatch(name):
                yield UploadedFile(path, set_name=name)
            case _:
                misplaced += 1
    if misplaced:
        warnings.append(
            f"{misplaced} uploaded files lie neither under train/ or reviewed/ nor under eval/<set>/ and were not read "
            "(a set's name has up to 64 letters, digits, dots, dashes and underscores)"
        )
