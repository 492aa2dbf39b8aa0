"""Readers of uploaded files: one module a format, chosen by what a file is called and what it begins with."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from training.errors import UnreadableFileError
from training.readers.archives import read_archive
from training.readers.csv_rows import read_csv_rows
from training.readers.gunzip import open_gunzipped
from training.readers.json_lines import read_json_lines
from training.readers.tar_members import tar_members
from training.readers.text_lines import read_lines
from training.readers.upload import Upload
from training.readers.zip_members import zip_members
from training.records import Record, SetAside

_FORMATS = ".jsonl, .json, .csv (each also with .gz), .zip, .tar, .tgz or .tar.gz"
_TAR_MARK_AT, _TAR_MARK = 257, b"ustar"
_LINE_READERS = {".jsonl": read_json_lines, ".json": read_json_lines, ".csv": read_csv_rows}


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
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) and not packed:
        yield from read_archive(upload, zip_members(upload.path, upload.name, upload.limits))
    elif head[_TAR_MARK_AT:] == _TAR_MARK:
        with open_content() as stream:
            yield from read_archive(upload, tar_members(stream, upload.name, upload.limits))
    else:
        reader = _LINE_READERS.get(_suffix(upload.name))
        if reader is None:
            raise UnreadableFileError(f"{upload.name}: is not in a known format; upload {_FORMATS}")
        lines = read_lines(open_content, upload.limits.record_bytes, upload.warnings.append)
        empty = True
        for item in reader(upload, lines):
            empty = False
            yield item
        if empty:
            raise UnreadableFileError(f"{upload.name}: is empty (no record in it)")


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
