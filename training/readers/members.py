"""What zip and tar readers share: a member's content, bounded, and which names are refused."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from training.readers.upload import UnsafeArchiveError
from training.records import printable
from training.text_lines import HEAD_BYTES

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of an archive. `data` is all of it, or the head where `size` (bytes) and `sha256` are there.

    `problem` says why the content cannot be used at all (a damaged member).
    """

    name: str
    data: bytes
    problem: str = ""
    size: int | None = None
    sha256: str | None = None


def check_name(archive: str, name: str) -> None:
    """Refuse names that lead out of the archive. Nothing is ever unpacked to disk, so such an archive could do no
    harm here; but nobody packs one by accident, and its content is not to be trusted.

    Raises:
        UnsafeArchiveError
    """
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or _DRIVE.match(name) or "\0" in name:
        raise UnsafeArchiveError(
            f"{archive}: member {printable(name)[:100]} has a path that leads out of the archive; pack it again"
        )


def check_regular(archive: str, name: str, regular: bool) -> None:
    """Refuse everything that is neither a regular file nor a folder: links, devices, pipes.

    Raises:
        UnsafeArchiveError
    """
    if not regular:
        raise UnsafeArchiveError(
            f"{archive}: member {printable(name)[:100]} is a link or a device; pack regular files only"
        )


def hashed(name: str, chunks: Iterable[bytes]) -> Member:
    """A member too long to keep: its head, size and SHA-256, read piece by piece."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        head += chunk[: HEAD_BYTES - len(head)]
        digest.update(chunk)
        size += len(chunk)
    return Member(name, head, size=size, sha256=digest.hexdigest())
