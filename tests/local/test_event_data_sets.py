"""Every query of the dashboard of adverse events, asked of the local Athena over the rows of an invented world: what it
answers is what was computed without SQL."""

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
from stacks.dashboard.events import quality_data_sets, stream_data_sets, training_data_sets
from tests.dashboard.event_world import LABELS, EventWorld
from tests.dashboard.world import NEWEST, Row
from tests.local.athena_tables import Tables
from tests.local.aws_helpers import unique
from training.table_schemas import (
    EVENTS,
    PRECISION_RECALL,
    PREDICTIONS,
    REVIEWS,
    SCORES,
    SEARCH_JOBS,
    SYNTHETIC_EXAMPLES,
    Table,
)
from training.tables import day_of, month_of, partition_folder, write_table

WORLD = EventWorld(runs=2, records=40)
ONE_SET = EventWorld(runs=1, records=30, sets=("dev1",), incoming=1100)
EMPTY = EventWorld(runs=0, incoming=0)
TASK, OTHER_TASK = LABELS
BY_RUN = (PREDICTIONS, PRECISION_RECALL, SEARCH_JOBS, SYNTHETIC_EXAMPLES)
OF_THE_STREAM = tuple(one.name for one in stream_data_sets.DATA_SETS)
OF_A_RUN = tuple(one.name for one in (*quality_data_sets.DATA_SETS, *training_data_sets.DATA_SETS) if one.is_direct)
# As stacks/results_table.py has them.
DATES = {"month": ("2026-01,NOW", "yyyy-MM", "MONTHS"), "day": ("2026-01-01,NOW", "yyyy-MM-dd", "DAYS")}


class OnlyRecent(EventWorld):
    """WORLD without what is too old to be looked at."""

    @property
    def events(self) -> list[Row]:  # type: ignore[override]  # cached there, and taken from there
        return [row for row in WORLD.events if (WORLD.today - row["arrived_at"].date()).days < 90]

    @property
    def reviews(self) -> list[Row]:  # type: ignore[override]
        recent = {row["event_id"] for row in self.events}
        return [row for row in WORLD.reviews if row["event_id"] in recent]


class WithoutSource(EventWorld):
    """WORLD, sent by somebody who does not say where from."""

    @property
    def events(self) -> list[Row]:  # type: ignore[override]
        return [row | {"source": None} for row in WORLD.events]


def projection(table: Table) -> dict[str, str]:
    """The parameters by which Athena finds a table's partitions."""
    second = table.partitioned_by[1]
    found = {
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.task.type": "enum",
        "projection.task.values": TASK,
        f"projection.{second}.type": "date" if second in DATES else "injected",
    }
    if second in DATES:
        bounds, form, unit = DATES[second]
        settings = {"range": bounds, "format": form, "interval": "1", "interval.unit": unit}
        found |= {f"projection.{second}.{name}": value for name, value in settings.items()}
    return found


class Asked:
    """The rows of a world in tables of their own, and what the local Athena answers over them."""

    def __init__(self, aws: LocalAws, world: EventWorld, folder: Path) -> None:
        self._tables = Tables(aws)
        self._aws, self._folder = aws, folder
        for table in (*BY_RUN, SCORES, EVENTS, REVIEWS):
            columns = {column.name: column.type for column in table.columns}
            self._tables.create(table.name, columns, list(table.partitioned_by), projection(table))
        for run in world.evaluated:
            started = datetime.fromtimestamp(run.started_at / 1000, UTC)
            self._write(SCORES, month_of(started), f"{run.run_id}.parquet", world.scored(run))
            for table in BY_RUN:
                for name in (run.run_id, *([NEWEST] if run is world.evaluated[-1] else [])):
                    self._write(table, name, "part-00000.parquet", world.table(table, run))
        days = {(row["event_id"], row["source"]): day_of(row["arrived_at"]) for row in world.events}
        for table, rows in ((EVENTS, world.events), (REVIEWS, world.reviews)):
            by_day: dict[str, list[Row]] = {}
            for row in rows:
                by_day.setdefault(days[row["event_id"], row["source"]], []).append(row)
            for day, of_day in by_day.items():
                self._write(table, day, "batch.parquet", of_day)
        self._workgroup = unique("workgroup")
        place = {"OutputLocation": f"s3://{self._tables.bucket}/athena-results/"}
        aws.client("athena").create_work_group(Name=self._workgroup, Configuration={"ResultConfiguration": place})
        self._asker = Asker(aws.client("athena"), self._tables.database, self._workgroup)
        self._data_sets = {
            one.name: replace(world.deployed().data_sets[one.name], sql=one.query(self._tables.database))
            for one in world.dashboard.data_sets
        }

    def _write(self, table: Table, second: str, file: str, rows: list[Row]) -> None:
        path = partition_folder(self._folder, table, TASK, second) / file
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


@pytest.fixture(scope="module")
def asked(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(aws, WORLD, tmp_path_factory.mktemp("rows"))


def parameters_of(world: EventWorld, name: str, chosen: Mapping[str, str]) -> dict[str, str]:
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


def check(asked: Asked, world: EventWorld, name: str, chosen: Mapping[str, str]) -> list[Any]:
    """Compare an answer; gives its rows."""
    parameters = parameters_of(world, name, chosen)
    found = asked.rows(name, parameters)
    assert_same(found, world.rows(name, parameters))
    return found


@pytest.mark.parametrize("name", OF_THE_STREAM)
def test_what_came_in(asked: Asked, name: str) -> None:
    assert check(asked, WORLD, name, {})
    assert len(check(asked, WORLD, name, {"task": OTHER_TASK})) == (name == "event_totals")


@pytest.mark.parametrize("name", OF_A_RUN)
def test_what_a_run_left(asked: Asked, name: str) -> None:
    first = WORLD.evaluated[0].run_id
    newest = check(asked, WORLD, name, {})
    older = check(asked, WORLD, name, {"run": first})
    assert newest and older and newest != older
    assert check(asked, WORLD, name, {"run": "no such run"}) == []


def test_scores_of_all_runs(asked: Asked) -> None:
    assert check(asked, WORLD, "event_scores", {})


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("newest_events", {"incoming": "all texts"}),
        ("newest_events", {"searched": "LITHIUM"}),
        ("newest_events", {"searched": "it's '; --"}),
        ("event_answers", {"order": "missed first"}),
        ("event_answers", {"order": "false alarms first", "judged": "all texts"}),
        ("event_answers", {"search": "Warfarin"}),
    ],
)
def test_what_a_reader_chose(asked: Asked, name: str, chosen: dict[str, str]) -> None:
    assert check(asked, WORLD, name, chosen) != check(asked, WORLD, name, {})


def test_one_evaluation_set_and_more_texts_than_are_listed(aws: LocalAws, tmp_path: Path, asked: Asked) -> None:
    alone = Asked(aws, ONE_SET, tmp_path)
    curves = {row["curve"] for row in check(alone, ONE_SET, "precision_recall", {})}
    assert {"fine-tuned", "fine-tuned, chosen"} <= curves
    assert "perfectly calibrated" in {row["curve"] for row in check(alone, ONE_SET, "calibration", {})}
    sources = {row["source"] for row in check(alone, ONE_SET, "event_days", {})}
    assert len(sources) == 6 and "other sources" in sources
    # Of rows that arrived at the same time the listed ones may be others.
    parameters = parameters_of(ONE_SET, "newest_events", {"incoming": "all texts"})
    assert len(alone.rows("newest_events", parameters)) == len(ONE_SET._recent(TASK)[:1000])


def test_what_a_person_said_stands_beside_a_text_also_without_source(
    aws: LocalAws, tmp_path: Path, asked: Asked
) -> None:
    said = {row["review"] for row in check(asked, WORLD, "newest_events", {})}
    assert said == {"", "confirmed", "rejected"}
    world = WithoutSource(runs=0)
    rows = check(Asked(aws, world, tmp_path), world, "newest_events", {})
    assert {row["review"] for row in rows} == said and {row["source"] for row in rows} == {None}
    days = check(Asked(aws, world, tmp_path / "days"), world, "event_days", {})
    assert {row["source"] for row in days} == {"no source named"}


def test_nothing_at_all(aws: LocalAws, tmp_path: Path) -> None:
    nothing = Asked(aws, EMPTY, tmp_path)
    for name in (*OF_THE_STREAM, *OF_A_RUN, "event_scores"):
        rows = check(nothing, EMPTY, name, {})
        assert rows == ([{"texts": 0, "events": 0, "share": None, "notices": 0}] if name == "event_totals" else [])


def test_old_days_are_not_read(aws: LocalAws, asked: Asked, tmp_path: Path) -> None:
    """The world has texts of 200 days ago, in a partition of their own."""
    recent = OnlyRecent(runs=1, records=1)
    assert len(recent.events) < len(WORLD.events)
    alone = Asked(aws, recent, tmp_path)
    for name in OF_THE_STREAM:
        parameters = parameters_of(WORLD, name, {})
        assert 0 < asked.scanned(name, parameters) <= alone.scanned(name, parameters), name
