"""REST-JSON: which operation an HTTP request is for, and what the request says, by botocore's own service model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from botocore.model import Shape

from local.emulator.errors import EmulatorError
from local.emulator.shapes import ServiceShapes

# Query strings and paths hold texts only: the shapes whose texts become something else, and how.
_NUMBERS = ("integer", "long")
_BOOLEANS = {"true": True, "false": False}


class Routes:
    """The operations of one REST-JSON service by HTTP method and path."""

    def __init__(self, shapes: ServiceShapes, *, invalid: type[EmulatorError]) -> None:
        self._shapes = shapes
        self._invalid = invalid
        self._by_method: dict[str, list[tuple[str, list[str]]]] = {}
        for name in shapes.model.operation_names:
            http = shapes.model.operation_model(name).http
            template = _segments(http["requestUri"].partition("?")[0])
            self._by_method.setdefault(http["method"], []).append((name, template))

    def find(self, method: str, raw_path: str) -> tuple[str, dict[str, str]] | None:
        """(operation, what its path says by the names of the template), or None for a path that no operation has.

        `raw_path` is still percent-encoded, so a name may hold slashes. A literal in a template wins over a name.
        """
        parts = _segments(raw_path)
        best: tuple[int, str, list[str]] | None = None
        for name, template in self._by_method.get(method, []):
            literals = _literals_that_match(template, parts)
            if literals is not None and (best is None or literals > best[0]):
                best = (literals, name, template)
        if best is None:
            return None
        _, name, template = best
        pairs = zip(template, parts, strict=True)
        return name, {key[1:-1]: unquote(part) for key, part in pairs if key.startswith("{")}

    def request(
        self,
        operation: str,
        in_path: Mapping[str, str],
        query: Mapping[str, Sequence[str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> dict[str, Any]:
        """The request's members, wherever HTTP carries them. Header names are in lower case.

        Raises:
            EmulatorError: the service's own; the body is no JSON object, or a text is no number.
        """
        shape = self._shapes.model.operation_model(operation).input_shape
        members: Mapping[str, Shape] = {} if shape is None else shape.members
        elsewhere = {name for name, member in members.items() if "location" in member.serialization}
        request = {name: value for name, value in self._object(body).items() if name not in elsewhere}
        for name in elsewhere:
            member = members[name]
            wire_name = member.serialization.get("name", name)
            where = member.serialization["location"]
            if where == "uri" and wire_name in in_path:
                request[name] = self._value(name, in_path[wire_name], member)
            elif where == "querystring" and wire_name in query:
                given = query[wire_name]
                request[name] = list(given) if member.type_name == "list" else self._value(name, given[0], member)
            elif where == "header" and wire_name.lower() in headers:
                request[name] = self._value(name, headers[wire_name.lower()], member)
        return request

    def _object(self, body: bytes) -> dict[str, Any]:
        try:
            content = json.loads(body or b"{}")
        except ValueError as error:
            raise self._invalid("the request's body is not JSON") from error
        if not isinstance(content, dict):
            raise self._invalid("the request's body is not a JSON object")
        return content

    def _value(self, name: str, text: str, shape: Shape) -> Any:
        if shape.type_name in _NUMBERS:
            try:
                return int(text)
            except ValueError as error:
                raise self._invalid(f"{name} must be a number") from error
        if shape.type_name == "boolean":
            if text.lower() not in _BOOLEANS:
                raise self._invalid(f"{name} must be true or false")
            return _BOOLEANS[text.lower()]
        return text


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _literals_that_match(template: Sequence[str], parts: Sequence[str]) -> int | None:
    """How many parts of a path are the template's own words; None where path and template do not fit."""
    if len(template) != len(parts):
        return None
    literals = 0
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
        elif wanted != part:
            return None
        else:
            literals += 1
    return literals
