"""What the page is made from: JSON documents, version 1.

    {"version": 1, "title", "definition", "theme": {...} | null, "dashboards": [{"title", "path"}],
     "data_sets": {identifier: {"title", "mode": "spice" | "direct", "columns": [{"name", "type"}],
                                "parameters": [{"name", "default"}]}},
     "left_out": [{"data_set", "combinations": int}], "provenance": {label: text},
     "reviews": {"data_set", "tasks": [name]} | null,
     "parts": {identifier: [{parameter: value}]}, "answers", "texts", "columns"}

    {"version": 1,
     "answers": [{"data_set", "parameters": {name: value}, "columns": [name], "values": [int], "total_rows": int}],
     "texts": [str], "columns": [[...]]}

The first is the dashboard, the second a part: answers alone, as a file keeps them for each direct data set (so that a
page opens without reading reports that nobody looks at yet; `parts` says which answers they hold) and as the server
gives them one by one. `definition` and `theme` are in QuickSight's own words. A data set of mode `spice` has one
answer, without parameters, in the first document; one of mode `direct` an answer for each combination of its
parameters. `dashboards` are all that the server has, this one among them; a file has none. Rows of the data set
that `reviews` names may be judged (by its columns event_id, source, label and review) while one of the tasks is shown;
in a file it is null.

`values` are places in `columns`, where the same column of several answers stands once. A column holds INTEGER and
DECIMAL as numbers (NaN and the infinities as their names, for JSON has no numbers for them), DATETIME as milliseconds
since 1970 UTC, BOOLEAN as such, and STRING as places in `texts`, since the same report stands in many answers. null is
null. `total_rows` is larger than the number of rows where an answer was cut.
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


@dataclass(frozen=True)
class Link:
    """A dashboard of the same server, and where it lies there."""

    title: str
    path: str


@dataclass(frozen=True)
class Reviewable:
    """Rows of this data set may be judged on the page while one of these tasks is shown."""

    data_set: str
    tasks: tuple[str, ...]


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
    dashboards: tuple[Link, ...] = ()
    reviews: Reviewable | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The dashboard, with the answers that are kept whole."""
        pool = _Pool()
        kept = [answer for answer in self.answers if not self._is_direct(answer)]
        parts: dict[str, list[Json]] = {}
        for answer in self.answers:
            if self._is_direct(answer):
                parts.setdefault(answer.data_set, []).append(dict(answer.parameters))
        return _dump(
            {
                "version": VERSION,
                "title": self.title,
                "definition": self.definition,
                "theme": self.theme,
                "dashboards": [{"title": one.title, "path": one.path} for one in self.dashboards],
                "reviews": self.reviews and {"data_set": self.reviews.data_set, "tasks": list(self.reviews.tasks)},
                "data_sets": {name: _data_set_json(data_set) for name, data_set in self.data_sets.items()},
                "left_out": [{"data_set": one.data_set, "combinations": one.combinations} for one in self.left_out],
                "provenance": dict(self.provenance),
                "parts": parts,
                **pool.answers_json(kept),
            }
        )

    def parts_json(self) -> dict[str, str]:
        """Direct data set -> the part with its answers."""
        direct = [answer for answer in self.answers if self._is_direct(answer)]
        names = dict.fromkeys(answer.data_set for answer in direct)
        return {name: answers_to_json([answer for answer in direct if answer.data_set == name]) for name in names}

    def _is_direct(self, answer: Answer) -> bool:
        return self.data_sets[answer.data_set].mode == "direct"


def answers_to_json(answers: Sequence[Answer]) -> str:
    """A part: answers alone."""
    return _dump({"version": VERSION, **_Pool().answers_json(answers)})


class _Pool:
    """Every different text and every different column once."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}
        # By their JSON, for lists cannot be keys.
        self._places: dict[str, int] = {}
        self._columns: list[list[Any]] = []

    def answers_json(self, answers: Sequence[Answer]) -> Json:
        written = [
            {
                "data_set": answer.data_set,
                "parameters": dict(answer.parameters),
                "columns": [column.name for column in answer.columns],
                "values": [self._column_place(values) for values in answer.values],
                "total_rows": answer.total_rows,
            }
            for answer in answers
        ]
        return {"answers": written, "texts": list(self._texts), "columns": self._columns}

    def _column_place(self, values: Sequence[Value]) -> int:
        column = [self._value_json(value) for value in values]
        written = _dump(column)
        if written not in self._places:
            self._places[written] = len(self._columns)
            self._columns.append(column)
        return self._places[written]

    def _value_json(self, value: Value) -> Any:
        if isinstance(value, str):
            return self._texts.setdefault(value, len(self._texts))
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


def _dump(content: Any) -> str:
    # Text that is no text in UTF-8 (half of a pair) is written as an escape, which JavaScript reads.
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
