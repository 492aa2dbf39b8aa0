"""What the local commands call, on a stage whose AWS is invented."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.dashboard import local_stage
from local.dashboard.errors import SourceError
from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.deployment import Names
from tests.dashboard.test_server import _get
from tests.dashboard.world import TASK, World

WORLD = World(runs=1, records=2)
NAMES = Names(
    bucket="bucket", database="database", workgroup="workgroup", pipelines={TASK: "pipeline"}, dashboard="board"
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


@pytest.fixture
def stage(tables: FakeTables, monkeypatch: pytest.MonkeyPatch, bundles: Path) -> Any:
    clients = {"s3": tables, "quicksight": object(), "athena": object()}
    monkeypatch.setattr(local_stage, "read_dashboard", lambda *_: WORLD.deployed())
    monkeypatch.setattr(local_stage.Asker, "answer", lambda _, data_set, parameters: WORLD.answer(data_set, parameters))
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
        assert _get(url, "/document")[2]["title"] == "Report tuning"


def test_the_stages_dashboard_is_written_as_a_file(stage: Any, tmp_path: Path) -> None:
    path = write_dashboard_file(stage, tmp_path / "dashboard.html")
    content = path.read_text(encoding="utf-8")
    assert content.startswith("<!doctype html>") and 'id="answers-reports"' in content


def test_a_stage_without_dashboard_says_so(stage: Any) -> None:
    stage.names = replace(NAMES, dashboard=None)
    with pytest.raises(SourceError, match="no dashboard: `dashboard` is missing"):
        write_dashboard_file(stage, Path("nowhere.html"))
