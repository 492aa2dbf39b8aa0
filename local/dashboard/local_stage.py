"""The dashboard of the local stage.

with dashboard_server(stage) as url: ...        served, until the block ends
write_dashboard_file(stage, STATE / "dashboard.html")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.dashboard.answers import Asker
from local.dashboard.coverage import Limits
from local.dashboard.errors import SourceError
from local.dashboard.live import LiveDashboard
from local.dashboard.page import write_page
from local.dashboard.server import serving
from local.dashboard.source import read_dashboard
from local.deployment import ACCOUNT
from local.stage import LocalStage
from training.table_schemas import RUNS, SCORES

_LIMITS = Limits()


@contextmanager
def dashboard_server(stage: LocalStage, port: int = 0) -> Iterator[str]:
    """Serve the stage's dashboard on this machine; gives its address.

    Raises:
        DashboardPageError: there is no dashboard, it cannot be read, or the page cannot be built.
    """
    with serving(_live(stage), port) as url:
        yield url


def write_dashboard_file(stage: LocalStage, path: Path, limits: Limits = _LIMITS) -> Path:
    """Write the stage's dashboard with its rows as one HTML file; returns `path`.

    Raises:
        DashboardPageError: as for `dashboard_server`.
        RunError: Athena failed.
    """
    write_page(_live(stage).whole_document(limits), path)
    return path


def _live(stage: LocalStage) -> LiveDashboard:
    if stage.names.dashboard is None:
        raise SourceError("the stage has no dashboard: `dashboard` is missing in stages.yaml")
    quicksight = stage.aws.client("quicksight")
    asker = Asker(stage.aws.client("athena"), stage.names.database, stage.names.workgroup)
    s3 = stage.aws.client("s3")

    def revision() -> str:
        """Changes with every row of a run: record_run and Evaluate write each as an object of its own."""
        newest = []
        for table in (RUNS, SCORES):
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=stage.names.bucket, Prefix=f"tables/{table.name}/"
            )
            written = [found["LastModified"] for page in pages for found in page.get("Contents", [])]
            newest.append(f"{len(written)}@{max(written).isoformat() if written else ''}")
        return " ".join(newest)

    return LiveDashboard(
        deployed=read_dashboard(quicksight, ACCOUNT, stage.names.dashboard),
        ask=asker.answer,
        forget=asker.forget,
        revision=revision,
        origin="The local stage",
    )
