"""One uploaded file, as every reader gets it, and the limits that keep a hostile or broken one harmless."""

from dataclasses import dataclass, field
from pathlib import Path

from training.errors import ArgumentError, UnreadableFileError
from training.labels import Labels
from training.records import printable

MIB = 1024**2


class UnsafeArchiveError(UnreadableFileError):
    """An archive reaches outside itself, holds links or devices, or unpacks to far more than it says or may."""


@dataclass(frozen=True)
class Limits:
    """What a file may ask of memory and disk.

    `record_bytes` bounds one line, one CSV row and one report of an archive. `archive_bytes` bounds what one
    compressed file unpacks to; `ratio` bounds how many times larger than itself a compressed file, or a member of
    a zip, may unpack (judged above `ratio_floor` bytes: a short text of few words may well shrink a hundredfold).
    """

    record_bytes: int = MIB
    archive_bytes: int = 16 * 1024 * MIB
    ratio: int = 200
    ratio_floor: int = 4 * MIB

    def __post_init__(self) -> None:
        for name in ("record_bytes", "archive_bytes", "ratio", "ratio_floor"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"limit {name} must be >= 1, got {getattr(self, name)}")

    def check_unpacked(self, name: str, packed: int, unpacked: int) -> None:
        """Raises UnsafeArchiveError when `packed` bytes became more than `unpacked` bytes may be."""
        if unpacked > self.archive_bytes:
            raise UnsafeArchiveError(
                f"{name}: unpacks to more than {self.archive_bytes} bytes; split it into smaller files"
            )
        if unpacked > self.ratio_floor and unpacked > self.ratio * max(packed, 1):
            raise UnsafeArchiveError(
                f"{name}: unpacks to more than {self.ratio} times its size, as a decompression bomb does; "
                "nothing of it was kept"
            )


@dataclass
class Upload:
    """One uploaded file.

    `name` is its path below the uploads folder, with forward slashes, safe to print. `pairs` are the names that the
    input and target fields may have, first wins. `labels` are what a target may be, None where it is free text.
    `warnings` collects what a reader wants said about this file.
    """

    path: Path
    name: str
    pairs: tuple[tuple[str, str], ...]
    limits: Limits = field(default_factory=Limits)
    labels: Labels | None = None
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = printable(self.name)
