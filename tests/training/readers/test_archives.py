import gzip
import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc
import zipfile

import pytest

from tests.training.prepared_uploads import mimic_report, openi_report, tgz_of, zip_of
from training.errors import UnreadableFileError
from training.readers import read_upload
from training.readers.tar_members import tar_members
from training.readers.upload import Limits, UnsafeArchiveError
from training.readers.zip_members import zip_members
from training.records import Kind, Place

PATH = "files/p10/p10000032/s{}.txt"


def test_mimic_zip(read):
    members = {PATH.format(n): mimic_report(n) for n in range(3)} | {"files/p10/p10000033/s9.txt": mimic_report(9)}
    records, aside = read("reports.zip", zip_of(members))
    assert aside == []
    assert (records[0].input, records[0].target) == ("Lungs are clear in study 0.", "Nothing acute in study 0.")
    assert [r.patient for r in records] == ["p10000032"] * 3 + ["p10000033"]
    assert records[0].place == Place(member="files/p10/p10000032/s0.txt")


def test_openi_tgz_and_zip(read):
    members = {
        f"ecgen-radiology/{n}.xml": openi_report(n, h) for n, h in enumerate(("normal", "Opacity/lung", "No Indexing"))
    }
    for name, content in (("reports.tgz", tgz_of(members)), ("r.tar.gz", tgz_of(members)), ("r.zip", zip_of(members))):
        records, aside = read(name, content)
        assert aside == []
        assert [(r.normal, r.patient) for r in records] == [(True, None), (False, None), (None, None)]
        assert records[0].input == "Heart size is normal & study 0 is XXXX."


def test_a_report_without_a_section_is_incomplete(read):
    xml = openi_report(1).replace(b"FINDINGS", b"INDICATION")
    records, aside = read("r.zip", zip_of({"1.xml": xml, "2.txt": b"IMPRESSION: x", "3.txt": b" "}))
    assert records == []
    assert [(i.kind, i.reason) for i in aside] == [
        (Kind.INCOMPLETE, "no findings section"),
        (Kind.INCOMPLETE, "no findings section"),
        (Kind.INCOMPLETE, "empty report"),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<open", "not XML"),
        (b"<html>words</html>", "not an Open-i report"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "XML with a document type"),
    ],
)
def test_other_xml_is_malformed(read, data, reason):
    _, (bad,) = read("r.zip", zip_of({"1.xml": data}))
    assert (bad.kind, bad.reason, bad.content) == (Kind.MALFORMED, reason, data)


def test_other_members_are_ignored_with_a_warning_and_archives_inside_are_not_opened(upload):
    members = {
        "a.txt": mimic_report(1),
        "b.csv": b"x",
        "c.zip": zip_of({"d.txt": mimic_report(2)}),
        "__MACOSX/._a.txt": b"x",
    }
    file = upload("r.zip", zip_of(members))
    assert len(list(read_upload(file))) == 1
    assert file.warnings == [
        "holds 1 archives, which were not opened; unpack and upload them themselves",
        "holds 1 members that are neither .txt nor .xml; they were ignored",
    ]


def test_an_archive_without_reports_is_refused(read):
    with pytest.raises(UnreadableFileError, match="holds no report"):
        read("r.zip", zip_of({"a.jsonl": b'{"findings": "x", "impression": "y"}'}))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.txt", "/etc/a.txt", "C:\\a.txt", "a\\..\\..\\b.txt", "ok/../../a.txt"]
)
@pytest.mark.parametrize("pack", [zip_of, tgz_of])
def test_a_path_out_of_the_archive_is_refused(read, pack, name):
    content = pack({"good.txt": mimic_report(1), name: mimic_report(2)})
    with pytest.raises(UnsafeArchiveError, match=r"bad\.x: member .* leads out of the archive"):
        read("bad.x", content)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(read, kind):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.txt")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(UnsafeArchiveError, match="link or a device"):
        read("r.tgz", content.getvalue())


def test_a_link_in_a_zip_is_refused(read):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UnsafeArchiveError, match="link or a device"):
        read("r.zip", content.getvalue())


@pytest.mark.parametrize("pack", [zip_of, tgz_of])
def test_a_thousandfold_bomb_is_refused(read, pack):
    content = pack({"good.txt": mimic_report(1), "bomb.txt": b" " * 50_000_000})
    assert len(content) < 60_000
    with pytest.raises(UnsafeArchiveError, match="times its size"):
        read("bomb.x", content)


def test_what_an_archive_unpacks_to_is_bounded(read):
    members = {f"{n}.txt": os.urandom(1000) for n in range(5)}
    for pack in (zip_of, tgz_of):
        with pytest.raises(UnsafeArchiveError, match="more than 4000 bytes"):
            read("r.x", pack(members), Limits(archive_bytes=4000))


def test_a_member_that_lies_about_its_size_is_damaged_or_unsafe(read):
    content = bytearray(zip_of({"a.txt": b"FINDINGS: x " * 1000, "b.txt": mimic_report(2)}))
    directory = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))
    content[directory + 24 : directory + 28] = (5).to_bytes(4, "little")
    with pytest.raises(UnsafeArchiveError, match="more than its stated size"):
        read("r.zip", bytes(content))


def test_a_damaged_member_is_malformed_and_the_others_are_read(read):
    content = bytearray(zip_of({"a.txt": mimic_report(1), "b.txt": mimic_report(2)}, zipfile.ZIP_STORED))
    at = content.index(b"study 1")
    content[at] ^= 0xFF
    records, (bad,) = read("r.zip", bytes(content))
    assert [r.target for r in records] == ["Nothing acute in study 2."]
    assert (bad.kind, bad.reason, bad.place) == (Kind.MALFORMED, "damaged member", Place(member="a.txt"))


@pytest.mark.parametrize("pack", [zip_of, tgz_of])
def test_a_member_that_is_too_long_leaves_its_head(read, pack):
    long = os.urandom(5000)
    records, (bad,) = read("r.x", pack({"a.txt": long, "b.txt": mimic_report(2)}), Limits(record_bytes=4500))
    assert len(records) == 1
    assert (bad.reason, bad.size, bad.content) == ("longer than the limit", 5000, long[:4096])


@pytest.mark.parametrize("pack", [zip_of, tgz_of])
def test_an_archive_that_is_cut_short_is_refused(read, pack):
    content = pack({f"{n}.txt": os.urandom(2000) for n in range(20)})
    with pytest.raises(UnreadableFileError, match="upload it again"):
        read("r.x", content[: len(content) // 2])


def test_an_encrypted_zip_is_refused(read):
    content = bytearray(zip_of({"a.txt": mimic_report(1)}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFileError, match="encrypted"):
        read("r.zip", bytes(content))


def test_zip_members_agrees_with_zipfile(tmp_path):
    path = tmp_path / "r.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"a comment"
        archive.writestr("folder/", b"")
        archive.writestr("folder/stored.txt", b"stored", zipfile.ZIP_STORED)
        archive.writestr("größe.txt", os.urandom(200_000))
        archive.writestr("empty.txt", b"")
        with archive.open("zip64.txt", "w", force_zip64=True) as member:
            member.write(b"large")
    path.write_bytes(b"#!/bin/sh a program before the archive\n" + path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        expected = [(i.filename, archive.read(i)) for i in archive.infolist() if not i.is_dir()]
    assert [(m.name, m.data) for m in zip_members(path, "r.zip", Limits())] == expected


def test_zip64_sizes_and_end_records(tmp_path, monkeypatch):
    # With these limits lowered, zipfile writes every size and offset as it does beyond 4 GiB or 65,535 members.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "r.zip"
    path.write_bytes(zip_of({f"{n}.txt": b"some words " * (n + 1) for n in range(3)}))
    assert b"PK\x06\x06" in path.read_bytes()
    assert [(m.name, m.data) for m in zip_members(path, "r.zip", Limits())] == [
        (f"{n}.txt", b"some words " * (n + 1)) for n in range(3)
    ]


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP's zip is not installed")
def test_a_zip_written_by_info_zip(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"words " * 100)
    subprocess.run(["zip", "-q", "r.zip", "a.txt"], cwd=tmp_path, check=True)
    assert [m.data for m in zip_members(tmp_path / "r.zip", "r.zip", Limits())] == [b"words " * 100]


def zip_stream(content, path):
    path.write_bytes(zip_of(content))
    return zip_members(path, "r.zip", Limits())


def tar_stream(content, path):
    return tar_members(io.BytesIO(gzip.decompress(tgz_of(content))), "r.tar", Limits())


@pytest.mark.parametrize("stream", [zip_stream, tar_stream])
def test_memory_does_not_grow_with_the_number_of_members(tmp_path, stream):
    count = 2000
    members = stream({f"files/p10/p10000032/s{n}.txt": b"words" for n in range(count)}, tmp_path / "r.x")
    next(members)
    tracemalloc.start()
    try:
        assert sum(1 for _ in members) == count - 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 300 * 1024
