"""The deployed dashboard, read back from the local QuickSight, asked of the local Athena and drawn in a browser."""

from pathlib import Path
from typing import Any

import pytest

from local.dashboard.coverage import Limits
from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.results import Tables
from local.stage import LocalStage
from tests.dashboard.conftest import browser  # noqa: F401  # a fixture
from tests.dashboard.open_page import SHEETS, OpenPage, opened
from tests.end_to_end.conftest import TASK
from training.table_schemas import FINE_TUNED, NEWEST

pytestmark = pytest.mark.end_to_end


def _newest_score(stage: LocalStage) -> float | None:
    """Mean ROUGE-L of the fine-tuned model over the evaluation sets of the newest evaluated run, as Athena has it."""
    tables = Tables(stage.aws.client("athena"), stage.names)
    newest = tables._ask(f"SELECT max_by(run_id, started_at) AS run_id FROM scores WHERE task = '{TASK}'")
    if newest[0]["run_id"] is None:
        return None
    scores = tables.scores(TASK, str(newest[0]["run_id"]))
    means = [models[FINE_TUNED]["rougeL"] for models in scores.values()]
    return sum(means) / len(means)


def _check(page: OpenPage, score: float | None) -> dict[str, Any]:
    for sheet in SHEETS:
        page.go(f"sheet={sheet}")
        assert page.page.locator(".gap, .failure").all_inner_texts() == []
        assert page.page.locator(".tile").count() > 0
    assert page.complaints == []
    numbers = page.numbers()
    assert [name for name, found in numbers.items() if "gap" in found] == []
    shown = numbers["overview-rougel"]["value"]
    assert shown == (None if score is None else pytest.approx(score))
    return numbers


def test_the_page_shows_what_was_deployed_and_what_athena_answers(
    stage: LocalStage,
    browser: Any,  # noqa: F811
    tmp_path: Path,
) -> None:
    score = _newest_score(stage)
    with dashboard_server(stage) as url, opened(browser, url) as page:
        served = _check(page, score)
    path = write_dashboard_file(stage, tmp_path / "dashboard.html", Limits(linked_values=1))
    with opened(browser, path.as_uri()) as page:
        assert _check(page, score) == served
        assert page.control("Run").input_value() == NEWEST
