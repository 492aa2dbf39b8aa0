"""Reading a function's environment, once, with messages that name the variable.

Handlers pass `os.environ`; everything else takes the values.
"""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.errors import SettingsError


def required(environment: Mapping[str, str], name: str) -> str:
    """The variable's text.

    Raises:
        SettingsError: the variable is missing or empty.
    """
    text = environment.get(name, "")
    if not text:
        raise SettingsError(f"environment variable {name} must be set")
    return text


def required_seconds(environment: Mapping[str, str], name: str) -> int:
    """The variable as whole seconds, 0 or more.

    Raises:
        SettingsError: the variable is missing or not a whole number >= 0.
    """
    return _whole(environment, name, "whole seconds")


def required_count(environment: Mapping[str, str], name: str, most: int) -> int:
    """The variable as a whole number from 1 to `most`.

    Raises:
        SettingsError: the variable is missing or something else.
    """
    count = _whole(environment, name, "a whole number")
    if not 1 <= count <= most:
        raise SettingsError(f"environment variable {name} must be 1 to {most}, got {count}")
    return count


def required_object(environment: Mapping[str, str], name: str) -> dict[str, Any]:
    """The variable as a JSON object.

    Raises:
        SettingsError: the variable is missing or not a JSON object.
    """
    value = _json(name, required(environment, name))
    if not isinstance(value, dict):
        raise SettingsError(f"environment variable {name} must be a JSON object")
    return value


def required_names(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """The variable as a JSON object of one or more texts, such as {task: pipeline}.

    Raises:
        SettingsError: the variable is missing, empty, or holds something else than texts.
    """
    value = required_object(environment, name)
    if not value or not all(isinstance(text, str) and text for text in value.values()):
        raise SettingsError(f"environment variable {name} must map one or more tasks to names")
    return value


def required_list(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The variable as a JSON list of texts, which may be empty.

    Raises:
        SettingsError: the variable is missing, or not a JSON list of texts.
    """
    value = _json(name, required(environment, name))
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise SettingsError(f"environment variable {name} must be a JSON list of texts")
    return tuple(value)


def required_pair(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable as a JSON list of two different texts.

    Raises:
        SettingsError: the variable is missing or something else.
    """
    values = required_list(environment, name)
    if len(values) != 2 or values[0] == values[1]:
        raise SettingsError(f"environment variable {name} must be a JSON list of two different texts")
    return values[0], values[1]


def required_prices(environment: Mapping[str, str], name: str) -> dict[str, float]:
    """The variable as a JSON object {instance type: $ per hour}; an empty object means that no price is known.

    Raises:
        SettingsError: the variable is missing, or a price is not a number >= 0.
    """
    value = required_object(environment, name)
    for kind, price in value.items():
        if isinstance(price, bool) or not isinstance(price, (int, float)) or price < 0:
            raise SettingsError(f"environment variable {name}: {kind} must be a price >= 0, got {price!r}")
    return {kind: float(price) for kind, price in value.items()}


def required_delays(environment: Mapping[str, str], name: str) -> tuple[int, ...]:
    """The variable as a JSON list of one or more whole seconds.

    Raises:
        SettingsError: the variable is missing, empty, or holds something else.
    """
    value = _json(name, required(environment, name))
    if not isinstance(value, list) or not value or not all(type(item) is int and item >= 0 for item in value):
        raise SettingsError(f"environment variable {name} must be a JSON list of whole seconds >= 0")
    return tuple(value)


def _whole(environment: Mapping[str, str], name: str, what: str) -> int:
    text = required(environment, name)
    if not text.isdecimal():
        raise SettingsError(f"environment variable {name} must be {what} >= 0, got {text!r}")
    return int(text)


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"environment variable {name} must be JSON: {error}") from error
