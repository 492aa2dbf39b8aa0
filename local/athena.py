"""Questions to the tables, through Athena."""

import time
from typing import Any

from local.errors import RunError

_WAIT_SECONDS = 60


def ask(client: Any, query: str, *, database: str, workgroup: str) -> list[dict[str, str | None]]:
    """Run a query and return its rows, column name -> text as Athena gives it (None for null).

    Raises:
        RunError: the query failed or took too long.
    """
    return _rows(client, run_query(client, query, database=database, workgroup=workgroup)["QueryExecutionId"])


def run_query(client: Any, query: str, *, database: str, workgroup: str) -> dict[str, Any]:
    """Run a query and return its execution, as GetQueryExecution describes it once it has succeeded.

    Raises:
        RunError: the query failed or took too long.
    """
    started = client.start_query_execution(
        QueryString=query, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
    )
    query_id = started["QueryExecutionId"]
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        execution: dict[str, Any] = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status = execution["Status"]
        if status["State"] == "SUCCEEDED":
            return execution
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RunError(f"Athena query {query_id} {status['State'].lower()}: {status.get('StateChangeReason')}")
        if time.monotonic() > deadline:
            raise RunError(f"Athena query {query_id} took longer than {_WAIT_SECONDS} s")
        time.sleep(0.1)


def _rows(client: Any, query_id: str) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = []
    header: list[str] | None = None
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        for row in page["ResultSet"]["Rows"]:
            values = [cell.get("VarCharValue") for cell in row["Data"]]
            # Athena's first row holds the names of the columns.
            if header is None:
                header = [str(value) for value in values]
            else:
                rows.append(dict(zip(header, values, strict=True)))
    return rows
