"""What every script that writes tables by run has in common: which run it is, and where the rows of that run lie."""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.errors import ArgumentError
from training.table_schemas import NEWEST, Table
from training.tables import partition_folder, write_table

PART = "part-00000.parquet"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Which run a job belongs to. `started_at` is ISO 8601; without a zone it is UTC, as SageMaker's times are."""

    task: str
    run_id: str
    started_at: str
    tables: Path

    def __post_init__(self) -> None:
        for name in ("task", "run_id"):
            if not _NAME.fullmatch(getattr(self, name)):
                raise ArgumentError(f"{name} must be letters, digits, - and _, got {getattr(self, name)!r}")
        if self.run_id == NEWEST:
            raise ArgumentError(f"run_id must not be {NEWEST!r}: the tables have a partition of that name")
        try:
            datetime.fromisoformat(self.started_at)
        except ValueError as error:
            raise ArgumentError(f"started_at must be an ISO 8601 time, got {self.started_at!r}") from error

    @property
    def started(self) -> datetime:
        """When the run started, in UTC."""
        moment = datetime.fromisoformat(self.started_at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def write_run_table(options: RunOptions, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the run's rows of a table by run, and a second time as those of the newest run."""
    path = partition_folder(options.tables, table, options.task, options.run_id) / PART
    written = write_table(path, table, rows)
    # Uploaded under the same key as an earlier run's copy, which it replaces.
    newest = partition_folder(options.tables, table, options.task, NEWEST)
    newest.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, newest / PART)
    print(f"table {table.name}: {written} rows", flush=True)
