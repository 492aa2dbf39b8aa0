"""Files of texts: JSON lines (.jsonl, .json), CSV with a header (.csv), or one text (.txt).

JSON lines and CSV name their fields as lambdas/texts.py says. Memory does not grow with the file.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, TypeVar

from lambdas.errors import TextError
from lambdas.texts import FIELDS, MAX_CHARACTERS, SentText, parse_text, read_text
from training.csv_rows import CsvRows
from training.records import SetAside
from training.text_lines import Line, read_lines

# Of one line and of one CSV row, in bytes.
LINE_LIMIT = 1024**2


_Given = TypeVar("_Given")
# (line from 1, or None for the whole file; what it holds, or why it holds nothing to send: quotes nothing of it)
Found = tuple[int | None, SentText | str]


def read_file(
    key: str, open_stream: Callable[[], BinaryIO], source: str, warn: Callable[[str], None]
) -> Iterator[Found]:
    """Yield what a file holds, in order, the same at every reading.

    `open_stream` opens it at its start and is called twice. `source` is that of lines that name none: so the ids of
    one file mean nothing in another. `warn` is told when the encoding had to be guessed.
    """
    readers = {".jsonl": _json_lines, ".json": _json_lines, ".csv": _csv_rows, ".txt": _one_text}
    reader = readers.get(PurePosixPath(key).suffix.lower())
    if reader is None:
        yield None, f"the file's name must end in {', '.join(readers)}"
        return
    for line, found in reader(read_lines(open_stream, LINE_LIMIT, warn)):
        if isinstance(found, SentText) and found.source is None:
            found = dataclasses.replace(found, source=source)
        yield line, found


def _json_lines(lines: Iterator[Line]) -> Iterator[Found]:
    for line in lines:
        if line.text is None:
            yield line.number, line.reason
        elif line.text.strip():
            yield line.number, _text_or_reason(read_text, line.text)


def _csv_rows(lines: Iterator[Line]) -> Iterator[Found]:
    header: list[str] | None = None
    for row in CsvRows(lines, LINE_LIMIT):
        if isinstance(row, SetAside):
            yield row.place.line, row.explanation
            continue
        place, _, values = row
        if header is None:
            header = [value.strip().lower() for value in values]
            named = [name for name in header if name in FIELDS]
            if "text" not in named or len(set(named)) != len(named):
                yield place.line, f"the header must name text, and each of {', '.join(FIELDS)} once at most"
                return
        elif len(values) != len(header):
            yield place.line, f"{len(values)} fields instead of the header's {len(header)}"
        else:
            yield place.line, _text_or_reason(parse_text, dict(zip(header, values, strict=True)))


def _one_text(lines: Iterator[Line]) -> Iterator[Found]:
    parts: list[str] = []
    characters = 0
    for line in lines:
        if line.text is None:
            yield line.number, line.reason
            return
        parts.append(line.text)
        characters += len(line.text)
        if characters > MAX_CHARACTERS:
            break  # The rest need not be read to know that it is too long.
    yield None, _text_or_reason(parse_text, {"text": "\n".join(parts)})


def _text_or_reason(read: Callable[[_Given], SentText], given: _Given) -> SentText | str:
    try:
        return read(given)
    except TextError as error:
        return str(error)
