"""Reports in an archive: free text (`.txt`, as MIMIC-CXR) and XML (`.xml`, as Open-i), one report a member."""

import codecs
import re
from collections.abc import Iterator

from training.errors import UnreadableFileError
from training.readers.members import Member
from training.readers.openi_report import read_openi_report
from training.readers.report_sections import findings_and_impression
from training.readers.upload import Upload
from training.records import Kind, Place, Record, SetAside, incomplete, malformed, printable
from training.text_lines import TOO_LONG

# MIMIC-CXR: files/p10/p10000032/s50414267.txt; the folder p10000032 is the patient.
_PATIENT_FOLDER = re.compile(r"p\d{8}")
_NESTED = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z")


def read_archive(upload: Upload, members: Iterator[Member]) -> Iterator[Record | SetAside]:
    """Yield a record or what was set aside for each report among `members`; warn of what else there is.

    Raises:
        UnreadableFileError: no member is a report.
    """
    reports = ignored = nested = 0
    for member in members:
        *folders, file_name = member.name.split("/")
        suffix = f".{file_name.rpartition('.')[2].lower()}"
        if file_name.startswith(".") or "__MACOSX" in folders:
            continue
        if suffix in _NESTED:
            nested += 1
        elif suffix in (".txt", ".xml"):
            reports += 1
            yield _read(member, folders, suffix)
        else:
            ignored += 1
    if nested:
        upload.warnings.append(f"holds {nested} archives, which were not opened; unpack and upload them themselves")
    if not reports:
        raise UnreadableFileError(
            f"{upload.name}: holds no report; an archive holds .txt or .xml reports, lines and tables are uploaded "
            "by themselves (.jsonl, .csv, or either with .gz)"
        )
    if ignored:
        upload.warnings.append(f"holds {ignored} members that are neither .txt nor .xml; they were ignored")


def _read(member: Member, folders: list[str], suffix: str) -> Record | SetAside:
    place = Place(member=printable(member.name))
    if member.size is not None:
        return SetAside(Kind.MALFORMED, TOO_LONG, place, member.data, size=member.size, sha256=member.sha256)
    if member.problem:
        return malformed(member.problem, place, member.data)
    if suffix == ".xml":
        return read_openi_report(member.data, place)
    return _read_free_text(member.data, folders, place)


def _read_free_text(data: bytes, folders: list[str], place: Place) -> Record | SetAside:
    text = _decode(data)
    if text is None:
        return malformed("not text", place, data)
    if not text.strip():
        return incomplete("empty report", place, data)
    found = findings_and_impression(text)
    if isinstance(found, str):
        return incomplete(found, place, data)
    patient = next((part for part in reversed(folders) if _PATIENT_FOLDER.fullmatch(part)), None)
    return Record(found[0], found[1], place, patient)


def _decode(data: bytes) -> str | None:
    """The report's text; each report is a file of its own, so each has its own encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
