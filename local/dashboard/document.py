"""What the page is made from: one JSON document, version 1.

    {"version": 1, "title", "definition", "theme": {...} | null,
     "data_sets": {identifier: {"title", "mode": "spice" | "direct", "columns": [{"name", "type"}],
                                "parameters": [{"name", "default"}]}},
     "texts": [str], "answers": [{"data_set", "parameters": {name: value}, "columns": [name],
                                  "values": [[...] a column], "rows": int, "total_rows": int}],
     "left_out": [{"data_set", "combinations": int}], "provenance": {label: text}}

`definition` and `theme` are in QuickSight's own words. A data set of mode `spice` has one answer, without parameters;
one of mode `direct` has an answer for each combination of its parameters that is in the document, and the server is
asked for the others. Values are kept by column: INTEGER and DECIMAL as numbers (NaN and the infinities as their names,
for JSON has no numbers for them), DATETIME as milliseconds since 1970 UTC, BOOLEAN as such, and STRING as places in
`texts`, since the same report stands in many answers. null is null. `total_rows` is larger than `rows` where an answer
was cut.

The server's answer to one question is `{"version", "texts", "answers": [one]}`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

VERSION = 1
ColumnType = Literal["STRING", "INTEGER", "DECIMAL", "DATETIME", "BOOLEAN"]
Value = str | int | float | bool | None
Json = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a data set, its type in QuickSight's words."""

    name: str
    type: ColumnType


@dataclass(frozen=True)
class QueryParameter:
    """A text that is filled into a data set's query, and its value where nothing gives it one."""

    name: str
    default: str


@dataclass(frozen=True)
class DataSet:
    """What a data set holds, without how it is asked."""

    title: str
    mode: Literal["spice", "direct"]
    columns: tuple[Column, ...]
    parameters: tuple[QueryParameter, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Rows of a data set. `values` has one sequence a column, in the order of `columns`."""

    data_set: str
    parameters: Mapping[str, str]
    columns: tuple[Column, ...]
    values: tuple[Sequence[Value], ...]
    total_rows: int

    @property
    def rows(self) -> int:
        return len(self.values[0]) if self.values else 0


@dataclass(frozen=True)
class LeftOut:
    """How many answers of a data set a file does not hold."""

    data_set: str
    combinations: int


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything the page shows.

    `provenance` is shown at its foot, but for `summary` (below its title) and `revision`.
    """

    title: str
    definition: Json
    theme: Json | None
    data_sets: Mapping[str, DataSet]
    answers: tuple[Answer, ...]
    left_out: tuple[LeftOut, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        texts = _Texts()
        return _dump(
            {
                "version": VERSION,
                "title": self.title,
                "definition": self.definition,
                "theme": self.theme,
                "data_sets": {name: _data_set_json(data_set) for name, data_set in self.data_sets.items()},
                "answers": [_answer_json(answer, texts) for answer in self.answers],
                "left_out": [{"data_set": one.data_set, "combinations": one.combinations} for one in self.left_out],
                "provenance": dict(self.provenance),
                "texts": texts.all,
            }
        )


def answer_to_json(answer: Answer) -> str:
    """One answer alone, as the server gives it."""
    texts = _Texts()
    return _dump({"version": VERSION, "answers": [_answer_json(answer, texts)], "texts": texts.all})


class _Texts:
    """Every different text once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = len(self.all)
            self.all.append(text)
        return place


def _answer_json(answer: Answer, texts: _Texts) -> Json:
    return {
        "data_set": answer.data_set,
        "parameters": dict(answer.parameters),
        "columns": [column.name for column in answer.columns],
        "values": [
            [_value_json(value, texts) for value in values]
            for values in answer.values
        ],
        "rows": answer.rows,
        "total_rows": answer.total_rows,
    }  # fmt: skip


def _value_json(value: Value, texts: _Texts) -> Any:
    if isinstance(value, str):
        return texts.place(value)
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _data_set_json(data_set: DataSet) -> Json:
    return {
        "title": data_set.title,
        "mode": data_set.mode,
        "columns": [{"name": column.name, "type": column.type} for column in data_set.columns],
        "parameters": [{"name": one.name, "default": one.default} for one in data_set.parameters],
    }


def _dump(content: Json) -> str:
    # Text that is no text in UTF-8 (half of a pair) is written as an escape, which JavaScript reads.
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
