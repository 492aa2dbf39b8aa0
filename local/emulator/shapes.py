"""Requests and responses against botocore's own description of a service's API.

botocore checks a request before it sends it, but only for required members, types and minima. A service also checks
enums, patterns and maxima; so does this module, since a request that passes here must pass on AWS.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from local.emulator.errors import EmulatorError, InternalFailure, UnknownOperation, ValidationError

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, datetime),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}
# Unicode classes that Java's regular expressions know and Python's do not, as they stand inside [...].
_JAVA_CLASS = re.compile(r"\\p\{(L|M|Z|S|N|P|Cc)\}")
_PYTHON_CLASS = {
    "L": r"\w",  # also digits and "_", which every pattern that has \p{L} and is checked here allows as well
    "N": r"\w",
    "M": "\u0300-\u036f",
    "Z": r"\s",
    "S": r"$+<=>^`|~\u00a2-\u00b8\u00d7\u00f7\u2044-\u2bff",
    "Cc": r"\x00-\x1f\x7f-\x9f",
    "P": r"!-#%-*,-/:;?@\[-\]_{}\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010-\u2027\u2030-\u205e\u3001-\u303f",
}


class ServiceShapes:
    """One service's shapes. `invalid` is the error that the service answers a malformed request with."""

    def __init__(self, service: str, *, invalid: type[EmulatorError] = ValidationError) -> None:
        self._service = service
        self._invalid = invalid

    @cached_property
    def model(self) -> ServiceModel:
        """botocore's description, read once (about 0.3 s)."""
        return ServiceModel(Loader().load_service_model(self._service, "service-2"), self._service)

    def is_operation(self, name: str) -> bool:
        """Whether AWS has an operation of this name."""
        return name in self.model.operation_names

    def not_offered(self, operation: str) -> UnknownOperation:
        """The refusal of an operation that the local AWS has not."""
        reason = "the local AWS does not offer it" if self.is_operation(operation) else "AWS has no such operation"
        return UnknownOperation(f"{self.model.service_id} {operation}: {reason}")

    def check_request(self, operation: str, request: Mapping[str, Any]) -> None:
        """Check a request against the input shape of `operation`.

        Raises:
            EmulatorError: the service's own; names every member that is wrong, never its value.
            UnknownOperation: AWS has no such operation.
        """
        if not self.is_operation(operation):
            raise self.not_offered(operation)
        shape = self.model.operation_model(operation).input_shape
        problems = [] if shape is None else list(_problems(request, shape, "", constraints=True))
        if problems:
            count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
            raise self._invalid(f"{operation}: {count}: " + "; ".join(problems))

    def to_wire(self, operation: str, response: Mapping[str, Any]) -> dict[str, Any]:
        """A response as it goes over the wire: timestamps as seconds since 1970.

        Raises:
            InternalFailure: the response has a member or a type that the output shape of `operation` has not.
        """
        shape = self.model.operation_model(operation).output_shape
        if shape is None:
            if response:
                raise InternalFailure(f"{operation} answers nothing, but {sorted(response)} was to be sent")
            return {}
        problems = list(_problems(response, shape, "", constraints=False))
        if problems:
            raise InternalFailure(f"answer of {operation}: " + "; ".join(problems))
        wire: dict[str, Any] = _wire(response)
        return wire

    def coerce_properties(self, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """CloudFormation's property values as the API of `operation` wants them.

        Template parameters make every number and boolean a string, and a template's times are texts; the API takes
        none of them as strings.
        """
        coerced: dict[str, Any] = _coerce(properties, self.model.operation_model(operation).input_shape)
        return coerced


def _problems(value: Any, shape: Shape, path: str, *, constraints: bool) -> Iterator[str]:
    name = path or "request"
    kind = shape.type_name
    if not _is_of_type(value, kind):
        yield f"{name} must be of type {kind}, got {type(value).__name__}"
        return
    if constraints:
        yield from _broken_constraints(value, shape, name)
    if kind == "structure":
        yield from _structure_problems(value, shape, path, constraints=constraints)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _problems(item, shape.member, f"{path}[{index}]", constraints=constraints)
    elif kind == "map":
        for key, item in value.items():
            if constraints:
                yield from _broken_constraints(key, shape.key, f"key of {name}")
            yield from _problems(item, shape.value, f"{path}.{key}", constraints=constraints)


def _is_of_type(value: Any, kind: str) -> bool:
    # To Python a boolean is an integer; to AWS it is not.
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _structure_problems(value: Mapping[str, Any], shape: Shape, path: str, *, constraints: bool) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for member in shape.required_members:
        if member not in value:
            yield f"{prefix}{member} is required"
    for member, item in value.items():
        if member not in shape.members:
            yield f"{prefix}{member} is not known"
        else:
            yield from _problems(item, shape.members[member], prefix + member, constraints=constraints)


def _broken_constraints(value: Any, shape: Shape, name: str) -> Iterator[str]:
    """What of length, range, enum and pattern a value breaks. Nothing here quotes the value."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    size = len(value) if isinstance(value, str | list | dict) else value
    unit = "length " if isinstance(value, str | list | dict) else ""
    if shape.type_name not in ("boolean", "timestamp", "structure"):
        if low is not None and size < low:
            yield f"{name} must have {unit}at least {low}, got {size}"
        if high is not None and size > high:
            yield f"{name} must have {unit}at most {high}, got {size}"
    if not isinstance(value, str):
        return
    if getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{name} must be one of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield f"{name} must match the pattern {pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A Java pattern for Python: Unicode classes in Python's terms; `${1,128}`, which repeats an anchor, as `$`."""
    pattern = re.sub(r"\$\{\d+,\d+\}", "$", pattern)
    pattern = pattern.replace(r"\p{Alnum}", "a-zA-Z0-9").replace(r"\z", r"\Z")
    return re.compile(_JAVA_CLASS.sub(lambda found: _PYTHON_CLASS[found[1]], pattern), re.DOTALL)


def _wire(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {key: _wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wire(item) for item in value]
    return value


def _coerce(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        known = {
            member: _coerce(item, shape.members[member]) for member, item in value.items() if member in shape.members
        }
        return {**value, **known}
    if kind == "list" and isinstance(value, list):
        return [_coerce(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _coerce(item, shape.value) for key, item in value.items()}
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    if kind in ("integer", "long") and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind in ("float", "double") and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    if kind == "boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind == "timestamp":
        return _seconds(value)
    return value


def _seconds(text: str) -> Any:
    """A time in ISO 8601 as seconds since 1970, UTC where it names no zone; what is no time, as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
