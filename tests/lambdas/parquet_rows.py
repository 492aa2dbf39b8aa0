"""Rows of the table `runs` as a reader of the bucket finds them."""

import io
from typing import Any

import pyarrow.parquet as pq

from tests.lambdas.fake_s3 import FakeS3
from training.table_schemas import RUNS


def run_rows(s3: FakeS3) -> dict[str, dict[str, Any]]:
    """{key: row} of everything below tables/runs/; each file must have exactly the table's columns, and one row."""
    rows = {}
    for key, body in s3.bodies.items():
        if key.startswith("tables/runs/"):
            table = pq.read_table(io.BytesIO(body))
            assert tuple(table.column_names) == RUNS.column_names
            (rows[key],) = table.to_pylist()
    return rows
