"""Rows of the tables as a reader of the bucket finds them."""

import io
from typing import Any

import pyarrow.parquet as pq

from tests.lambdas.fake_s3 import FakeS3
from training.table_schemas import RUNS, Table


def table_rows(s3: FakeS3, table: Table) -> dict[str, list[dict[str, Any]]]:
    """{key: rows} of everything below tables/<table>/; each file must have exactly the table's columns."""
    found = {}
    for key, body in s3.bodies.items():
        if key.startswith(f"tables/{table.name}/"):
            read = pq.read_table(io.BytesIO(body))
            assert tuple(read.column_names) == table.column_names
            found[key] = read.to_pylist()
    return found


def run_rows(s3: FakeS3) -> dict[str, dict[str, Any]]:
    """{key: row} of everything below tables/runs/, where each file must have one row."""
    rows = {}
    for key, found in table_rows(s3, RUNS).items():
        (rows[key],) = found
    return rows
