"""What a task file may hold, as the code says it: every setting with its rule in words.

A setting is a dotted name; lists of settings are named by what stands in each (`metrics.name`). Machines, models and
candidates are described by themselves, and not below every setting that holds one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.config import ClassificationTask, Compute, Model, SummaryTask, Task, Variant
from stacks.config.candidates import Bedrock, Candidate, Custom, FineTuned, Foundation
from stacks.settings import Settings

_DESCRIBED = {"Compute": "machine", "Variant": "machine", "Model": "model", "Foundation": "candidate"}
_BOUNDS = (
    ("exclusiveMinimum", "above {}"),
    ("minimum", "at least {}"),
    ("exclusiveMaximum", "below {}"),
    ("maximum", "at most {}"),
)
_TASKS: tuple[type[Task], ...] = (SummaryTask, ClassificationTask)
_CANDIDATES: tuple[type[Candidate], ...] = (Foundation, Bedrock, FineTuned, Custom)


def rules_of_tasks() -> dict[str, str]:
    """Setting of a task file -> its rule; of either kind of task, but for name and folder, which are the file's."""
    rules = _of_kinds(_TASKS)
    return {name: rule for name, rule in rules.items() if name not in ("name", "folder")}


def rules_of_candidates() -> dict[str, str]:
    """Of every kind."""
    return _of_kinds(_CANDIDATES)


def rules_of_machines() -> dict[str, str]:
    return dict(_settings(Variant)) | dict(_settings(Compute))


def rules_of_models() -> dict[str, str]:
    return dict(_settings(Model))


def _of_kinds(kinds: tuple[type[Settings], ...]) -> dict[str, str]:
    """The settings of several kinds of the same thing, whose `kind` is one of theirs."""
    by_kind = [dict(_settings(kind)) for kind in kinds]
    rules = {name: rule for rules in by_kind for name, rule in rules.items()}
    for name in rules:
        said = {rules[name] for rules in by_kind if name in rules}
        assert len(said) == 1 or name == "kind", f"{name} has another rule in each kind: {said}"
    *first, last = (rules["kind"].partition(";")[0] for rules in by_kind)
    return rules | {"kind": f"{', '.join(first)} or {last}; needed"}


def _settings(kind: type[Settings]) -> Iterator[tuple[str, str]]:
    schema = kind.model_json_schema()
    yield from _below("", schema, schema.get("$defs", {}))


def _below(prefix: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, setting in schema["properties"].items():
        end = _end(setting, name in schema.get("required", ()))
        reference = _reference(setting)
        if reference in _DESCRIBED:
            yield f"{prefix}{name}", f"{_described(_DESCRIBED[reference], _some(setting))}{end}"
        elif reference:
            if "needed" not in end:
                yield f"{prefix}{name}", f"a section{end}"
            yield from _below(f"{prefix}{name}.", definitions[reference], definitions)
        else:
            yield f"{prefix}{name}", f"{_values(_some(setting), definitions)}{end}"


def _reference(setting: Mapping[str, Any]) -> str:
    """The name of the settings that a setting holds, one or a list of them; nothing for plain values.

    Where they are of several kinds, that of the first.
    """
    some = _some(setting)
    some = some.get("items", some)
    some = some.get("oneOf", [some])[0]
    return str(some.get("$ref", "")).rpartition("/")[2]


def _described(what: str, schema: Mapping[str, Any]) -> str:
    if schema.get("type") != "array":
        return f"a {what}"
    return f"at most {schema['maxItems']} {what}s" if "maxItems" in schema else f"{what}s"


def _some(setting: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a setting is when it is there."""
    return next((one for one in setting.get("anyOf", ()) if one.get("type") != "null"), setting)


def _end(setting: Mapping[str, Any], required: bool) -> str:
    if required:
        return "; needed"
    default = setting.get("default")
    if default is None or isinstance(default, list | dict):
        return "; may be left out"
    return f"; default {_shown(default)}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "enum" in schema:
        *first, last = (f"`{one}`" for one in schema["enum"])
        return f"{', '.join(first)} or {last}" if first else last
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema["type"] == "array":
        return _list(schema, definitions)
    if schema["type"] == "boolean":
        return "true or false"
    if schema["type"] == "string":
        if "pattern" in schema:
            return f"text like `{schema['pattern']}`"
        return f"text of at most {schema['maxLength']} characters" if "maxLength" in schema else "text"
    what = "whole number" if schema["type"] == "integer" else "number"
    return " ".join([what, " and ".join(words.format(schema[key]) for key, words in _BOUNDS if key in schema)]).strip()


def _list(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"{len(schema['prefixItems'])} values, each a {_values(schema['prefixItems'][0], definitions)}"
    most = f"at most {schema['maxItems']} values" if "maxItems" in schema else "values"
    return f"{most}, each a {_values(schema['items'], definitions)}"
