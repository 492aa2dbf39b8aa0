"""One query, run by DuckDB on a connection of its own, with the files counted that it read."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import duckdb

from local.emulator.athena.dialect import MACROS, DialectError, check_dialect
from local.emulator.athena.tables import check_injected
from local.emulator.ministack_hooks import module

_ATHENA = "ministack.services.athena"
_SETTINGS = {
    # Integers divide to integers, and anything divided by zero fails.
    "integer_division": "true",
    # With it, DuckDB's CSV reader refuses what a TRY_CAST would let pass.
    "disabled_optimizers": "type_pushdown",
}
_OPENED = "SELECT path, count(*) FROM duckdb_logs_parsed('FileSystem') WHERE op = 'OPEN' GROUP BY path"
_scanned: ContextVar[int] = ContextVar("_scanned", default=0)


def scanned_bytes() -> int:
    """Bytes of the files that this task's query has read, each whole; a table that is named twice is read twice."""
    return _scanned.get()


async def run_query(query: str, database: str, catalog: str | None = None) -> dict[str, Any]:
    """Run a query off the event loop: names and types of the columns, and the rows.

    Raises:
        DialectError: something that only DuckDB understands, or that the local Athena does not offer.
        ProjectionError: an injected partition column has no value.
        duckdb.Error: DuckDB refused or failed the query.
    """
    athena = module(_ATHENA)
    check_dialect(list(athena._sql_tokens(query)))
    check_injected(query, database)
    rewritten, table_buckets, folders = await athena._rewrite_data_paths(query, database, catalog)
    try:
        if table_buckets:
            raise DialectError("the local Athena does not offer S3 table buckets")
        result, scanned = await asyncio.to_thread(_run, rewritten)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    _scanned.set(scanned)
    return result


def _run(query: str) -> tuple[dict[str, Any], int]:
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute(MACROS)
        connection.execute("CALL enable_logging('FileSystem')")
        # Planning opens files as well, to learn their columns: what is opened once more is read.
        connection.execute(f"EXPLAIN {query}").fetchall()
        planned = _opened(connection)
        connection.execute(query)
        types = [_athena_type(str(column[1])) for column in connection.description]
        names = [column[0] for column in connection.description]
        rows = [list(row) for row in connection.fetchall()]
        opened = _opened(connection)
    finally:
        connection.close()
    read = [path for path, times in opened.items() if times > 2 * planned[path]]
    result = {"columns": names, "column_types": types, "rows": rows}
    return result, _size(read)


def _opened(connection: Any) -> Counter[str]:
    """How often each file was opened until now."""
    return Counter(dict(connection.execute(_OPENED).fetchall()))


def _size(paths: Sequence[str]) -> int:
    return sum(Path(path).stat().st_size for path in paths)


def _athena_type(name: str) -> str:
    """Athena's name of one of DuckDB's types."""
    if name == "TIMESTAMP WITH TIME ZONE":
        raise DialectError("the local Athena gives no timestamp with time zone; cast it to timestamp")
    if name.endswith("]"):
        return "array"
    found: str = module(_ATHENA)._DUCKDB_TYPE_MAP.get(name.partition("(")[0].strip(), "varchar")
    return found
