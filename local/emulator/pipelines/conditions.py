"""Conditions of a Condition step. All conditions of the list must hold."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.pipelines.expressions import Scope, evaluate
from local.emulator.pipelines.failures import ExpressionError

_COMPARISONS = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
# `Not` holds its condition in `Condition`: CreatePipeline refuses the member `Expression` that SDK v2 once wrote.
_MEMBERS = {
    **{kind: {"Type", "LeftValue", "RightValue"} for kind in _COMPARISONS},
    "In": {"Type", "QueryValue", "Values"},
    "Not": {"Type", "Condition"},
    "Or": {"Type", "Conditions"},
}


def check_condition(condition: Any, step: str) -> None:
    """Raises ValidationError when `condition` is malformed or of an unknown type."""
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if kind not in _MEMBERS:
        raise ValidationError(f"Step {step}: condition type {kind!r} is not supported by the local SageMaker")
    if set(condition) != _MEMBERS[kind]:
        raise ValidationError(f"Step {step}: condition {kind} needs the members {sorted(_MEMBERS[kind])}")
    nested = {"Not": [condition.get("Condition")], "Or": condition.get("Conditions")}.get(kind, [])
    if not isinstance(nested, list) or not isinstance(condition.get("Values", []), list):
        raise ValidationError(f"Step {step}: condition {kind} needs a list")
    for inner in nested:
        check_condition(inner, step)


def all_hold(conditions: Sequence[Mapping[str, Any]], scope: Scope) -> bool:
    """Raises ExpressionError when two values cannot be compared."""
    return all(_holds(condition, scope) for condition in conditions)


def _holds(condition: Mapping[str, Any], scope: Scope) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"], scope)
    if kind == "Or":
        return any(_holds(inner, scope) for inner in condition["Conditions"])
    if kind == "In":
        query = evaluate(condition["QueryValue"], scope)
        candidates = (evaluate(value, scope) for value in condition["Values"])
        return any(_kind(candidate) == _kind(query) and candidate == query for candidate in candidates)
    return _compare(kind, evaluate(condition["LeftValue"], scope), evaluate(condition["RightValue"], scope))


def _compare(kind: str, left: Any, right: Any) -> bool:
    ordered = kind != "Equals"
    if _kind(left) != _kind(right) or (ordered and _kind(left) not in ("number", "text")):
        raise ExpressionError(f"ClientError: condition {kind} cannot compare a {_kind(left)} with a {_kind(right)}")
    return bool(_COMPARISONS[kind](left, right))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__
