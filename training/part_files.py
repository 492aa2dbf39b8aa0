"""Files of JSON lines, in parts that appear whole or not at all."""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

RECORDS_A_PART = 50_000


class PartFiles:
    """Writes `part-00000.jsonl`, `part-00001.jsonl` ... into a folder, `RECORDS_A_PART` lines each.

    A part gets its name only when it is complete. The folder is made with the first line, so that one without
    records does not exist.
    """

    def __init__(self, folder: Path, lines_a_part: int = RECORDS_A_PART) -> None:
        self.lines = 0
        self._folder = folder
        self._lines_a_part = lines_a_part
        self._file: BinaryIO | None = None
        self._part = 0
        self._lines_in_part = 0

    def write(self, line: bytes) -> None:
        """Write one line, which ends with its line break."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._unfinished.open("wb")
        self._file.write(line)
        self.lines += 1
        self._lines_in_part += 1
        if self._lines_in_part == self._lines_a_part:
            self.close()

    def close(self) -> None:
        """Finish the current part."""
        if self._file is not None:
            self._file.close()
            self._unfinished.replace(self._folder / f"part-{self._part:05d}.jsonl")
            self._file = None
            self._part += 1
            self._lines_in_part = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._file is not None:
            self._file.close()
            self._unfinished.unlink()
            self._file = None

    @property
    def _unfinished(self) -> Path:
        return self._folder / f".part-{self._part:05d}.jsonl.unfinished"
