"""Queries of the dashboard of reports, asked of the local Athena over the rows of an invented world: what they
answer is what was computed without SQL."""

from pathlib import Path

import pytest

from local.aws import LocalAws
from stacks.dashboard.report import choice_data_sets
from stacks.dashboard.report.data_sets import EXAMPLE_ORDERS
from tests.dashboard.world import World
from tests.local.asked_worlds import Asked, check
from training.table_schemas import COMPARED, PREDICTIONS

# Its first run is of a time without candidates.
WORLD = World(runs=3, records=20)
ONE_SET = World(runs=2, records=13, sets=("dev1",))
BEFORE_CANDIDATES, OLDER = (run.run_id for run in WORLD.evaluated[:2])
OF_A_CHOICE = tuple(one.name for one in choice_data_sets.DATA_SETS)


@pytest.fixture(scope="module")
def asked(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(aws, WORLD, tmp_path_factory.mktemp("rows"), (PREDICTIONS, *COMPARED))


@pytest.mark.parametrize("name", OF_A_CHOICE)
def test_a_choice(asked: Asked, name: str) -> None:
    newest = check(asked, WORLD, name, {})
    assert newest and check(asked, WORLD, name, {"run": OLDER})
    assert check(asked, WORLD, name, {"run": "no such run"}) == []
    assert check(asked, WORLD, name, {"task": "another task"}) == []


@pytest.mark.parametrize("name", OF_A_CHOICE)
def test_a_run_without_candidates_has_no_rows_and_says_so(asked: Asked, name: str) -> None:
    rows = check(asked, WORLD, name, {"run": BEFORE_CANDIDATES})
    if name == "recommendation":
        assert {row["evaluation_set"] for row in rows} == set(WORLD.sets)
        assert {row["sentence"].split(":")[0] for row in rows} == {"Nothing was compared"}
    else:
        assert rows == []


def test_one_is_marked_as_recommended_at_most(asked: Asked) -> None:
    marked = [row["marked_candidate"] for row in check(asked, WORLD, "choice", {}) if "★" in row["marked_candidate"]]
    assert marked == ["dev1 · bart-of-2025 ★ recommended"]
    sentences = {row["evaluation_set"]: row["sentence"] for row in check(asked, WORLD, "recommendation", {})}
    assert sentences["dev1"].startswith("Recommended: bart-of-2025, for it is level with fine-tuned")
    assert sentences["holdout"].startswith("None is recommended")


def test_who_answered_nothing_has_no_scores_and_is_there(asked: Asked) -> None:
    rows = {row["set_and_candidate"]: row for row in check(asked, WORLD, "choice", {})}
    gone = rows["dev1 · endpoint-of-the-ward"]
    assert gone["answered"].startswith("0 of 20, failed: there is no endpoint")
    assert gone["rouge_l"] is None and gone["rouge_l_interval"] == ""
    rules = check(asked, WORLD, "errors_by_rule", {})
    assert "endpoint-of-the-ward" not in {row["candidate"] for row in rules}
    assert {row["per_100_answers"] for row in rules if row["candidate"] == "constant"} == {0.0}


def test_names_are_short_where_there_is_one_evaluation_set(aws: LocalAws, tmp_path: Path) -> None:
    alone = Asked(aws, ONE_SET, tmp_path, (PREDICTIONS, *COMPARED))
    for name in OF_A_CHOICE:
        check(alone, ONE_SET, name, {})
    assert "hosted-model" in {row["set_and_candidate"] for row in check(alone, ONE_SET, "choice", {})}
    # An odd number of records has one in the middle.
    middle = check(alone, ONE_SET, "before_and_after", {"example": "median gain first"})
    (first,) = [row for row in middle if row["place"] == 1]
    assert first["gain"] == sorted(row["gain"] for row in middle)[len(middle) // 2]


@pytest.mark.parametrize("order", EXAMPLE_ORDERS)
def test_before_and_after_in_every_order(asked: Asked, order: str) -> None:
    rows = sorted(check(asked, WORLD, "before_and_after", {"example": order}), key=lambda row: row["place"])
    assert [row["place"] for row in rows] == list(range(1, 41))
    gains = [row["gain"] for row in rows]
    new_errors = [len(row["after_errors"].split()) - len(row["before_errors"].split()) for row in rows]
    first = {
        "largest gain first": gains == sorted(gains, reverse=True),
        "largest loss first": gains == sorted(gains),
        "median gain first": max(gains) not in gains[:20] and min(gains) not in gains[:20],
        "new clinical errors first": rows[0]["after_errors"] != "" and new_errors[0] > 0,
        "longest text first": len(rows[0]["input"].split()) == max(len(row["input"].split()) for row in rows),
    }
    assert first[order]


def test_candidates_stand_in_the_distributions_and_not_in_the_history(asked: Asked) -> None:
    assert "bart-of-2025" in {row["model"] for row in check(asked, WORLD, "record_scores", {})}
    assert "bart-of-2025" not in {row["model"] for row in check(asked, WORLD, "history", {})}
    scores = check(asked, WORLD, "scores", {})
    kinds = {row["model"]: row["kind"] for row in scores}
    assert (kinds["fine-tuned"], kinds["lead"], kinds["bart-of-2025"]) == ("model", "floor", "candidate")
    # Or a mean over rows would depend on how many candidates answered a set.
    assert {row["fine_tuned"] for row in scores if row["kind"] == "candidate"} == {None}
