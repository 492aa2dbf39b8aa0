"""Rows about a run: one Parquet file a run and table, at a place that depends on the run alone.

So writing it again replaces it. In a table that is partitioned by run, the rows of the newest evaluated run stand a
second time under the name NEWEST.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.table_files import CONTENT_TYPE, parquet, table_key
from training.table_schemas import NEWEST, Table
from training.tables import month_of

_PART = "part-00000"
# Metadata of a file: when the run that it is about started.
_STARTED = "started-at"


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


def write_rows(
    s3: Any, bucket: str, table: Table, task: str, rows: Sequence[RunRow], *, evaluated: bool = False
) -> str | None:
    """Write one run's rows of a table and return their file's key; without rows, no file and None.

    The rows of an `evaluated` run in a table by run also become those of NEWEST, unless a later run's are there.
    """
    if not rows:
        return None
    run = rows[0]
    content = parquet(table, (_columns(table, row) for row in rows))
    if table.partitioned_by[1] == "month":
        # The month is the start's, so that a repeated event finds the same file.
        return _put(s3, bucket, table_key(table, task, month_of(run.started_at), run.run_id), content, run)
    newest = table_key(table, task, NEWEST, _PART)
    if evaluated and not _is_later(s3, bucket, newest, run):
        _put(s3, bucket, newest, content, run)
    return _put(s3, bucket, table_key(table, task, run.run_id, _PART), content, run)


def _columns(table: Table, row: RunRow) -> dict[str, Any]:
    """The row's values; the run's id is a column only where it is not the partition."""
    return {name: value for name, value in asdict(row).items() if name not in table.partitioned_by}


def _put(s3: Any, bucket: str, key: str, content: bytes, run: RunRow) -> str:
    s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=content,
        ContentType=CONTENT_TYPE,
        Metadata={_STARTED: run.started_at.isoformat()},
    )
    return key


def _is_later(s3: Any, bucket: str, key: str, run: RunRow) -> bool:
    """A run that started after `run` has written `key`: an old run's event came late."""
    try:
        metadata = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        # Without the right to list, S3 answers 403 for what is not there; we have it.
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return False
        raise
    return datetime.fromisoformat(metadata[_STARTED]) > run.started_at


def compact_json(value: object) -> str:
    """JSON as the table's columns hold it: sorted, so that equal values are equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
