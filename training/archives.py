"""Unpacking a tar archive that somebody else may have made.

`tarfile`'s own extraction filters are not in every Python that this project runs on (3.11.4 brought them to 3.11).
"""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

_CHUNK = 1024 * 1024


class UnsafeMemberError(tarfile.TarError):
    """A member is neither a file nor a folder, or its name leads out of the archive."""


def unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the archive's files below `folder`, as this user's own and with no other right than to be executed.

    Links are refused: what they lead to is the archive's choice.

    Raises:
        UnsafeMemberError: names the member; the ones before it are written.
        tarfile.TarError, EOFError, OSError: the archive is broken.
    """
    for member in tar:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            raise UnsafeMemberError(f"the member {member.name!r} leaves the archive")
        target = folder / name
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise UnsafeMemberError(f"the member {member.name!r} is neither a file nor a folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
        if member.mode & 0o100:
            target.chmod(target.stat().st_mode | 0o111)
