"""Lines of a text file, one at a time, each no longer than a limit, whatever the file's encoding.

UTF-8 (with or without byte order mark) and UTF-16 (with one) are known by what they are. A file that is neither is
read as Windows-1252, which holds the letters of Latin-1 and more, unless at least half of its non-ASCII lines are
sound UTF-8: then the file is UTF-8 and the other lines are broken.
"""

import codecs
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from training.records import Kind, Place, SetAside

# Of a line that is too long to keep, this many bytes go to quarantine: enough to recognise it in the upload, which
# still holds the whole. Keeping all of it would let one file fill the memory and the quarantine.
HEAD_BYTES = 4096
_CHUNK = 64 * 1024
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

TOO_LONG = "longer than the limit"
NOT_TEXT = "not text"


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line break. `text` is None when `reason` says why it cannot be read.

    `size` (bytes) and `sha256` are there only for a line that was too long, of which `raw` is the head.
    """

    number: int
    raw: bytes
    text: str | None
    reason: str = ""
    size: int | None = None
    sha256: str | None = None

    def set_aside(self) -> SetAside:
        """This line, which cannot be read, for quarantine."""
        return SetAside(
            Kind.MALFORMED, self.reason, Place(line=self.number), self.raw, size=self.size, sha256=self.sha256
        )


def read_lines(open_stream: Callable[[], BinaryIO], limit: int, warn: Callable[[str], None]) -> Iterator[Line]:
    """Yield the lines of a file that `open_stream` opens at its start; it is called twice.

    Memory stays within a few times `limit` (bytes). `warn` is told when the encoding had to be guessed.
    """
    encoding = _encoding(open_stream, limit)
    if encoding == "cp1252":
        warn("is not UTF-8 and was read as Windows-1252; check its special characters, or save it as UTF-8")
    with open_stream() as stream:
        recoded = io.BufferedReader(_Utf16Stream(stream)) if encoding == "utf-16" else stream
        for number, (raw, size, sha256) in enumerate(_raw_lines(recoded, limit), start=1):
            body = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            if size is not None:
                yield Line(number, body, None, TOO_LONG, size, sha256)
                continue
            text = _decode(body, "cp1252" if encoding == "cp1252" else "utf-8")
            yield Line(number, body, text, "" if text is not None else NOT_TEXT)


def _decode(raw: bytes, encoding: str) -> str | None:
    if b"\0" in raw:
        return None
    if encoding == "cp1252":
        try:
            return raw.decode("cp1252")
        except UnicodeDecodeError:
            # Five bytes have no meaning in Windows-1252; in Latin-1 every byte has one.
            return raw.decode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _encoding(open_stream: Callable[[], BinaryIO], limit: int) -> str:
    """utf-8, utf-16 or cp1252, from the whole file."""
    with open_stream() as stream:
        if stream.read(2) in _UTF16_MARKS:
            return "utf-16"
    sound = broken = 0
    with open_stream() as stream:
        for raw, size, _ in _raw_lines(stream, limit):
            if size is not None or raw.isascii() or b"\0" in raw:
                continue
            if _decode(raw, "utf-8") is None:
                broken += 1
            else:
                sound += 1
    return "cp1252" if broken > sound else "utf-8"


def _raw_lines(stream: BinaryIO, limit: int) -> Iterator[tuple[bytes, int | None, str | None]]:
    """(line, None, None), or (head, size, sha256) of a line longer than `limit` bytes, read past in small pieces."""
    while piece := stream.readline(limit + 1):
        if piece.endswith(b"\n") or len(piece) <= limit:
            yield piece.rstrip(b"\r\n"), None, None
            continue
        digest, size, head = hashlib.sha256(), 0, piece[:HEAD_BYTES]
        while piece:
            digest.update(piece)
            size += len(piece)
            piece = b"" if piece.endswith(b"\n") else stream.readline(_CHUNK)
        yield head, size, digest.hexdigest()


class _Utf16Stream(io.RawIOBase):
    """UTF-16 bytes in, UTF-8 bytes out. Broken UTF-16 becomes the replacement character, as no line can be named."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # a writable buffer has no name before 3.12
        while not self._ready:
            chunk = self._source.read(_CHUNK)
            self._ready = self._decoder.decode(chunk, final=not chunk).encode("utf-8")
            if not chunk and not self._ready:
                return 0
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
