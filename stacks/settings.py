"""What stage, task and lock files have in common: frozen, strict types, and one way to say what is wrong in them."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from stacks.errors import ConfigurationError


class Settings(BaseModel):
    """Values that were read from a file. Unknown names and values of another type are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_Kind = TypeVar("_Kind", bound=Settings)


def validated(
    kind: type[_Kind], content: dict[str, Any], where: str, failure: type[ConfigurationError] = ConfigurationError
) -> _Kind:
    """`content` as a `kind`. `where` says which file, and which part of it, the content comes from.

    Raises:
        ConfigurationError: (as `failure`) a value is not allowed; one line a problem, with field and value.
    """
    try:
        # YAML and JSON have no tuples: only lists are let through the strict check as such.
        return kind.model_validate(_tuples(content))
    except ValidationError as error:
        problems = "\n".join(
            f"{where}: {'.'.join(str(part) for part in problem['loc']) or 'file'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            + (f", got {problem['input']!r}" if problem["type"] not in ("missing", "value_error") else "")
            for problem in error.errors()
        )
        raise failure(problems) from error


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
