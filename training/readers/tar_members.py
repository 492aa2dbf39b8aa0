"""Members of a tar, packed with gzip or not, in one pass from start to end."""

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from training.errors import UnreadableFileError
from training.readers.members import Member, check_name, check_regular, hashed
from training.readers.upload import Limits

_CHUNK = 64 * 1024


def tar_members(stream: BinaryIO, name: str, limits: Limits) -> Iterator[Member]:
    """Yield the regular files of the tar in `stream`, which messages call `name`.

    A tar has no table of its members, so an unsafe one is found only when it is met.

    Raises:
        UnsafeArchiveError: a member's path or kind is not one that an honest archive has.
        UnreadableFileError: this is no tar, or it is cut short.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            while (info := archive.next()) is not None:
                # tarfile remembers every member that it has passed; nothing here asks for one again.
                archive.members.clear()  # type: ignore[attr-defined]  # public, but not in the type stubs
                check_name(name, info.name)
                # A sparse file states a size that its content need not have.
                check_regular(name, info.name, (info.isfile() or info.isdir()) and not info.issparse())
                if not info.isdir():
                    yield _read(archive, info, limits)
    except tarfile.TarError as error:
        raise UnreadableFileError(f"{name}: is not a whole tar file; upload it again") from error


def _read(archive: tarfile.TarFile, info: tarfile.TarInfo, limits: Limits) -> Member:
    content = archive.extractfile(info)
    if content is None:
        return Member(info.name, b"", "damaged member")
    if info.size > limits.record_bytes:
        return hashed(info.name, iter(lambda: content.read(_CHUNK), b""))
    return Member(info.name, content.read())
