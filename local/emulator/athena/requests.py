"""StartQueryExecution: which statements are offered, what their parameters are, where the result goes."""

import re
from collections.abc import Sequence
from typing import Any

from local.emulator.ministack_hooks import module

_ATHENA = "ministack.services.athena"
# CREATE EXTERNAL TABLE and DROP TABLE act on the Glue catalogue; everything else that reads is a query.
_QUERIES = ("select", "with", "(", "values")
# What a parameter may be: one literal, as Athena takes it (texts with their quotes).
_LITERAL = re.compile(
    r"'(?:[^']|'')*'|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|(?:DATE|TIMESTAMP)\s+'[^']*'", re.IGNORECASE
)


class Refused(Exception):
    """StartQueryExecution is answered with InvalidRequestException."""


def prepared(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its parameters filled in and with the location that its result will have.

    Raises:
        Refused: the statement is not offered, its parameters do not fit, the workgroup is unknown or disabled, or there
            is no location.
    """
    athena = module(_ATHENA)
    query = request.get("QueryString", "")
    tokens = list(athena._sql_tokens(query))
    _check_statement([text for _, text, _, _ in tokens])
    name = request.get("WorkGroup", "primary")
    workgroup = athena._workgroups.get(name)
    if workgroup is None:
        raise Refused(f"WorkGroup {name} is not found.")
    if workgroup.get("State", "ENABLED") != "ENABLED":
        raise Refused(f"WorkGroup {name} is disabled.")
    configuration = workgroup.get("Configuration", {})
    own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    asked = request.get("ResultConfiguration", {}).get("OutputLocation")
    # AWS's default of EnforceWorkGroupConfiguration is true, for a workgroup that has a location at all.
    enforced = configuration.get("EnforceWorkGroupConfiguration", True) and own
    location = own if enforced or not asked else asked
    if not location:
        raise Refused(
            "No output location provided. An output location is required either through the Workgroup result"
            " configuration setting or as an API input."
        )
    result = {**request.get("ResultConfiguration", {}), "OutputLocation": location.rstrip("/") + "/"}
    filled = _filled(query, tokens, request.get("ExecutionParameters", []))
    return {**request, "QueryString": filled, "ResultConfiguration": result}


def _check_statement(tokens: Sequence[str]) -> None:
    first = tokens[0].lower() if tokens else ""
    words = [token.lower() for token in tokens[:3]]
    if ";" in tokens[:-1]:
        raise Refused("Only one sql statement is allowed.")
    if first in _QUERIES or words == ["create", "external", "table"] or words[:2] == ["drop", "table"]:
        return
    named = " ".join(words[:2] if first in ("create", "drop", "alter", "show", "insert") else words[:1]).upper()
    raise Refused(f"the local Athena does not offer {named or 'an empty statement'}")


def _filled(query: str, tokens: Sequence[tuple[str, str, int, int]], parameters: Sequence[str]) -> str:
    """The query with each `?` replaced by its parameter, in order."""
    places = [(start, end) for kind, text, start, end in tokens if (kind, text) == ("punct", "?")]
    if len(places) != len(parameters):
        counts = f"expected {len(places)} but found {len(parameters)}"
        raise Refused(f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: {counts}")
    for index, parameter in enumerate(parameters):
        if _LITERAL.fullmatch(parameter.strip()) is None:
            raise Refused(f"ExecutionParameters[{index}] must be one literal, a text with its quotes")
    for (start, end), parameter in reversed(list(zip(places, parameters, strict=True))):
        query = query[:start] + parameter + query[end:]
    return query
