"""CSV with a header: comma-separated, fields in double quotes may hold commas, line breaks and doubled quotes.

One broken row must not swallow the rest of the file. When a row does not close its quotes, or goes on after a
closing quote, its first line alone is set aside and reading starts again at the next line. The rest of a broken row
that really spans lines is then set aside too, line by line, unless a line has exactly the columns of the header.
"""

import csv
from collections import deque
from collections.abc import Iterator

from training.records import Place, SetAside, malformed
from training.text_lines import Line

# A row of more lines than this has lost a closing quote. It also bounds how often a line is read again. A note of 200
# pages has some 10,000 lines; with fewer here, each of its lines with one comma would pass for a record of its own.
MAX_ROW_LINES = 20_000


class CsvRows:
    """Rows of (place, content, values), or what was set aside, from lines; the header is the first of them.

    `limit` bounds a row in bytes.
    """

    def __init__(self, lines: Iterator[Line], limit: int) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._row: list[Line] = []
        self._limit = limit
        csv.field_size_limit(limit)

    def __iter__(self) -> Iterator[SetAside | tuple[Place, str, list[str]]]:
        while (line := self._next_line()) is not None:
            if line.text is None:
                yield line.set_aside()
            elif line.text.strip():
                self._row = [line]
                yield self._read_row()

    def _read_row(self) -> SetAside | tuple[Place, str, list[str]]:
        first = self._row[0]
        place = Place(line=first.number)
        try:
            values = next(csv.reader(self._row_lines(), strict=True))
        except csv.Error:
            self._again.extendleft(reversed(self._row[1:]))
            return malformed("quotes of a CSV row do not match", place, first.text or "")
        return place, "\n".join(line.text or "" for line in self._row), values

    def _row_lines(self) -> Iterator[str]:
        """The lines of one row; ends, and so makes the strict reader complain, where the row cannot go on."""
        size = len(self._row[0].raw)
        yield f"{self._row[0].text}\n"
        while len(self._row) < MAX_ROW_LINES and (line := self._next_line()) is not None:
            size += len(line.raw)
            if line.text is None or size > self._limit:
                self._again.appendleft(line)
                return
            self._row.append(line)
            yield f"{line.text}\n"

    def _next_line(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)
