"""What requests have in common, whichever kind of model they are for: a JSON object, and texts in it.

Refusals say what is wrong and where, and quote neither a text nor a name that they do not know: either may be a
patient's.
"""

import json
from collections.abc import Collection
from typing import Any

from training.errors import RequestError
from training.records import is_encodable

JSON = "application/json"
MAX_TEXTS = 256


def parse_body(body: str | bytes | None, content_type: str | None) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        RequestError: 415 for another content type, 400 for anything but an object.
    """
    if media_type(content_type) != JSON:
        raise RequestError(415, f"content type must be {JSON}")
    try:
        content = json.loads(body or b"")
    except (ValueError, RecursionError) as error:
        # ValueError is also broken UTF-8, and a number of thousands of digits.
        raise RequestError(400, f"the body is not JSON ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise RequestError(400, f"the body must be a JSON object, got {type(content).__name__}")
    return content


def media_type(header: str | None) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`."""
    return (header or "").partition(";")[0].strip().lower()


def field_inputs(content: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The value of `inputs`, and the `parameters` beside it.

    Raises:
        RequestError: 400, `inputs` is missing, there is another field, or `parameters` is no object.
    """
    if "inputs" not in content:
        raise RequestError(400, "the field inputs is missing")
    refuse_unknown("field", content.keys() - {"inputs", "parameters"}, {"inputs", "parameters"})
    parameters = content.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestError(400, f"parameters must be a JSON object, got {type(parameters).__name__}")
    return content["inputs"], parameters


def one_or_more(name: str, value: Any) -> list[Any]:
    """`value` as a list of 1 to MAX_TEXTS.

    Raises:
        RequestError: 400, they are none or too many.
    """
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= MAX_TEXTS:
        raise RequestError(400, f"{name} must hold 1 to {MAX_TEXTS} texts, got {len(items)}")
    return items


def checked_text(what: str, text: Any) -> str:
    """`text`, which `what` names ("inputs: text 3").

    Raises:
        RequestError: 400, it is not a string, is blank, or is no text that can be written down.
    """
    if not isinstance(text, str):
        raise RequestError(400, f"{what} must be a string, got {type(text).__name__}")
    if not text.strip():
        raise RequestError(400, f"{what} is empty")
    if not is_encodable(text):
        raise RequestError(400, f"{what} is not valid Unicode (half a surrogate pair)")
    return text


def refuse_unknown(what: str, unknown: Collection[str], allowed: Collection[str]) -> None:
    """Raises RequestError: 400, there are `unknown` ones. It says only how many."""
    if unknown:
        raise RequestError(400, f"{len(unknown)} unknown {what}(s); allowed are {', '.join(sorted(allowed))}")
