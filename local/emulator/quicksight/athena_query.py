"""One query of Athena's, from start to end, through its API."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.05
# DuckDB's words for what the data, not the query, is to blame for; they go on to quote the data.
_ABOUT_DATA = ("Conversion Error", "Invalid Input Error", "Out of Range Error")


class QueryFailed(Exception):
    """Athena refused or failed a query. The message is Athena's reason, without values of the data."""


@dataclass(frozen=True)
class QueryResult:
    """`columns` is name -> Athena's type, in order; `size` the bytes of all values as text."""

    columns: Mapping[str, str]
    rows: int
    size: int


def run_query(client: Any, sql: str, *, workgroup: str) -> QueryResult:
    """Run a query with the result location of its workgroup, and read the whole result.

    Raises:
        QueryFailed: Athena refused it, it failed, or it took longer than ten minutes.
    """
    try:
        query_id = client.start_query_execution(QueryString=sql, WorkGroup=workgroup)["QueryExecutionId"]
        _await_end(client, query_id)
        return _read(client, query_id)
    except ClientError as error:
        raise QueryFailed(error.response["Error"]["Message"]) from error
    except BotoCoreError as error:
        raise QueryFailed(f"Athena does not answer: {type(error).__name__}") from error


def _await_end(client: Any, query_id: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        status = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = _without_values(status.get("StateChangeReason", status["State"]))
            raise QueryFailed(f"{reason} [Execution ID: {query_id}]")
        if time.monotonic() > deadline:
            raise QueryFailed(f"no result within {_WAIT_SECONDS:.0f} s [Execution ID: {query_id}]")
        time.sleep(_POLL_SECONDS)


def _read(client: Any, query_id: str) -> QueryResult:
    columns: dict[str, str] = {}
    rows = size = 0
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        result = page["ResultSet"]
        columns = {column["Name"]: column["Type"] for column in result["ResultSetMetadata"]["ColumnInfo"]}
        # The first row of the first page holds the names of the columns.
        values = result["Rows"][1:] if rows == 0 else result["Rows"]
        rows += len(values)
        size += sum(len(datum.get("VarCharValue", "").encode()) for row in values for datum in row["Data"])
    return QueryResult(columns, rows, size)


def _without_values(reason: str) -> str:
    """A reason that goes into events and logs: what quotes the data ends before the quotation."""
    return reason.partition("'")[0].rstrip() + " ..." if reason.startswith(_ABOUT_DATA) else reason
