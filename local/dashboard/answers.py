"""Answers of data sets: their queries with the parameters filled in, asked through Athena, with typed values."""

import re
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.athena import ask
from local.dashboard.document import Answer, Column, Value
from local.dashboard.errors import QuestionError
from local.dashboard.source import DeployedDataSet

_PLACEHOLDER = re.compile(r"<<\$(\w+)>>")
# A table of more rows helps nobody in a browser; what was cut is said in the page.
ROW_LIMIT = 100_000
MAX_PARAMETER_CHARACTERS = 2_000
# Every text that is searched for has an answer of its own.
MAX_REMEMBERED = 200


@dataclass
class Asker:
    """Asks Athena what data sets answer, and remembers it until `forget`.

    May be used by several threads at once; the same question at the same time is asked once.
    """

    athena: Any
    database: str
    workgroup: str
    row_limit: int = ROW_LIMIT
    _known: dict[tuple[str, ...], Future[Answer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, data_set: DeployedDataSet, parameters: Mapping[str, str]) -> Answer:
        """The data set's rows for these parameters (name -> value).

        Raises:
            QuestionError: a parameter is missing, unknown or too long.
            RunError: Athena failed.
        """
        chosen = _checked(data_set, parameters)
        key = (data_set.identifier, *(text for pair in sorted(chosen.items()) for text in pair))
        with self._lock:
            known = self._known.get(key)
            asked: Future[Answer] = known or Future()
            if known is None:
                self._known[key] = asked
                while len(self._known) > MAX_REMEMBERED:
                    del self._known[next(iter(self._known))]
        if known is None:
            try:
                asked.set_result(self._ask(data_set, chosen))
            except BaseException as error:
                with self._lock:
                    if self._known.get(key) is asked:
                        del self._known[key]
                asked.set_exception(error)
                raise
        return asked.result()

    def forget(self, data_sets: Collection[str] | None = None) -> None:
        """Ask anew from now on, these data sets or all: their tables have changed."""
        with self._lock:
            for key in [key for key in self._known if data_sets is None or key[0] in data_sets]:
                del self._known[key]

    def _ask(self, data_set: DeployedDataSet, parameters: Mapping[str, str]) -> Answer:
        query = fill(data_set.sql, parameters)
        rows = ask(self.athena, query, database=self.database, workgroup=self.workgroup)
        return typed_answer(data_set, parameters, rows[: self.row_limit], len(rows))


def fill(sql: str, parameters: Mapping[str, str]) -> str:
    """The query with every `<<$name>>` replaced by the parameter's value as a SQL text.

    Raises:
        QuestionError: the query has a parameter that has no value.
    """

    def literal(match: re.Match[str]) -> str:
        name = match[1]
        if name not in parameters:
            raise QuestionError(f"the query has a parameter {name} that was given no value")
        return "'" + parameters[name].replace("'", "''") + "'"

    return _PLACEHOLDER.sub(literal, sql)


def typed_answer(
    data_set: DeployedDataSet,
    parameters: Mapping[str, str],
    rows: Sequence[Mapping[str, str | None]],
    total_rows: int,
) -> Answer:
    """Athena's texts as values of the columns' types.

    Raises:
        QuestionError: the answer lacks a column, or holds what is not of its column's type.
    """
    columns = data_set.contents.columns
    missing = [column.name for column in columns if rows and column.name not in rows[0]]
    if missing:
        raise QuestionError(f"data set {data_set.identifier}: the answer has no column {', '.join(missing)}")
    values = tuple([_typed(data_set, column, row[column.name]) for row in rows] for column in columns)
    return Answer(data_set.identifier, dict(parameters), columns, values, total_rows)


def _typed(data_set: DeployedDataSet, column: Column, text: str | None) -> Value:
    if text is None or column.type == "STRING":
        return text
    try:
        match column.type:
            case "INTEGER":
                return int(text)
            case "DECIMAL":
                return float(text)
            case "BOOLEAN":
                return {"true": True, "false": False}[text.lower()]
            case "DATETIME":
                moment = datetime.fromisoformat(text)
                aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return round(aware.timestamp() * 1000)
    except (ValueError, KeyError) as error:
        # Not the text itself: it may be a report's.
        raise QuestionError(
            f"data set {data_set.identifier}: column {column.name} has a value of {len(text)} characters that is no "
            f"{column.type}"
        ) from error


def _checked(data_set: DeployedDataSet, parameters: Mapping[str, str]) -> dict[str, str]:
    known = [parameter.name for parameter in data_set.contents.parameters]
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise QuestionError(f"data set {data_set.identifier} has no parameter {', '.join(unknown)}")
    missing = [name for name in known if name not in parameters]
    if missing:
        raise QuestionError(f"data set {data_set.identifier}: no value for the parameter {', '.join(missing)}")
    for name, value in parameters.items():
        if len(value) > MAX_PARAMETER_CHARACTERS:
            raise QuestionError(
                f"the parameter {name} has {len(value)} characters, at most {MAX_PARAMETER_CHARACTERS} are taken"
            )
    return dict(parameters)
