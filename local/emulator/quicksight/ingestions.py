"""Ingestions: a SPICE data set's SQL is run once by Athena, its rows are counted, and nothing is kept of them."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from local.emulator.clients import Clients
from local.emulator.listing import Listing, now
from local.emulator.quicksight.athena_query import QueryFailed, QueryResult, run_query
from local.emulator.quicksight.data_set_parameters import declared_parameters, fill_in
from local.emulator.quicksight.data_set_tables import source_table
from local.emulator.quicksight.errors import AlreadyExists, InvalidNextToken, InvalidSqlParameter, NotFound
from local.emulator.quicksight.names import arn

INGESTIONS = Listing(
    "Ingestions", "IngestionId", descending=True, created="CreatedTime", invalid_token=InvalidNextToken
)


class _Failed(Exception):
    """An ingestion came to nothing; `kind` is one of QuickSight's ingestion error types."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Ingestions:
    """Every ingestion, by data set and id. Each runs on a thread of its own."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._by_data_set: dict[str, dict[str, dict[str, Any]]] = {}

    def start(self, data_set: Mapping[str, Any], identity: str, *, kind: str, workgroup: str | None) -> dict[str, Any]:
        """Start an ingestion of type `kind` (INITIAL_INGESTION, EDIT, FULL_REFRESH).

        `workgroup` is that of the data source; None where it is gone.

        Raises:
            AlreadyExists: the data set has an ingestion with this id.
        """
        name = data_set["DataSetId"]
        ingestion = {
            "Arn": arn("dataset", name, "ingestion", identity),
            "IngestionId": identity,
            "IngestionStatus": "INITIALIZED",
            "CreatedTime": now(),
            "RequestSource": "MANUAL",
            "RequestType": kind,
        }
        with self._lock:
            known = self._by_data_set.setdefault(name, {})
            if identity in known:
                raise AlreadyExists(f"Ingestion {ingestion['Arn']} already exists")
            known[identity] = ingestion
        threading.Thread(target=self._run, args=(dict(data_set), identity, workgroup), daemon=True).start()
        return ingestion

    def get(self, data_set: str, identity: str) -> dict[str, Any]:
        """One ingestion.

        Raises:
            NotFound: there is none with this id.
        """
        with self._lock:
            ingestion = self._by_data_set.get(data_set, {}).get(identity)
        if ingestion is None:
            raise NotFound(f"Ingestion {arn('dataset', data_set, 'ingestion', identity)} is not found")
        return ingestion

    def page(self, data_set: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One page of ListIngestions, the newest first."""
        with self._lock:
            ingestions = list(self._by_data_set.get(data_set, {}).values())
        return INGESTIONS.page(ingestions, request)

    def size(self, data_set: str) -> int:
        """Bytes that a data set takes in SPICE: those of its newest ingestion that was completed, else 0."""
        with self._lock:
            known = self._by_data_set.get(data_set, {}).values()
        completed = [item for item in known if item["IngestionStatus"] == "COMPLETED"]
        return max(completed, key=lambda item: item["CreatedTime"])["IngestionSizeInBytes"] if completed else 0

    def forget(self, data_set: str) -> None:
        """A data set is gone; so are its ingestions."""
        with self._lock:
            self._by_data_set.pop(data_set, None)

    def _run(self, data_set: Mapping[str, Any], identity: str, workgroup: str | None) -> None:
        started = time.monotonic()
        name = data_set["DataSetId"]
        self._change(name, identity, {"IngestionStatus": "RUNNING"})
        try:
            result = self._imported(data_set, workgroup)
        except _Failed as failure:
            error = {"Type": failure.kind, "Message": str(failure)}
            self._change(name, identity, {"IngestionStatus": "FAILED", "ErrorInfo": error})
            return
        counts = {"RowsIngested": result.rows, "RowsDropped": 0, "TotalRowsInDataset": result.rows}
        self._change(
            name,
            identity,
            {
                "IngestionStatus": "COMPLETED",
                "RowInfo": counts,
                "IngestionTimeInSeconds": round(time.monotonic() - started),
                "IngestionSizeInBytes": result.size,
            },
        )

    def _imported(self, data_set: Mapping[str, Any], workgroup: str | None) -> QueryResult:
        """Run the data set's SQL, parameters at their defaults, and compare its columns with the declared ones.

        Raises:
            _Failed: with QuickSight's type and the reason.
        """
        table = source_table(data_set)
        if workgroup is None:
            raise _Failed("DATA_SOURCE_NOT_FOUND", f"{table.data_source} is not found")
        try:
            sql = fill_in(table.sql, declared_parameters(data_set), {})
            result = run_query(self._clients("athena"), sql, workgroup=workgroup)
        except InvalidSqlParameter as error:
            raise _Failed("SQL_INVALID_PARAMETER_VALUE", error.message) from error
        except QueryFailed as error:
            raise _Failed("SQL_EXCEPTION", str(error)) from error
        problems = table.problems(result.columns)
        if problems:
            raise _Failed("SQL_SCHEMA_MISMATCH_ERROR", "; ".join(problems))
        return result

    def _change(self, data_set: str, identity: str, members: Mapping[str, Any]) -> None:
        with self._lock:
            known = self._by_data_set.get(data_set, {})
            if identity in known:  # The data set may be gone by now.
                known[identity] = {**known[identity], **members}
