"""Readers of uploaded files: one module a format, chosen by what a file is called and what it begins with."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from training.errors import UnreadableFileError
from training.readers.ade_corpus import DRUG_AE, NEGATIVES, read_drug_ae, read_negatives
from training.readers.archives import read_archive
from training.readers.csv_rows import read_csv_rows
from training.readers.gunzip import open_gunzipped
from training.readers.json_lines import read_json_lines
from training.readers.parquet import PARQUET_MARK, read_parquet
from training.readers.tar_members import tar_members
from training.readers.upload import Upload
from training.readers.zip_members import zip_members
from training.records import Record, SetAside
from training.text_lines import Line, read_lines

_FORMATS = ".jsonl, .json, .csv (each also with .gz), .parquet"
_REPORT_FORMATS = ".zip, .tar, .tgz or .tar.gz"
_LABELLED_FORMATS = f"{DRUG_AE} or {NEGATIVES}"
_TAR_MARK_AT, _TAR_MARK = 257, b"ustar"
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
_LINE_READERS = {".jsonl": read_json_lines, ".json": read_json_lines, ".csv": read_csv_rows}
# Files that are known by their whole name, and mean something only where a target is a label.
_CORPUS_READERS = {DRUG_AE: read_drug_ae, NEGATIVES: read_negatives}


def read_upload(upload: Upload) -> Iterator[Record | SetAside]:
    """Yield everything in the file, as records or as what was set aside, in memory that does not grow with it.

    Raises:
        UnreadableFileError: the file as a whole cannot be read; what was yielded before is to be discarded.
        UnsafeArchiveError: the same, because it looks hostile.
    """
    open_content, packed = _content(upload)
    with open_content() as stream:
        head = stream.read(_TAR_MARK_AT + len(_TAR_MARK))
    if not head:
        raise UnreadableFileError(f"{upload.name}: is empty")
    if head.startswith(PARQUET_MARK) and not packed:
        yield from read_parquet(upload)
    elif _is_archive(head, packed):
        yield from _read_archive(upload, open_content, head)
    else:
        reader = _line_reader(upload)
        lines = read_lines(open_content, upload.limits.record_bytes, upload.warnings.append)
        empty = True
        for item in reader(upload, lines):
            empty = False
            yield item
        if empty:
            raise UnreadableFileError(f"{upload.name}: is empty (no record in it)")


def _is_archive(head: bytes, packed: bool) -> bool:
    return head[_TAR_MARK_AT:] == _TAR_MARK or (head.startswith(_ZIP_MARKS) and not packed)


def _read_archive(upload: Upload, open_content: Callable[[], BinaryIO], head: bytes) -> Iterator[Record | SetAside]:
    if upload.labels is not None:
        raise UnreadableFileError(
            f"{upload.name}: is an archive, which may hold reports but no labels; unpack it and upload {_known(upload)}"
        )
    if head.startswith(_ZIP_MARKS):
        yield from read_archive(upload, zip_members(upload.path, upload.name, upload.limits))
        return
    with open_content() as stream:
        yield from read_archive(upload, tar_members(stream, upload.name, upload.limits))


def _line_reader(upload: Upload) -> Callable[[Upload, Iterator[Line]], Iterator[Record | SetAside]]:
    by_name = _CORPUS_READERS.get(Path(upload.name).name) if upload.labels is not None else None
    reader = by_name or _LINE_READERS.get(_suffix(upload.name))
    if reader is None:
        raise UnreadableFileError(f"{upload.name}: is not in a known format; upload {_known(upload)}")
    return reader


def _known(upload: Upload) -> str:
    return f"{_FORMATS}, {_REPORT_FORMATS if upload.labels is None else _LABELLED_FORMATS}"


def _content(upload: Upload) -> tuple[Callable[[], BinaryIO], bool]:
    """How to open the file's content, unzipped where gzip packed it (whatever its name), and whether it did."""

    def open_packed() -> BinaryIO:
        return open_gunzipped(upload.path, upload.name, upload.limits)

    def open_plain() -> BinaryIO:
        return upload.path.open("rb")

    with upload.path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return (open_packed if packed else open_plain), packed


def _suffix(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix
