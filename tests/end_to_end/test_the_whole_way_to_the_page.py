"""The deployed dashboard, read back from the local QuickSight, asked of the local Athena and drawn in a browser."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.coverage import Limits
from local.dashboard.local_stage import dashboard_server, write_dashboard_file
from local.stage import LocalStage
from stacks.dashboard.report.choice_data_sets import DATA_SETS as CHOICE_DATA_SETS
from stacks.dashboard.report.data_sets import LOSS
from stacks.dashboard.report.report_dashboard import report_dashboard
from tests.dashboard.open_page import OpenPage, opened
from tests.dashboard.same_numbers import assert_same_numbers
from tests.end_to_end.athena_numbers import AthenaNumbers
from tests.end_to_end.conftest import TASK, Pipeline, rows
from tests.end_to_end.reports import write_reports
from training.table_schemas import ABNORMAL, CONSTANT, FINE_TUNED, NEWEST, NORMAL

pytestmark = pytest.mark.end_to_end
DASHBOARD = report_dashboard([TASK])


def _evaluated(stage: LocalStage) -> list[str]:
    """Runs with scores, oldest first."""
    found = rows(stage, f"SELECT DISTINCT run_id, started_at FROM scores WHERE task = '{TASK}' ORDER BY started_at")
    return [str(row["run_id"]) for row in found]


@pytest.fixture(scope="module")
def evaluated(pipeline_of_stage: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Runs with scores, oldest first: what earlier tests left, and at least two."""
    folder = tmp_path_factory.mktemp("reports")
    while len(found := _evaluated(pipeline_of_stage.stage)) < 2:
        known = len(pipeline_of_stage.runs())
        pipeline_of_stage.upload(write_reports(folder / "dev3.jsonl", range(2000, 2040)), "dev3")
        pipeline_of_stage.upload(write_reports(folder / "more.jsonl", range(3000, 3300 + known)))
        view = pipeline_of_stage.wait(pipeline_of_stage.next_run(known))
        pipeline_of_stage.row(view.run_id)
    pipeline_of_stage.settle()
    return found


@pytest.fixture
def served(stage: LocalStage, evaluated: list[str], browser: Any) -> Iterator[OpenPage]:
    with dashboard_server(stage) as url, opened(browser, url) as page:
        yield page
        assert page.complaints == []


def _numbers_of_athena(
    stage: LocalStage, parameters: Mapping[str, str], ticks: Mapping[str, list[str]]
) -> dict[str, Any]:
    return AthenaNumbers(lambda query: rows(stage, query), DASHBOARD, stage.names.database, parameters, ticks).all()


@pytest.mark.parametrize(
    ("parameters", "ticks"),
    [
        ({}, {}),
        ({"run": "first", "compare": "last", "slice": ABNORMAL}, {}),
        ({"run": "last", "slice": NORMAL, "order": LOSS, "search": "HEART"}, {"model": [FINE_TUNED, CONSTANT]}),
        ({"search": "nobody wrote this"}, {"evaluation_set": ["no such set"]}),
    ],
    ids=["as it opens", "two runs", "a slice, ticked models and a search", "nothing left"],
)
def test_every_number_is_what_athena_answers(
    stage: LocalStage,
    evaluated: list[str],
    served: OpenPage,
    parameters: dict[str, str],
    ticks: dict[str, list[str]],
) -> None:
    runs = {"first": evaluated[0], "last": evaluated[-1]}
    chosen = {name: runs.get(value, value) for name, value in parameters.items()}
    view = [f"p.{name}={value}" for name, value in chosen.items()]
    view += [f"f.tick-{column.replace('_', '-')}={value}" for column, values in ticks.items() for value in values]
    for sheet in (one.id for one in DASHBOARD.sheets):
        served.go("&".join((f"sheet={sheet}", *view)))
        assert served.page.locator(".gap, .failure").all_inner_texts() == []
        assert served.page.locator(".tile").count() > 0
    assert_same_numbers(served.numbers(), _numbers_of_athena(stage, chosen, ticks))


def test_a_data_sets_columns_are_those_of_its_query(stage: LocalStage, evaluated: list[str]) -> None:
    numbers = AthenaNumbers(lambda query: rows(stage, query), DASHBOARD, stage.names.database, {}, {})
    answered = {data_set.name: columns for data_set, columns in numbers.declared_and_answered()}
    declared = {one.name: [column.name for column in one.columns] for one in DASHBOARD.data_sets}
    # This task names no candidates, and what has no row says nothing of its columns.
    assert declared.keys() - answered.keys() <= {one.name for one in CHOICE_DATA_SETS}
    assert answered == {name: declared[name] for name in answered}


def test_the_file_shows_what_the_served_page_shows(
    stage: LocalStage,
    served: OpenPage,
    browser: Any,
    tmp_path: Path,
) -> None:
    served.go()
    path = write_dashboard_file(stage, tmp_path / "dashboard.html", limits=Limits(linked_values=1))
    with opened(browser, path.as_uri()) as file:
        file.go()
        assert file.complaints == []
        assert file.control("Run").input_value() == NEWEST
        assert file.numbers() == served.numbers()


def test_what_an_answer_rested_on_stands_beside_it(stage: LocalStage, evaluated: list[str], served: OpenPage) -> None:
    """Put together here from the table's rows, without the data set's query."""
    partition = f"WHERE task = '{TASK}' AND run_id = '{NEWEST}'"
    similar: dict[tuple[str | None, ...], list[dict[str, str | None]]] = {}
    for row in rows(stage, f"SELECT * FROM similar_reports {partition}"):
        similar.setdefault((row["record_id"], row["evaluation_set"]), []).append(row)
    expected = {}
    for row in rows(stage, f"SELECT * FROM predictions {partition} AND model = '{FINE_TUNED}'"):
        shown = sorted(
            similar.get((row["record_id"], row["evaluation_set"]), []), key=lambda one: int(str(one["rank"]))
        )
        # The task of these tests answers with the consensus, so Evaluate found what Generate had found.
        assert [one["impression"] for one in shown if one["agreed"] == "true"] == [row["prediction"]]
        expected[row["input"], row["evaluation_set"]] = "\n".join(
            f"{one['rank']} · {float(str(one['similarity'])):.2f} · {one['similar_id']}"
            f"{' · consensus' if one['agreed'] == 'true' else ''}: {one['impression']}"
            for one in shown
        )
    served.go("sheet=reports")
    table = served.numbers()["reports-table"]
    at = [table["columns"].index(name) for name in ("findings", "evaluation_set", "similar_reports")]
    assert {(row[at[0]], row[at[1]]): row[at[2]] for row in table["rows"]} == expected
    assert any(text.count("\n") >= 2 for text in expected.values())
