"""Mends what ministack's Athena does differently from AWS's, from outside.

- Results lie where `ResultConfiguration.OutputLocation` says, and the workgroup's location wins where it is enforced.
- Statements that it would only pretend to run are refused by name.
- A table shows the partitions that Athena would see: the projected or the registered ones. A query that gives no
  value for an injected partition column fails.
- A Parquet table has the columns that Glue declares, in lower case, whatever else the files hold.

Still different: integers divide to fractions, and of the functions that only Trino has, those in `_FUNCTIONS` are here.
"""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from local.emulator.ministack_hooks import module
from local.emulator.partition_projection import ProjectionError, is_projected, projected_columns

_ATHENA = "ministack.services.athena"
# CREATE EXTERNAL TABLE and DROP TABLE act on the Glue catalogue; everything else that reads is a query.
_QUERIES = ("select", "with", "(", "values")
_FUNCTIONS = (
    "CREATE TEMP MACRO approx_percentile(x, p) AS approx_quantile(x, p);"
    "CREATE TEMP MACRO json_extract_scalar(j, p) AS json_extract_string(j, p);"
)


def register() -> None:
    """Put this module's functions in front of ministack's."""
    athena = module(_ATHENA)
    # Its messages quote values that a query stumbles over, and those may be clinical text.
    logging.getLogger("athena").setLevel(logging.CRITICAL)
    start, rewrite, relation, text = (
        athena._start_query_execution,
        athena._rewrite_data_paths,
        athena._table_relation,
        athena._datum_text,
    )

    def start_query_execution(request: dict[str, Any]) -> Any:
        try:
            return start(_checked(request))
        except _Refused as refusal:
            return module("ministack.core.responses").error_response_json("InvalidRequestException", str(refusal), 400)

    async def rewrite_data_paths(query: str, database: str, catalog: str | None = None) -> tuple[str, Any, Any]:
        _check_injected(query, database)
        rewritten, buckets, folders = await rewrite(query, database, catalog)
        return _FUNCTIONS + rewritten, buckets, folders

    athena._start_query_execution = start_query_execution
    athena._rewrite_data_paths = rewrite_data_paths
    athena._table_relation = lambda table, files: _relation(relation, table, files)
    athena._datum_text = lambda value: _datum_text(text, value)
    athena._save_query_results = _save_query_results


class _Refused(Exception):
    """StartQueryExecution is answered with InvalidRequestException."""


def _checked(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the location that its result will have.

    Raises:
        _Refused: the statement is not offered, the workgroup is unknown or disabled, or there is no location.
    """
    athena = module(_ATHENA)
    _check_statement([text for _, text, _, _ in athena._sql_tokens(request.get("QueryString", ""))])
    name = request.get("WorkGroup", "primary")
    workgroup = athena._workgroups.get(name)
    if workgroup is None:
        raise _Refused(f"WorkGroup {name} is not found.")
    if workgroup.get("State", "ENABLED") != "ENABLED":
        raise _Refused(f"WorkGroup {name} is disabled.")
    configuration = workgroup.get("Configuration", {})
    own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    asked = request.get("ResultConfiguration", {}).get("OutputLocation")
    # AWS's default of EnforceWorkGroupConfiguration is true, for a workgroup that has a location at all.
    enforced = configuration.get("EnforceWorkGroupConfiguration", True) and own
    location = own if enforced or not asked else asked
    if not location:
        raise _Refused(
            "No output location provided. An output location is required either through the Workgroup result"
            " configuration setting or as an API input."
        )
    result = {**request.get("ResultConfiguration", {}), "OutputLocation": location.rstrip("/") + "/"}
    return {**request, "ResultConfiguration": result}


def _check_statement(tokens: Sequence[str]) -> None:
    first = tokens[0].lower() if tokens else ""
    words = [token.lower() for token in tokens[:3]]
    if first in _QUERIES or words == ["create", "external", "table"] or words[:2] == ["drop", "table"]:
        return
    named = " ".join(words[:2] if first in ("create", "drop", "alter", "show", "insert") else words[:1]).upper()
    raise _Refused(f"the local Athena does not offer {named or 'an empty statement'}")


def _check_injected(query: str, database: str) -> None:
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


def _relation(original: Any, table: Mapping[str, Any], files: Sequence[str]) -> str:
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


def _datum_text(original: Any, value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    text: str = original(value)
    return text


async def _save_query_results(query_id: str) -> None:
    """Write the result as CSV to the reported place: every value quoted, null as nothing.

    Raises:
        OSError: S3 refused; ministack then fails the query with this reason.
    """
    athena, s3 = module(_ATHENA), module("ministack.services.s3")
    execution = athena._executions[query_id]
    results = execution["_results"]
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(results["columns"])
    for row in results["rows"]:
        cells = ("" if v is None else '"' + athena._datum_text(v).replace('"', '""') + '"' for v in row)
        output.write(",".join(cells) + "\n")
    place = urlsplit(execution["ResultConfiguration"]["OutputLocation"])
    content = output.getvalue().encode()
    headers = {"content-type": "text/csv", "content-length": str(len(content))}
    status, *_ = s3._put_object(place.netloc, place.path.lstrip("/"), content, headers)
    if status >= 300:
        raise OSError(f"the result could not be written to {place.geturl()}: S3 answered {status}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
