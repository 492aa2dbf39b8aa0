"""Filling in queries, and what becomes of Athena's texts."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.dashboard.answers import MAX_PARAMETER_CHARACTERS, Asker, fill
from local.dashboard.document import Column, DataSet, QueryParameter
from local.dashboard.errors import QuestionError
from local.dashboard.source import DeployedDataSet

COLUMNS = (
    Column("name", "STRING"), Column("step", "INTEGER"), Column("loss", "DECIMAL"), Column("at", "DATETIME"),
    Column("good", "BOOLEAN"),
)  # fmt: skip
CURVE = DeployedDataSet(
    "curve",
    "SELECT * FROM curve WHERE run = <<$run>>",
    DataSet("Curve", "direct", COLUMNS, (QueryParameter("run", "newest"),)),
)


class FakeAthena:
    """Answers every query with the same rows, in Athena's form, and remembers what was asked."""

    def __init__(self, *rows: tuple[str | None, ...], names: tuple[str, ...] = ()) -> None:
        self.rows = [names or tuple(column.name for column in COLUMNS), *rows]
        self.asked: list[str] = []

    def start_query_execution(self, *, QueryString: str, **_: Any) -> dict[str, str]:
        self.asked.append(QueryString)
        return {"QueryExecutionId": "1"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        return {"QueryExecution": {"QueryExecutionId": "1", "Status": {"State": "SUCCEEDED"}}}

    def get_paginator(self, _: str) -> "FakeAthena":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        cells = [[{} if value is None else {"VarCharValue": value} for value in row] for row in self.rows]
        return [{"ResultSet": {"Rows": [{"Data": row} for row in cells]}}]


def _asker(athena: FakeAthena, **more: Any) -> Asker:
    return Asker(athena, "database", "workgroup", **more)


ROW = ("a", "12", "1.5", "2026-03-02 08:15:00.250", "true")


def test_a_value_cannot_leave_its_quotes() -> None:
    filled = fill("SELECT <<$a>>, '<<$b>>'", {"a": "it's '; DROP TABLE x; --", "b": "<<$a>>"})
    assert filled == "SELECT 'it''s ''; DROP TABLE x; --', ''<<$a>>''"


def test_a_parameter_without_value_is_named() -> None:
    with pytest.raises(QuestionError, match="parameter slice"):
        fill("WHERE slice = <<$slice>>", {"run": "a"})


def test_texts_become_values_of_the_columns_types() -> None:
    athena = FakeAthena(ROW, (None,) * 5, ("", "-3", "NaN", "2026-03-02", "FALSE"))
    answer = _asker(athena).answer(CURVE, {"run": "o'clock"})
    assert athena.asked == ["SELECT * FROM curve WHERE run = 'o''clock'"]
    name, step, loss, at, good = answer.values
    assert (name, step, good) == (["a", None, ""], [12, None, -3], [True, None, False])
    assert at == [1772439300250, None, 1772409600000]
    assert loss[:2] == [1.5, None] and math.isnan(loss[2])  # type: ignore[arg-type]
    assert (answer.rows, answer.total_rows) == (3, 3)


def test_a_value_of_the_wrong_type_is_said_without_its_text() -> None:
    with pytest.raises(QuestionError) as caught:
        _asker(FakeAthena(("a", "nodule", None, None, None))).answer(CURVE, {"run": "a"})
    assert str(caught.value) == "data set curve: column step has a value of 6 characters that is no INTEGER"


def test_an_answer_without_a_column_is_refused() -> None:
    with pytest.raises(QuestionError, match="no column step, loss, at, good"):
        _asker(FakeAthena(("a",), names=("name",))).answer(CURVE, {"run": "a"})


def test_what_was_cut_is_known() -> None:
    answer = _asker(FakeAthena(*[ROW] * 5), row_limit=2).answer(CURVE, {"run": "a"})
    assert (answer.rows, answer.total_rows) == (2, 5)


def test_answers_are_remembered_until_they_are_forgotten() -> None:
    athena = FakeAthena(ROW)
    asker = _asker(athena)
    asker.answer(CURVE, {"run": "a"})
    asker.answer(CURVE, {"run": "a"})
    assert len(athena.asked) == 1
    asker.answer(CURVE, {"run": "b"})
    asker.forget()
    asker.answer(CURVE, {"run": "a"})
    assert len(athena.asked) == 3
    asker.forget({"another"})
    asker.answer(CURVE, {"run": "a"})
    assert len(athena.asked) == 3
    asker.forget({"another", CURVE.identifier})
    asker.answer(CURVE, {"run": "a"})
    assert len(athena.asked) == 4


def test_the_same_question_at_the_same_time_is_asked_once() -> None:
    athena = FakeAthena(ROW)
    began = threading.Event()
    start = athena.start_query_execution

    def slowly(**request: Any) -> dict[str, str]:
        began.wait(10)
        return start(**request)

    athena.start_query_execution = slowly  # type: ignore[method-assign]
    asker = _asker(athena)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(asker.answer, CURVE, {"run": "a"}) for _ in range(3)]
        began.set()
        assert len({id(answer.result(10)) for answer in answers}) == 1
    assert len(athena.asked) == 1


def test_a_failure_is_not_remembered() -> None:
    athena = FakeAthena(("a", "nodule", None, None, None))
    asker = _asker(athena)
    for _ in range(2):
        with pytest.raises(QuestionError):
            asker.answer(CURVE, {"run": "a"})
    assert len(athena.asked) == 2


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "no value for the parameter run"),
        ({"run": "a", "walk": "b"}, "has no parameter walk"),
        ({"run": "x" * (MAX_PARAMETER_CHARACTERS + 1)}, "has 2001 characters"),
    ],
)
def test_questions_that_are_none(parameters: dict[str, str], said: str) -> None:
    athena = FakeAthena(ROW)
    with pytest.raises(QuestionError, match=said):
        _asker(athena).answer(CURVE, parameters)
    assert athena.asked == []
