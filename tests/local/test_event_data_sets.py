"""Every query of the dashboard of adverse events, asked of the local Athena over the rows of an invented world: what it
answers is what was computed without SQL."""

from pathlib import Path

import pytest

from local.aws import LocalAws
from stacks.dashboard.events import quality_data_sets, stream_data_sets, training_data_sets
from tests.dashboard.event_world import LABELS, EventWorld
from tests.dashboard.world import Row
from tests.local.asked_worlds import Asked, check, parameters_of
from training.table_schemas import (
    EVENTS,
    PRECISION_RECALL,
    PREDICTIONS,
    REVIEWS,
    SEARCH_JOBS,
    SYNTHETIC_EXAMPLES,
)
from training.tables import day_of

WORLD = EventWorld(runs=2, records=40)
ONE_SET = EventWorld(runs=1, records=30, sets=("dev1",), incoming=1100)
EMPTY = EventWorld(runs=0, incoming=0)
TASK, OTHER_TASK = LABELS
BY_RUN = (PREDICTIONS, PRECISION_RECALL, SEARCH_JOBS, SYNTHETIC_EXAMPLES)
OF_THE_STREAM = tuple(one.name for one in stream_data_sets.DATA_SETS)
OF_A_RUN = tuple(one.name for one in (*quality_data_sets.DATA_SETS, *training_data_sets.DATA_SETS) if one.is_direct)


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


class AskedOfEvents(Asked):
    """With what came in, in its days."""

    def __init__(self, aws: LocalAws, world: EventWorld, folder: Path) -> None:
        super().__init__(aws, world, folder, BY_RUN)
        self.create(EVENTS, REVIEWS)
        days = {(row["event_id"], row["source"]): day_of(row["arrived_at"]) for row in world.events}
        for table, rows in ((EVENTS, world.events), (REVIEWS, world.reviews)):
            by_day: dict[str, list[Row]] = {}
            for row in rows:
                by_day.setdefault(days[row["event_id"], row["source"]], []).append(row)
            for day, of_day in by_day.items():
                self.write(table, day, "batch.parquet", of_day)


@pytest.fixture(scope="module")
def asked(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return AskedOfEvents(aws, WORLD, tmp_path_factory.mktemp("rows"))


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
    alone = AskedOfEvents(aws, ONE_SET, tmp_path)
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
    rows = check(AskedOfEvents(aws, world, tmp_path), world, "newest_events", {})
    assert {row["review"] for row in rows} == said and {row["source"] for row in rows} == {None}
    days = check(AskedOfEvents(aws, world, tmp_path / "days"), world, "event_days", {})
    assert {row["source"] for row in days} == {"no source named"}


def test_nothing_at_all(aws: LocalAws, tmp_path: Path) -> None:
    nothing = AskedOfEvents(aws, EMPTY, tmp_path)
    for name in (*OF_THE_STREAM, *OF_A_RUN, "event_scores"):
        rows = check(nothing, EMPTY, name, {})
        assert rows == ([{"texts": 0, "events": 0, "share": None, "notices": 0}] if name == "event_totals" else [])


def test_old_days_are_not_read(aws: LocalAws, asked: Asked, tmp_path: Path) -> None:
    """The world has texts of 200 days ago, in a partition of their own."""
    recent = OnlyRecent(runs=1, records=1)
    assert len(recent.events) < len(WORLD.events)
    alone = AskedOfEvents(aws, recent, tmp_path)
    for name in OF_THE_STREAM:
        parameters = parameters_of(WORLD, name, {})
        assert 0 < asked.scanned(name, parameters) <= alone.scanned(name, parameters), name
