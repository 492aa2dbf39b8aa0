"""The dashboards of the local stage, one a kind of task.

with dashboard_server(stage) as url: ...        all of them served, until the block ends
write_dashboard_file(stage, STATE / "dashboard.html", "classification")
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.dashboard.answers import Asker
from local.dashboard.coverage import Limits
from local.dashboard.errors import SourceError, VerdictError
from local.dashboard.live import LiveDashboard
from local.dashboard.page import write_page
from local.dashboard.reviewing import Review, Reviewing, reviewable
from local.dashboard.server import serving
from local.dashboard.source import DeployedDashboard, read_dashboard
from local.deployment import ACCOUNT
from local.stage import LocalStage
from operations.review import review
from operations.stream import OperationError
from training.table_schemas import RUNS, SCORES, STREAMED

_LIMITS = Limits()
# Where a new object says that there is something new: record_run and Evaluate write each run as one of its own, and
# what comes in lies in many, as what people say of it does.
_GROWING = (RUNS, SCORES, *STREAMED)


@contextmanager
def dashboard_server(stage: LocalStage, port: int = 0) -> Iterator[str]:
    """Serve the stage's dashboards on this machine; gives the address of the first, whose page leads to the others.

    Raises:
        DashboardPageError: there is no dashboard, it cannot be read, or the page cannot be built.
    """
    dashboards = {kind: _live(stage, dashboard_id) for kind, dashboard_id in _deployed(stage).items()}
    with serving(dashboards, port) as url:
        yield url


def write_dashboard_file(stage: LocalStage, path: Path, kind: str | None = None, limits: Limits = _LIMITS) -> Path:
    """Write the dashboard of a kind of task (the first, if none is named) with its rows as one HTML file.

    Returns `path`.

    Raises:
        DashboardPageError: as for `dashboard_server`.
        RunError: Athena failed.
    """
    dashboards = _deployed(stage)
    wanted = next(iter(dashboards)) if kind is None else kind
    if wanted not in dashboards:
        raise SourceError(f"the stage has no dashboard of {wanted} tasks, but of {', '.join(dashboards)}")
    write_page(_live(stage, dashboards[wanted]).whole_document(limits), path)
    return path


def _deployed(stage: LocalStage) -> dict[str, str]:
    if not stage.names.dashboards:
        raise SourceError("the stage has no dashboard: `dashboard` is missing in stages.yaml")
    return stage.names.dashboards


def _live(stage: LocalStage, dashboard_id: str) -> LiveDashboard:
    asker = Asker(stage.aws.client("athena"), stage.names.database, stage.names.workgroup)
    deployed = read_dashboard(stage.aws.client("quicksight"), ACCOUNT, dashboard_id)
    growing = _Growing(stage, deployed)
    return LiveDashboard(
        deployed=deployed,
        ask=asker.answer,
        forget=asker.forget,
        renew=lambda: asker.forget(growing.outdated()),
        revision=lambda: " ".join(growing.states().values()),
        origin="The local stage",
        reviewing=_reviewing(stage, deployed),
    )


def _reviewing(stage: LocalStage, deployed: DeployedDashboard) -> Reviewing | None:
    """How what a person says of an event reaches the function of its task."""
    functions = stage.names.review_functions
    shown = [one.identifier for one in deployed.data_sets.values() if reviewable(one)]
    if not functions or not shown:
        return None

    def give(said: Review) -> str:
        try:
            return review(
                stage.aws.client("lambda"),
                functions[said.task],
                event_id=said.event_id,
                source=said.source,
                verdict=said.verdict,
            )
        except OperationError as error:
            raise VerdictError(str(error)) from error

    return Reviewing(shown[0], tuple(functions), give)


class _Growing:
    """What tells that there are new rows for a dashboard, and for which of its data sets."""

    def __init__(self, stage: LocalStage, deployed: DeployedDashboard) -> None:
        self._s3 = stage.aws.client("s3")
        self._bucket = stage.names.bucket
        named = re.compile(rf'"{re.escape(stage.names.database)}"\.(\w+)')
        self._tables_of = {name: set(named.findall(one.sql)) for name, one in deployed.data_sets.items()}
        asked = set().union(*self._tables_of.values())
        self._tables = [table.name for table in _GROWING if table.name in asked]
        self._known: dict[str, str] = {}

    def states(self) -> dict[str, str]:
        """Table -> what changes with every object that is written to it."""
        found = {}
        for table in self._tables:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"tables/{table}/")
            written = [one["LastModified"] for page in pages for one in page.get("Contents", [])]
            found[table] = f"{len(written)}@{max(written).isoformat() if written else ''}"
        return found

    def outdated(self) -> set[str]:
        """The data sets whose tables have changed since this was asked last. A run changes all but what came in."""
        states = self.states()
        changed = {table for table, state in states.items() if self._known.get(table) != state}
        self._known = states
        if changed <= {table.name for table in STREAMED}:
            return {name for name, tables in self._tables_of.items() if tables & changed}
        return set(self._tables_of)
