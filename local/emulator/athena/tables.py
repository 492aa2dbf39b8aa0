"""A table as Athena sees it: its projected or registered partitions, and the columns that Glue declares."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from local.emulator.ministack_hooks import module
from local.emulator.partition_projection import ProjectionError, is_projected, projected_columns

_ATHENA = "ministack.services.athena"


def check_injected(query: str, database: str) -> None:
    """Refuse a query that gives no value for an injected partition column.

    A condition anywhere in the query counts, since Trino moves conditions into subqueries and across joins.

    Raises:
        ProjectionError: with Athena's own words.
    """
    athena, glue = module(_ATHENA), module("ministack.services.glue")
    tokens = list(athena._sql_tokens(query))
    for reference in athena._table_references(query):
        table = glue._tables.get(f"{reference.database or database or 'default'}/{reference.table}")
        if table is None or not is_projected(table):
            continue
        for column in projected_columns(table):
            if column.kind == "injected" and not _has_static_value(tokens, column.name):
                raise ProjectionError(
                    f"CONSTRAINT_VIOLATION: For the injected projected partition column {column.name}, the WHERE"
                    " clause must contain only static equality conditions, and at least one such condition must"
                    " be present."
                )


def _has_static_value(tokens: Sequence[tuple[str, str, int, int]], column: str) -> bool:
    """Whether somewhere stands `column = literal`, `literal = column` or `column IN (literal`."""
    literals = ("str", "number")
    for index, (kind, text, _, _) in enumerate(tokens):
        if kind not in ("name", "qname") or text.lower() != column.lower():
            continue
        after = [token[:2] for token in tokens[index + 1 : index + 4]]
        before = [token[:2] for token in tokens[max(0, index - 4) : index]]
        while len(before) >= 2 and before[-1] == ("punct", "."):
            before = before[:-2]  # The table's name or alias in front of the column.
        if len(after) >= 2 and after[0] == ("punct", "=") and after[1][0] in literals:
            return True
        if len(after) == 3 and after[:2] == [("name", "in"), ("punct", "(")] and after[2][0] in literals:
            return True
        if len(before) >= 2 and before[-1] == ("punct", "=") and before[-2][0] in literals:
            return True
    return False


def table_relation(original: Any, table: Mapping[str, Any], files: Sequence[str]) -> str:
    athena = module(_ATHENA)
    visible = _visible_files(table, files)
    empty: str = athena._empty_relation(table)
    if not visible:
        return empty
    found: str = original(table, visible)
    if athena._data_format(table) != "parquet":
        return found
    columns = [*(table["StorageDescriptor"].get("Columns") or []), *(table.get("PartitionKeys") or [])]
    names = ", ".join(f"{_quoted(c['Name'])} AS {_quoted(c['Name'].lower())}" for c in columns)
    # The empty relation brings the declared columns that no file holds.
    return f"(SELECT {names} FROM (SELECT * FROM {empty} UNION ALL BY NAME SELECT * FROM {found}))"


def _visible_files(table: Mapping[str, Any], files: Sequence[str]) -> list[str]:
    """The files in partitions that Athena would look into."""
    keys = [key["Name"] for key in table.get("PartitionKeys") or []]
    if not keys:
        return list(files)
    if is_projected(table):
        columns = projected_columns(table)
        return [
            file
            for file in files
            if (values := _partition_values(file)).keys() >= set(keys)
            and all(column.contains(values[column.name]) for column in columns)
        ]
    partitions = module("ministack.services.glue")._partitions
    registered = partitions.get(f"{table['DatabaseName']}/{table['Name']}") or []
    known = {tuple(map(str, partition["Values"])) for partition in registered}
    return [file for file in files if tuple(_partition_values(file).get(key) for key in keys) in known]


def _partition_values(file: str) -> dict[str, str]:
    """`.../task=a/month=2026-01/x.parquet` -> {"task": "a", "month": "2026-01"}"""
    pairs = (part.split("=", 1) for part in Path(file).parts[:-1] if "=" in part)
    return {name: unquote(value) for name, value in pairs}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
