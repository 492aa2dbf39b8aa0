"""How parameters are filled into a data set's SQL."""

from typing import Any

import pytest

from local.emulator.quicksight.data_set_parameters import declared_parameters, fill_in
from local.emulator.quicksight.errors import InvalidParameter, InvalidSqlParameter


def parameter(kind: str, name: str, *defaults: Any, multi: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"Id": name, "Name": name, "ValueType": "MULTI_VALUED" if multi else "SINGLE_VALUED"}
    if defaults:
        content["DefaultValues"] = {"StaticValues": list(defaults)}
    return {f"{kind}DatasetParameter": content}


PARAMETERS = declared_parameters(
    {
        "DatasetParameters": [
            parameter("String", "run", "r1"),
            parameter("String", "sets", "dev1", "dev2", multi=True),
            parameter("Integer", "most"),
        ]
    }
)


@pytest.mark.parametrize(
    ("sql", "values", "filled"),
    [
        ("run = <<$run>>", {}, "run = 'r1'"),
        ("run = <<$run>>", {"run": ["it's"]}, "run = 'it''s'"),
        ("set IN (<<$sets>>) AND run = <<$run>>", {}, "set IN ('dev1', 'dev2') AND run = 'r1'"),
        ("LIMIT <<$most>>", {"most": [7]}, "LIMIT 7"),
        ("SELECT 1", {}, "SELECT 1"),
    ],
)
def test_filled_in(sql: str, values: dict[str, list[Any]], filled: str) -> None:
    assert fill_in(sql, PARAMETERS, values) == filled


@pytest.mark.parametrize(
    ("sql", "values", "message"),
    [
        ("<<$other>>", {}, "does not declare: other"),
        ("<<$most>>", {}, "most has no value"),
        ("<<$run>>", {"run": ["a", "b"]}, "run takes one value, got 2"),
        ("<<$most>>", {"most": ["1; DROP TABLE x"]}, "most takes values of type Integer"),
        ("<<$run>>", {"run": [1]}, "run takes values of type String"),
    ],
)
def test_what_does_not_fit_is_named(sql: str, values: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(InvalidSqlParameter, match=message):
        fill_in(sql, PARAMETERS, values)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([parameter("DateTime", "a")], "does not offer DateTimeDatasetParameter"),
        ([parameter("String", "a"), parameter("Integer", "a")], "a is declared twice"),
    ],
)
def test_declarations_that_cannot_be(given: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        declared_parameters({"DatasetParameters": given})
