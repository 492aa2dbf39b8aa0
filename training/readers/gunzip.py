"""A gzip file's content as a stream that stops at what an honest file unpacks to."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

from training.errors import UnreadableFileError
from training.readers.upload import Limits

_BUFFER = 64 * 1024


def open_gunzipped(path: Path, name: str, limits: Limits) -> io.BufferedReader:
    """Open the content of the gzip file at `path`, which messages call `name`.

    Reading raises UnsafeArchiveError once the content is beyond `limits`, UnreadableFileError where it is damaged.
    """
    return io.BufferedReader(_Gunzipped(path, name, limits), _BUFFER)


class _Gunzipped(io.RawIOBase):
    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self._file = path.open("rb")
        self._content = gzip.GzipFile(fileobj=self._file)
        self._name, self._limits = name, limits
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._content.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            raise UnreadableFileError(f"{self._name}: is damaged or cut short; upload it again") from error
        self._unpacked += len(data)
        self._limits.check_unpacked(self._name, self._file.tell(), self._unpacked)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._content.close()
        self._file.close()
        super().close()
