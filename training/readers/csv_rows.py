"""CSV with a header (training/csv_rows.py says how rows are read): records from rows."""

from collections.abc import Iterator

from training.csv_rows import CsvRows
from training.errors import UnreadableFileError
from training.readers.fields import choose_pair, found_and_wanted, to_record
from training.readers.upload import Upload
from training.records import Record, SetAside, malformed
from training.text_lines import Line


def read_csv_rows(upload: Upload, lines: Iterator[Line]) -> Iterator[Record | SetAside]:
    """Yield a record or what was set aside for each row that is not blank.

    Raises:
        UnreadableFileError: the header lacks the wanted fields.
    """
    rows = CsvRows(lines, upload.limits.record_bytes)
    header: list[str] | None = None
    for row in rows:
        if isinstance(row, SetAside):
            if header is None:
                raise UnreadableFileError(f"{upload.name}: its header cannot be read: {row.explanation}")
            yield row
            continue
        place, content, values = row
        if header is None:
            header = _header(values, upload)
        elif len(values) != len(header):
            yield malformed("wrong number of fields", place, content, f"{len(values)} instead of {len(header)}")
        else:
            yield to_record(dict(zip(header, values, strict=True)), upload, place, content)


def _header(values: list[str], upload: Upload) -> list[str]:
    wanted = {name.lower(): name for pair in upload.pairs for name in pair}
    names = [value.strip() for value in values]
    # Columns are known whatever their case: spreadsheets like "Findings".
    names = [wanted.get(name.lower(), name.lower()) for name in names]
    if choose_pair(names, upload.pairs) is None:
        raise UnreadableFileError(f"{upload.name}: fields missing ({found_and_wanted(names, upload.pairs)})")
    if len(set(names)) != len(names):
        raise UnreadableFileError(f"{upload.name}: two columns have the same name")
    return names
