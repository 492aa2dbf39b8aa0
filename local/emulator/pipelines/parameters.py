"""Pipeline parameters: the types that a definition declares, the texts that a start request gives."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.emulator.errors import ValidationError

_INTEGER = re.compile(r"[+-]?\d+")
_MEMBERS = {"Name", "Type", "DefaultValue", "EnumValues"}
_TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool}


def resolve_parameters(declared: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Any]:
    """The typed value of every declared parameter: the given one, else the default.

    Raises:
        ValidationError: a given parameter is not declared, one without default is missing, or a value is not of the
            declared type or not one of EnumValues.
    """
    names = [_checked_name(parameter) for parameter in declared]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValidationError(f"Parameters: declared more than once: {_listed(repeated)}")
    unknown = set(given) - set(names)
    if unknown:
        raise ValidationError(f"Unknown pipeline parameters: {_listed(unknown)}; declared are: {_listed(names)}")
    missing = {p["Name"] for p in declared if p.get("DefaultValue") is None} - set(given)
    if missing:
        raise ValidationError(f"Pipeline parameters without default need a value: {_listed(missing)}")
    return {parameter["Name"]: _resolve(parameter, given) for parameter in declared}


def _resolve(parameter: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    name, kind = parameter["Name"], parameter["Type"]
    if name in given:
        value = _convert(name, kind, given[name])
    else:
        value = _checked_default(name, kind, parameter["DefaultValue"])
    allowed = parameter.get("EnumValues")
    if allowed and value not in allowed:
        raise ValidationError(f"Pipeline parameter {name} must be one of {_listed(allowed)}, got {value!r}")
    return value


def _checked_name(parameter: Mapping[str, Any]) -> str:
    foreign = set(parameter) - _MEMBERS
    if foreign:
        raise ValidationError(f"Parameters: unknown members {_listed(foreign)}")
    name, kind = parameter.get("Name"), parameter.get("Type")
    if not isinstance(name, str) or not name:
        raise ValidationError("Parameters: every parameter needs a Name")
    if kind not in _TYPES:
        raise ValidationError(f"Pipeline parameter {name}: Type must be one of {_listed(_TYPES)}, got {kind!r}")
    return name


def _checked_default(name: str, kind: str, value: Any) -> Any:
    fits = isinstance(value, _TYPES[kind]) and (kind == "Boolean" or not isinstance(value, bool))
    if kind == "Float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not fits:
        raise ValidationError(f"Pipeline parameter {name}: DefaultValue {value!r} is not of type {kind}")
    return value


def _convert(name: str, kind: str, text: Any) -> Any:
    refusal = ValidationError(f"Pipeline parameter {name} must be of type {kind}, got {text!r}")
    if not isinstance(text, str):
        raise refusal
    if kind == "String":
        return text
    if kind == "Integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "Boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "Float":
        try:
            number = float(text)
        except ValueError:
            raise refusal from None
        if math.isfinite(number):
            return number
    raise refusal


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(str, names))) or "none"
