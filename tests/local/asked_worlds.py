"""The rows of an invented world in tables of their own, and what the local Athena answers to a dashboard's queries over
them: the same as what the world computed without SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.athena import run_query
from local.aws import LocalAws
from local.dashboard.answers import Asker, fill
from local.dashboard.source import DeployedDataSet
from tests.dashboard.world import NEWEST, Row, World
from tests.local.athena_tables import Tables
from tests.local.aws_helpers import unique
from training.table_schemas import SCORES, Table
from training.tables import month_of, partition_folder, write_table

# As stacks/results_table.py has them.
DATES = {"month": ("2026-01,NOW", "yyyy-MM", "MONTHS"), "day": ("2026-01-01,NOW", "yyyy-MM-dd", "DAYS")}


def projection(table: Table, task: str) -> dict[str, str]:
    """The parameters by which Athena finds a table's partitions."""
    second = table.partitioned_by[1]
    found = {
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.task.type": "enum",
        "projection.task.values": task,
        f"projection.{second}.type": "date" if second in DATES else "injected",
    }
    if second in DATES:
        bounds, form, unit = DATES[second]
        settings = {"range": bounds, "format": form, "interval": "1", "interval.unit": unit}
        found |= {f"projection.{second}.{name}": value for name, value in settings.items()}
    return found


class Asked:
    """The rows of a world in tables of their own, and what the local Athena answers over them."""

    def __init__(self, aws: LocalAws, world: World, folder: Path, by_run: Iterable[Table]) -> None:
        """Writes the world's scores and its tables `by_run`."""
        self._tables = Tables(aws)
        self._aws, self._folder, self._task = aws, folder, world.task
        self.create(SCORES, *by_run)
        for run in world.evaluated:
            started = datetime.fromtimestamp(run.started_at / 1000, UTC)
            self.write(SCORES, month_of(started), f"{run.run_id}.parquet", world.scored(run))
            for table in by_run:
                for name in (run.run_id, *([NEWEST] if run is world.evaluated[-1] else [])):
                    self.write(table, name, "part-00000.parquet", world.table(table, run))
        self._workgroup = unique("workgroup")
        place = {"OutputLocation": f"s3://{self._tables.bucket}/athena-results/"}
        aws.client("athena").create_work_group(Name=self._workgroup, Configuration={"ResultConfiguration": place})
        self._asker = Asker(aws.client("athena"), self._tables.database, self._workgroup)
        self._data_sets = {
            one.name: replace(world.deployed().data_sets[one.name], sql=one.query(self._tables.database))
            for one in world.dashboard.data_sets
        }

    def create(self, *tables: Table) -> None:
        for table in tables:
            columns = {column.name: column.type for column in table.columns}
            self._tables.create(table.name, columns, list(table.partitioned_by), projection(table, self._task))

    def write(self, table: Table, second: str, file: str, rows: list[Row]) -> None:
        path = partition_folder(self._folder, table, self._task, second) / file
        write_table(path, table, rows)
        key = f"tables/{path.relative_to(self._folder).as_posix()}"
        self._aws.client("s3").upload_file(str(path), self._tables.bucket, key)

    def data_set(self, name: str) -> DeployedDataSet:
        return self._data_sets[name]

    def rows(self, name: str, parameters: Mapping[str, str]) -> list[Row]:
        answer = self._asker.answer(self._data_sets[name], parameters)
        names = [column.name for column in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*answer.values, strict=True)]

    def scanned(self, name: str, parameters: Mapping[str, str]) -> int:
        """Bytes that a query reads."""
        query = fill(self._data_sets[name].sql, parameters)
        execution = run_query(
            self._aws.client("athena"), query, database=self._tables.database, workgroup=self._workgroup
        )
        return int(execution["Statistics"]["DataScannedInBytes"])


def parameters_of(world: World, name: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """The data set's parameters: the defaults, but for what is `chosen`."""
    dashboard = world.dashboard
    values = {one.name: one.default for one in dashboard.parameters} | dict(chosen)
    return {parameter: values[parameter] for parameter in dashboard.data_set(name).parameters}


def assert_same(found: Iterable[Row], expected: Iterable[Row]) -> None:
    """The same rows in any order; numbers may differ by rounding."""

    def key(row: Row) -> str:
        return repr([round(value, 9) if isinstance(value, float) else value for _, value in sorted(row.items())])

    ours, theirs = sorted(found, key=key), sorted(expected, key=key)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            assert one[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value), name


def check(asked: Asked, world: World, name: str, chosen: Mapping[str, str]) -> list[Any]:
    """Compare an answer; gives its rows."""
    parameters = parameters_of(world, name, chosen)
    found = asked.rows(name, parameters)
    columns = [column.name for column in world.dashboard.data_set(name).columns]
    assert_same(found, ({column: row[column] for column in columns} for row in world.rows(name, parameters)))
    return found
