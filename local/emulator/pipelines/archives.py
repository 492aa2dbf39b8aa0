"""The archives that a training job leaves: its model and its other output."""

import gzip
import tarfile
from pathlib import Path


def write_archive(folder: Path, archive: Path) -> None:
    """A .tar.gz of what `folder` holds: the same bytes for the same files.

    Level 1: weights hardly get smaller at any level, and the higher ones take minutes for them.
    """
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member
