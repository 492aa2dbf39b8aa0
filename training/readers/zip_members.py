"""Members of a zip, one at a time, in memory that does not grow with their number.

`zipfile` first builds a table of all members in memory, more bytes each than a short report takes on disk. This
walks the same table (the central directory) on disk instead: first all names and sizes, to refuse an unsafe archive
before anything of it is used, then each member's content. Stored and deflated members, zip64 included.
Format: PKWARE's APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (its end).
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from training.errors import UnreadableFileError
from training.readers.members import Member, check_name, check_regular, hashed
from training.readers.upload import Limits, UnsafeArchiveError

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_COMMENT_LIMIT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_CHUNK = 64 * 1024


class _Entry(NamedTuple):
    name: str
    mode: int
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    offset: int


class _Directory(NamedTuple):
    """Where the central directory lies (bytes), and how far the archive begins behind the file's start."""

    start: int
    end: int
    shift: int


def zip_members(path: Path, name: str, limits: Limits) -> Iterator[Member]:
    """Yield the regular files of the zip at `path`, which messages call `name`.

    Raises:
        UnsafeArchiveError: a member's path, kind or size is not one that an honest archive has.
        UnreadableFileError: this is no zip, or it is cut short or encrypted.
    """
    with path.open("rb") as file, path.open("rb") as directory_file:
        directory = _find_directory(file, name)
        _check(directory_file, directory, name, limits, path.stat().st_size)
        for entry in _entries(directory_file, directory, name):
            if not entry.name.endswith("/"):
                yield _read(file, entry, directory.shift, limits)


def _check(file: BinaryIO, directory: _Directory, name: str, limits: Limits, size: int) -> None:
    total = 0
    for entry in _entries(file, directory, name):
        check_name(name, entry.name)
        check_regular(name, entry.name, stat.S_IFMT(entry.mode) in (0, stat.S_IFREG, stat.S_IFDIR))
        if entry.flags & _ENCRYPTED:
            raise UnreadableFileError(f"{name}: is encrypted; upload it without a password")
        if entry.method not in (_STORED, _DEFLATED):
            raise UnreadableFileError(
                f"{name}: uses compression method {entry.method}; pack it again with the usual deflate"
            )
        limits.check_unpacked(name, entry.packed, entry.unpacked)
        total += entry.unpacked
    # Members may overlap, so that each looks harmless and all together are a bomb.
    limits.check_unpacked(name, size, total)


def _find_directory(file: BinaryIO, name: str) -> _Directory:
    size = file.seek(0, 2)
    tail_start = max(0, size - _END.size - _COMMENT_LIMIT)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise UnreadableFileError(f"{name}: is not a whole zip file (its end is missing); upload it again")
    _, disk, _, _, _, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    if end >= _END64_LOCATOR.size:
        file.seek(end - _END64_LOCATOR.size)
        mark, _, _, disks = _END64_LOCATOR.unpack(file.read(_END64_LOCATOR.size))
        if mark == b"PK\x06\x07":
            # The locator names the record's offset within the archive; without its extensible part, which nobody
            # writes, the record lies right before the locator.
            end -= _END64_LOCATOR.size + _END64.size
            file.seek(max(end, 0))
            record = file.read(_END64.size)
            if end < 0 or not record.startswith(b"PK\x06\x06"):
                raise UnreadableFileError(f"{name}: its zip64 record is damaged; upload it again")
            length, offset = _END64.unpack(record)[8:]
            disk = max(disks - 1, 0)
    start = end - length
    if disk or start < offset:
        raise UnreadableFileError(f"{name}: is one part of a zip of several files, or damaged; upload it whole")
    return _Directory(start, end, start - offset)


def _entries(file: BinaryIO, directory: _Directory, name: str) -> Iterator[_Entry]:
    file.seek(directory.start)
    at = directory.start
    while at < directory.end:
        fixed = file.read(_CENTRAL.size)
        if len(fixed) < _CENTRAL.size or not fixed.startswith(b"PK\x01\x02"):
            raise UnreadableFileError(f"{name}: its list of members is damaged; upload it again")
        (_, made_by, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length, comment_length,
         _, _, attributes, offset) = _CENTRAL.unpack(fixed)  # fmt: skip
        raw_name = file.read(name_length)
        extra = file.read(extra_length)
        file.read(comment_length)
        at += _CENTRAL.size + name_length + extra_length + comment_length
        if _IN_ZIP64 in (packed, unpacked, offset):
            large = _zip64_sizes(extra, (unpacked, packed, offset))
            if large is None:
                raise UnreadableFileError(f"{name}: its zip64 sizes are missing; pack it again")
            unpacked, packed, offset = large
        # An undecodable name is still a name: members are told apart by it, nothing is opened by it.
        text = raw_name.decode("utf-8" if flags & _UTF8_NAME else "cp437", "backslashreplace")
        mode = attributes >> 16 if made_by >> 8 == 3 else 0
        yield _Entry(text, mode, flags, method, crc, packed, unpacked, offset)


def _zip64_sizes(extra: bytes, sizes: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """(unpacked, packed, offset), from the zip64 extra field where the entry says "see there"; None without one."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        wanted = sum(size == _IN_ZIP64 for size in sizes)
        if kind == 1 and length >= 8 * wanted and at + 4 + 8 * wanted <= len(extra):
            values = iter(struct.unpack_from(f"<{wanted}Q", extra, at + 4))
            unpacked, packed, offset = (next(values) if size == _IN_ZIP64 else size for size in sizes)
            return unpacked, packed, offset
        at += 4 + length
    return None


def _read(file: BinaryIO, entry: _Entry, shift: int, limits: Limits) -> Member:
    file.seek(entry.offset + shift)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        return Member(entry.name, b"", "damaged member")
    name_length, extra_length = _LOCAL.unpack(header)[-2:]
    file.seek(name_length + extra_length, 1)
    try:
        if entry.unpacked > limits.record_bytes:
            return hashed(entry.name, _chunks(file, entry))
        data = b"".join(_chunks(file, entry))
    except zlib.error:
        return Member(entry.name, b"", "damaged member")
    if len(data) != entry.unpacked or zlib.crc32(data) != entry.crc:
        return Member(entry.name, data, "damaged member")
    return Member(entry.name, data)


def _chunks(file: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    """The member's content, at most one byte more than its stated size: the size was checked, the content may lie."""
    left, allowed = entry.packed, entry.unpacked + 1
    inflate = zlib.decompressobj(-15) if entry.method == _DEFLATED else None
    while left > 0 and allowed > 0:
        raw = file.read(min(left, _CHUNK))
        if not raw:
            return
        left -= len(raw)
        while raw and allowed > 0:
            piece = inflate.decompress(raw, min(allowed, _CHUNK)) if inflate else raw
            raw = inflate.unconsumed_tail if inflate else b""
            allowed -= len(piece)
            yield piece
    if allowed <= 0:
        raise UnsafeArchiveError(f"member {entry.name[:100]} unpacks to more than its stated size")
