"""Parquet files of the tables: their bytes, and their keys in the bucket."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.table_schemas import Table
from training.tables import partition_folder, write_table

CONTENT_TYPE = "application/vnd.apache.parquet"


def parquet(table: Table, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A file of these rows; also of none, which is a file without rows.

    Raises:
        TableError: a row does not fit the table.
    """
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "rows.parquet"
        write_table(file, table, rows)
        return file.read_bytes()


def table_key(table: Table, task: str, partition: str, file: str) -> str:
    """Where a file of a table lies; `partition` is the value of its second partition column.

    Raises:
        TableError: a value would lead to another place.
    """
    return f"{partition_folder(Path('tables'), table, task, partition).as_posix()}/{file}.parquet"
