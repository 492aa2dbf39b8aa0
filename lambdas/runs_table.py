"""Rows of the table `runs`: one Parquet file a run, named after the run, so that writing it again replaces it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.table_schemas import RUNS
from training.tables import month_of, partition_folder, write_table

REASON_LIMIT = 1000


@dataclass(frozen=True)
class RunRow:
    """One row of `runs`, column for column as training/table_schemas.py describes it. Times are aware."""

    run_id: str
    status: str
    started_at: datetime
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


def row_key(task: str, row: RunRow) -> str:
    """Where the row lies in the bucket. The month is the start's, so that a repeated event finds the same file."""
    folder = partition_folder(Path("tables"), RUNS, task, month_of(row.started_at))
    return f"{folder.as_posix()}/{row.run_id}.parquet"


def write_row(s3: Any, bucket: str, task: str, row: RunRow) -> str:
    """Write the row and return its key."""
    key = row_key(task, row)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "row.parquet"
        write_table(file, RUNS, [asdict(row)])
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), ContentType="application/vnd.apache.parquet")
    return key


def compact_json(value: object) -> str:
    """JSON as the table's columns hold it: sorted, so that equal values are equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
