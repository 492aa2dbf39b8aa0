"""What the local commands call, on a stage whose AWS is invented."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.dashboard import local_stage
from local.dashboard.answers import Asker
from local.dashboard.document import Answer
from local.dashboard.errors import SourceError
from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.dashboard.source import DeployedDataSet
from local.deployment import Names
from stacks.dashboard.events import stream_data_sets
from tests.dashboard.event_world import EventWorld
from tests.dashboard.test_reviewing import post
from tests.dashboard.test_server import _get
from tests.dashboard.world import TASK, World
from tests.lambdas.aws_in_memory import connect
from tests.operations.test_review import FakeFunctions

WORLD = World(runs=1, records=2)
WORLDS = {"board": WORLD, "events-board": EventWorld(runs=1, records=2)}
NAMES = Names(
    bucket="bucket",
    database="database",
    workgroup="workgroup",
    pipelines={TASK: "pipeline"},
    text_queues={},
    notice_topics={},
    review_functions={"adverse_events": "reviews"},
    dashboards={"summary": "board", "classification": "events-board"},
)


class FakeTables:
    """S3 as far as it is asked: which objects lie under a prefix."""

    def __init__(self) -> None:
        self.objects: dict[str, datetime] = {}

    def get_paginator(self, _: str) -> "FakeTables":
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        assert Bucket == NAMES.bucket
        found = [{"LastModified": time} for key, time in self.objects.items() if key.startswith(Prefix)]
        yield {"Contents": found} if found else {}


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


def _answer(_: Asker, data_set: DeployedDataSet, parameters: Mapping[str, str]) -> Answer:
    # Of those that both have, the first one's will do.
    world = next(one for one in WORLDS.values() if data_set in one.deployed().data_sets.values())
    return world.answer(data_set, parameters)


@pytest.fixture
def stage(tables: FakeTables, monkeypatch: pytest.MonkeyPatch, bundles: Path) -> Any:
    clients = {"s3": tables, "quicksight": object(), "athena": object()}
    monkeypatch.setattr(local_stage, "read_dashboard", lambda *asked: WORLDS[asked[-1]].deployed())
    monkeypatch.setattr(local_stage.Asker, "answer", _answer)
    return SimpleNamespace(aws=SimpleNamespace(client=clients.__getitem__), names=NAMES)


def test_the_stages_dashboard_is_served_and_notices_new_rows(stage: Any, tables: FakeTables) -> None:
    with dashboard_server(stage) as url:
        revisions = [_get(url, "/revision")[2]["revision"]]
        tables.objects["tables/runs/task=a/month=2026-03/run.parquet"] = datetime(2026, 3, 2, tzinfo=UTC)
        revisions.append(_get(url, "/revision")[2]["revision"])
        tables.objects["tables/scores/task=a/month=2026-03/run.parquet"] = datetime(2026, 3, 3, tzinfo=UTC)
        revisions.append(_get(url, "/revision")[2]["revision"])
        tables.objects["uploads/a/train/file"] = datetime(2026, 3, 4, tzinfo=UTC)
        assert len(set(revisions)) == 3 and _get(url, "/revision")[2]["revision"] == revisions[-1]
        tables.objects["tables/events/task=a/day=2026-03-05/batch.parquet"] = datetime(2026, 3, 5, tzinfo=UTC)
        assert _get(url, "/revision")[2]["revision"] == revisions[-1], "no table of the reports"
        assert _get(url, "/document")[2]["title"] == "Report tuning"


def test_the_dashboard_of_events_notices_what_comes_in(stage: Any, tables: FakeTables) -> None:
    with dashboard_server(stage) as url:
        document = _get(url, "/classification/document")[2]
        assert document["title"] == "Adverse events"
        links = {link["path"]: link["title"] for link in document["dashboards"]}
        assert links == {"/": "Report tuning", "/classification/": "Adverse events"}
        assert _get(url, "/document")[2]["dashboards"] == document["dashboards"]
        before = _get(url, "/classification/revision")[2]["revision"]
        tables.objects["tables/events/task=a/day=2026-03-05/batch.parquet"] = datetime(2026, 3, 5, tzinfo=UTC)
        assert _get(url, "/classification/revision")[2]["revision"] != before


def test_only_what_has_new_rows_is_asked_anew(stage: Any, tables: FakeTables, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[set[str] | None] = []
    monkeypatch.setattr(local_stage.Asker, "forget", lambda _, data_sets=None: forgotten.append(data_sets))
    everything = {one.name for one in WORLDS["events-board"].dashboard.data_sets}
    of_the_stream = {one.name for one in stream_data_sets.DATA_SETS}
    with dashboard_server(stage) as url:
        _get(url, "/classification/document")
        tables.objects["tables/events/task=a/day=2026-03-05/batch.parquet"] = datetime(2026, 3, 5, tzinfo=UTC)
        _get(url, "/classification/document")
        _get(url, "/classification/document")
        tables.objects["tables/scores/task=a/month=2026-03/run.parquet"] = datetime(2026, 3, 6, tzinfo=UTC)
        _get(url, "/classification/document")
        _get(url, "/classification/document?fresh=yes")
    assert forgotten == [everything, of_the_stream, everything, None]


@pytest.mark.parametrize(
    ("kind", "part"),
    [(None, "answers-reports"), ("summary", "answers-reports"), ("classification", "answers-newest_events")],
)
def test_the_stages_dashboard_is_written_as_a_file(stage: Any, tmp_path: Path, kind: str | None, part: str) -> None:
    path = write_dashboard_file(stage, tmp_path / "dashboard.html", kind)
    content = path.read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>") and f'id="{part}"' in content


def test_a_verdict_reaches_the_function_of_its_task(stage: Any, tables: FakeTables) -> None:
    functions = FakeFunctions({"verdict": "rejected", "label": "Not_AE"})
    client = stage.aws.client
    stage.aws.client = lambda name: connect("lambda", functions) if name == "lambda" else client(name)
    said = {"task": "adverse_events", "event_id": "A-1", "source": None, "verdict": "rejected"}
    with dashboard_server(stage) as url:
        board = f"{url}classification/"
        offered = _get(url, "/classification/document")[2]["reviews"]
        assert offered == {"data_set": "newest_events", "tasks": ["adverse_events"]}
        assert _get(url, "/document")[2]["reviews"] is None
        before = _get(url, "/classification/revision")[2]["revision"]
        assert post(board, said) == (200, {"label": "Not_AE"})
        ((function, asked),) = functions.called
        assert function == "reviews"
        assert asked == {"event_id": "A-1", "source": None, "verdict": "rejected", "reviewer": None}
        tables.objects["tables/reviews/task=a/day=2026-03-05/a.parquet"] = datetime(2026, 3, 5, tzinfo=UTC)
        assert _get(url, "/classification/revision")[2]["revision"] != before

        functions.answer = {"error": "UnknownEventError", "reason": "there is no such event"}
        assert post(board, said) == (400, {"error": "there is no such event"})


def test_without_a_stream_nothing_can_be_reviewed(stage: Any) -> None:
    stage.names = replace(NAMES, review_functions={})
    with dashboard_server(stage) as url:
        assert _get(url, "/classification/document")[2]["reviews"] is None


def test_a_kind_without_tasks_has_no_dashboard(stage: Any) -> None:
    stage.names = replace(NAMES, dashboards={"summary": "board"})
    with pytest.raises(SourceError, match="no dashboard of classification tasks, but of summary"):
        write_dashboard_file(stage, Path("nowhere.html"), "classification")


def test_a_stage_without_dashboard_says_so(stage: Any) -> None:
    stage.names = replace(NAMES, dashboards={})
    with pytest.raises(SourceError, match="no dashboard: `dashboard` is missing"):
        write_dashboard_file(stage, Path("nowhere.html"))
