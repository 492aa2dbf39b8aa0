"""Expressions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`, nested as deep as they come.

An expression is an object with exactly one member that has one of these names:

    {"Get": "Parameters.Epochs"}
    {"Get": "Execution.PipelineExecutionId"}
    {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    {"Std:Join": {"On": "/", "Values": [...]}}
    {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "gate.passed"}}
    {"Std:JsonGet": {"S3Uri": {"Std:Join": ...}, "Path": "gate.passed"}}
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.pipelines.failures import ExpressionError

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"
_TOKEN = re.compile(r"""\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
# By which member an element of a list is called by name, as in Outputs['train'].
_NAME_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "Name")

EXECUTION_VARIABLES = {
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "StartDateTime",
    "CurrentDateTime",
    "TrainingJobName",
    "ProcessingJobName",
}


@dataclass(frozen=True)
class Scope:
    """What the expressions of one execution can refer to.

    `properties` fills as steps succeed: step name -> the description of what it made. `read_json` fetches and parses
    the JSON object at an S3 URI. `property_files`: (step, property file) -> (output name, path below the output).
    """

    parameters: Mapping[str, Any]
    execution: Mapping[str, Callable[[], str]]
    properties: Mapping[str, Mapping[str, Any]]
    property_files: Mapping[tuple[str, str], tuple[str, str]]
    read_json: Callable[[str], Any]
    # TrainingJobName and ProcessingJobName have a value only within the step whose job it is.
    job: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """One `Get`: `root` is Parameters, Execution or Steps; `path` what follows, str for members, int for positions."""

    text: str
    root: str
    path: tuple[str | int, ...]


def evaluate(value: Any, scope: Scope, shape: Any = None) -> Any:
    """`value` with every expression in it replaced by what it stands for.

    `shape` is the botocore shape that the result is for, if any: where it wants a string, a number or truth value
    that came from an expression becomes one (a literal does not: the request's own validation refuses it).

    Raises:
        ExpressionError: something referred to has no value.
    """
    name = expression_name(value)
    if name is not None:
        result = _evaluate_expression(name, value[name], scope)
        wants_text = shape is not None and shape.type_name == "string"
        return as_text(result) if wants_text and isinstance(result, bool | int | float) else result
    if isinstance(value, dict):
        return {key: evaluate(item, scope, _member(shape, key)) for key, item in value.items()}
    if isinstance(value, list):
        element = shape.member if shape is not None and shape.type_name == "list" else None
        return [evaluate(item, scope, element) for item in value]
    return value


def expression_name(value: Any) -> str | None:
    """`Get`, `Std:Join` or `Std:JsonGet` if `value` is an expression, else None.

    Raises:
        ValidationError: `value` is a function that is not known here.
    """
    if not isinstance(value, dict) or len(value) != 1:
        return None
    (name,) = value
    if isinstance(name, str) and name.startswith("Std:") and name not in (JOIN, JSON_GET):
        raise ValidationError(f"Function {name} is not supported by the local SageMaker")
    return name if name in (GET, JOIN, JSON_GET) else None


def references(value: Any) -> Iterator[Reference]:
    """Every `Get` anywhere in `value`.

    Raises:
        ValidationError: an expression is malformed or not supported.
    """
    name = expression_name(value)
    if name == GET:
        yield parse_reference(value[GET])
        return
    if name is not None:
        _check_function(name, value[name])
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from references(child)


def parse_reference(text: Any) -> Reference:
    """Raises ValidationError when `text` is no reference."""
    tokens = parse_path(text) if isinstance(text, str) else ()
    if len(tokens) < 2 or tokens[0] not in ("Parameters", "Execution", "Steps"):
        raise ValidationError(f"Get must refer to Parameters, Execution or Steps, got {text!r}")
    return Reference(text, str(tokens[0]), tokens[1:])


def parse_path(text: str) -> tuple[str | int, ...]:
    """`a.b['c d'][0]` -> ("a", "b", "c d", 0). A leading `$` is allowed. Raises ValidationError."""
    position = 1 if text.startswith("$") else 0
    tokens: list[str | int] = []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValidationError(f"Not a path: {text!r}")
        plain, index, single, double = match.groups()
        tokens.append(int(index) if index is not None else next(t for t in (plain, single, double) if t is not None))
        position = match.end()
    return tuple(tokens)


def as_text(value: Any) -> str:
    """A scalar as text, as in a joined text or a hyperparameter. Raises ExpressionError for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ExpressionError(f"ClientError: a value of type {type(value).__name__} cannot become text")


def _evaluate_expression(name: str, body: Any, scope: Scope) -> Any:
    if name == GET:
        return _get(parse_reference(body), scope)
    if name == JOIN:
        return str(body["On"]).join(as_text(evaluate(item, scope)) for item in body["Values"])
    return _json_get(body, scope)


def _get(reference: Reference, scope: Scope) -> Any:
    head = str(reference.path[0])
    if reference.root == "Parameters":
        return scope.parameters[head]
    if reference.root == "Execution":
        if head in scope.job:
            return scope.job[head]
        if head not in scope.execution:
            raise ExpressionError(f"ClientError: {reference.text} has no value in this step")
        return scope.execution[head]()
    if head not in scope.properties:
        raise ExpressionError(f"ClientError: step {head} has not run, so {reference.text} has no value")
    return _follow(scope.properties[head], reference.path[1:], reference.text)


def _json_get(body: Mapping[str, Any], scope: Scope) -> Any:
    uri = _property_file_uri(body["PropertyFile"], scope) if "PropertyFile" in body else evaluate(body["S3Uri"], scope)
    value = _follow(scope.read_json(uri), parse_path(body["Path"]), f"{body['Path']} of {uri}")
    if not isinstance(value, bool | int | float | str):
        raise ExpressionError(f"ClientError: {body['Path']} of {uri} is no text, number or truth value")
    return value


def _property_file_uri(file: Mapping[str, str], scope: Scope) -> str:
    step, _, name = (str(part) for part in parse_reference(file[GET]).path)
    output, path = scope.property_files[(step, name)]
    reference = parse_reference(f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")
    return f"{str(_get(reference, scope)).rstrip('/')}/{path}"


def _follow(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    for token in path:
        if isinstance(token, str) and isinstance(value, list):
            named = [e for e in value if isinstance(e, dict) and token in (e.get(m) for m in _NAME_MEMBERS)]
            found, value = bool(named), named[0] if named else None
        elif isinstance(token, int) and isinstance(value, list):
            found = token < len(value)
            value = value[token] if found else None
        else:
            found = isinstance(value, Mapping) and token in value
            value = value[token] if found else None
        if not found:
            raise ExpressionError(f"ClientError: {text} has no value: there is no {token!r}")
    return value


def _check_function(name: str, body: Any) -> None:
    members = set(body) if isinstance(body, dict) else set()
    allowed = ({"On", "Values"},) if name == JOIN else ({"PropertyFile", "Path"}, {"S3Uri", "Path"})
    if members not in allowed:
        raise ValidationError(f"{name} needs the members {' or '.join(str(sorted(a)) for a in allowed)}")
    if name == JOIN and not isinstance(body["Values"], list):
        raise ValidationError(f"{JOIN}: Values must be a list")
    if name == JSON_GET:
        parse_path(body["Path"]) if isinstance(body["Path"], str) else parse_reference(None)


def _member(shape: Any, key: str) -> Any:
    if shape is None:
        return None
    if shape.type_name == "structure":
        return shape.members.get(key)
    return shape.value if shape.type_name == "map" else None
