"""Rows about a run in the tables that are partitioned by month.

One Parquet file a run and table, named after the run, so that writing it again replaces it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.table_schemas import Table
from training.tables import month_of, partition_folder, write_table


@dataclass(frozen=True)
class RunRow:
    """What every row begins with: the run that it is about. Times are aware.

    A table's rows are dataclasses of this kind, column for column as training/table_schemas.py describes them.
    """

    run_id: str
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunsRow(RunRow):
    """One row of `runs`."""

    status: str
    ended_at: datetime
    failed_step: str | None = None
    reason: str | None = None
    warnings: str | None = None
    data_version: str | None = None
    data_fingerprint: str | None = None
    uploaded: int | None = None
    train: int | None = None
    validation: int | None = None
    quarantined: int | None = None
    duplicates: int | None = None
    evaluated: str | None = None
    gate_passed: bool | None = None
    gate_reasons: str | None = None
    model_package: str | None = None
    parameters: str | None = None
    step_seconds: str | None = None
    cost_dollars: float | None = None


def write_rows(s3: Any, bucket: str, table: Table, task: str, rows: Sequence[RunRow]) -> str | None:
    """Write one run's rows of a table and return their file's key; without rows, no file and None."""
    if not rows:
        return None
    # The month is the start's, so that a repeated event finds the same file.
    folder = partition_folder(Path("tables"), table, task, month_of(rows[0].started_at))
    key = f"{folder.as_posix()}/{rows[0].run_id}.parquet"
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "rows.parquet"
        write_table(file, table, map(asdict, rows))
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), ContentType="application/vnd.apache.parquet")
    return key


def compact_json(value: object) -> str:
    """JSON as the table's columns hold it: sorted, so that equal values are equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
