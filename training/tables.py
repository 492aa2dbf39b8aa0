"""Parquet files of the tables in training/table_schemas.py, as Athena reads them.

Columns and types are exactly those of the description; the two partition columns stand in the path alone. Compressed
with Snappy: Athena and every build of pyarrow read and write it, whereas the pyarrow of AWS's Lambda layer has no
Zstandard. Timestamps are 64-bit milliseconds without a zone, in UTC, which is how Trino takes its `timestamp` (and
DuckDB needs no zone data base to read it back). The same rows give the same bytes.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.errors import ReportTuningError
from training.table_schemas import Table

# Rows of one row group, and rows held in memory at a time: some 40 MB where each row holds a whole report.
ROWS_A_GROUP = 20_000

_ARROW_TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms"),
}
# Characters that mean something in a partition's path.
_UNSAFE = frozenset("/\\=\0")


class TableError(ReportTuningError):
    """Rows do not fit the table's description. Names table and column, never a value: a value may be clinical text."""


def arrow_schema(table: Table) -> pa.Schema:
    """The table's columns as an Arrow schema, in order; every column may be null."""
    return pa.schema([pa.field(column.name, _ARROW_TYPES[column.type]) for column in table.columns])


def partition_folder(tables: Path, table: Table, task: str, second: str) -> Path:
    """Where rows of `task` lie below the folder `tables`; `second` is the run id, the month or the day.

    Raises:
        TableError: a value would lead to another place.
    """
    folder = tables / table.name
    for column, value in zip(table.partitioned_by, (task, second), strict=True):
        if not value or value.startswith(".") or _UNSAFE & set(value):
            raise TableError(f"table {table.name}: {value!r} cannot be the partition {column}")
        folder /= f"{column}={value}"
    return folder


def month_of(moment: datetime) -> str:
    """The month partition of a moment that has a zone: `YYYY-MM` in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def day_of(moment: datetime) -> str:
    """The day partition of a moment that has a zone: `YYYY-MM-DD` in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def write_table(path: Path, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write `rows` to the Parquet file `path` and return their number. Memory does not grow with that number.

    A row names every column of the table and no other. Timestamps are datetimes with a zone, kept to the millisecond.
    The file stands under its own name only once it is complete.

    Raises:
        TableError: a row lacks a column, has another, or a value is not of its column's type.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Athena passes over names that begin with a dot, so an unfinished file is never read.
    unfinished = path.with_name(f".{path.name}.unfinished")
    schema = arrow_schema(table)
    written = 0
    with pq.ParquetWriter(unfinished, schema, compression="snappy") as writer:
        for group in _groups(iter(rows)):
            _check_columns(table, group, written)
            columns = [_array(table, schema.field(name), group, written) for name in table.column_names]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            written += len(group)
    unfinished.replace(path)
    return written


def _groups(rows: Iterator[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    while group := list(islice(rows, ROWS_A_GROUP)):
        yield group


def _check_columns(table: Table, rows: list[Mapping[str, Any]], before: int) -> None:
    """`before` is the number of rows written before these."""
    names = set(table.column_names)
    for number, row in enumerate(rows, start=before + 1):
        if row.keys() != names:
            missing, other = sorted(names - row.keys()), sorted(row.keys() - names)
            raise TableError(f"table {table.name}, row {number}: lacks {missing}, has also {other}")


def _array(table: Table, field: pa.Field, rows: list[Mapping[str, Any]], before: int) -> pa.Array:
    """One column of `rows`."""
    values = [row[field.name] for row in rows]
    if pa.types.is_timestamp(field.type):
        values = [_utc_milliseconds(table, field.name, value) for value in values]
    # pyarrow would cut fractions off without a word.
    if not (pa.types.is_integer(field.type) and any(isinstance(value, float) for value in values)):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
            return pa.array(values, type=field.type)
    # Raised here and not while handling pyarrow's error, whose message quotes the value.
    raise TableError(
        f"table {table.name}, rows {before + 1} to {before + len(rows)}: a value of {field.name} is not {field.type}"
    )


def _utc_milliseconds(table: Table, column: str, value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TableError(f"table {table.name}: a value of {column} is not a datetime with a time zone")
    utc = value.astimezone(UTC)
    return utc.replace(tzinfo=None, microsecond=utc.microsecond // 1000 * 1000)
