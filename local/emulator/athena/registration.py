"""Puts this package in front of ministack's Athena."""

import json
import logging
from typing import Any

from local.emulator.athena.engine import run_query
from local.emulator.athena.requests import Refused, prepared
from local.emulator.athena.results import datum_text, save_results
from local.emulator.athena.tables import table_relation
from local.emulator.ministack_hooks import module


def register_athena() -> None:
    """Put this package's functions in front of ministack's."""
    athena = module("ministack.services.athena")
    # Its messages quote values that a query stumbles over, and those may be clinical text.
    logging.getLogger("athena").setLevel(logging.CRITICAL)
    start, relation, text = athena._start_query_execution, athena._table_relation, athena._datum_text

    def start_query_execution(request: dict[str, Any]) -> Any:
        try:
            answer = start(prepared(request))
        except Refused as refusal:
            return module("ministack.core.responses").error_response_json("InvalidRequestException", str(refusal), 400)
        execution = athena._executions.get(json.loads(answer[2]).get("QueryExecutionId"))
        if execution is not None and request.get("ExecutionParameters"):
            # What Athena tells of a query is the text as it came, and the parameters beside it.
            execution.update(Query=request["QueryString"], ExecutionParameters=request["ExecutionParameters"])
        return answer

    athena._start_query_execution = start_query_execution
    athena._run_duckdb = run_query
    athena._table_relation = lambda table, files: table_relation(relation, table, files)
    athena._datum_text = lambda value: datum_text(text, value)
    athena._save_query_results = save_results
    # It turns every text that begins with s3:// into a path, values in conditions too.
    athena._rewrite_s3_paths = lambda query: query
