"""Unpacking archives: files and folders come out, and nothing lands anywhere else."""

import io
import tarfile
from pathlib import Path

import pytest

from training.archives import UnsafeMemberError, unpack


def _archive(*members: tarfile.TarInfo) -> tarfile.TarFile:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return tarfile.open(fileobj=io.BytesIO(written.getvalue()))


def _member(
    name: str, *, kind: bytes = tarfile.REGTYPE, size: int = 0, mode: int = 0o644, to: str = ""
) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.mode, member.linkname = kind, size, mode, to
    member.uid = member.gid = 12345
    return member


def test_files_and_folders_come_out_as_this_users_own(tmp_path: Path) -> None:
    members = [
        _member("empty", kind=tarfile.DIRTYPE),
        _member("./deep/er/model.bin", size=3_000_000),
        _member("run.sh", size=1, mode=0o6755),
    ]
    with _archive(*members) as tar:
        unpack(tar, tmp_path)
    assert (tmp_path / "empty").is_dir()
    assert (tmp_path / "deep" / "er" / "model.bin").read_bytes() == b"x" * 3_000_000
    assert not (tmp_path / "deep" / "er" / "model.bin").stat().st_mode & 0o111
    program = (tmp_path / "run.sh").stat()
    assert program.st_mode & 0o7111 == 0o111
    assert program.st_uid == tmp_path.stat().st_uid


@pytest.mark.parametrize(
    "member",
    [
        _member("../outside", size=1),
        _member("inside/../../outside", size=1),
        _member("/outside", size=1),
        _member("link", kind=tarfile.SYMTYPE, to="/etc/passwd"),
        _member("link", kind=tarfile.LNKTYPE, to="../outside"),
        _member("pipe", kind=tarfile.FIFOTYPE),
    ],
    ids=["parent", "hidden parent", "absolute", "symbolic link", "hard link", "pipe"],
)
def test_what_could_reach_outside_is_refused_by_name(tmp_path: Path, member: tarfile.TarInfo) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with _archive(_member("first", size=1), member) as tar, pytest.raises(UnsafeMemberError, match=member.name):
        unpack(tar, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "first"]
