"""A text that is sent to a task's live endpoint: what a message may say, and the message that says it.

    {"text": str, "id": str, "source": str, "time": ISO 8601}     all but `text` may be missing, null or empty

Other fields are passed over and kept nowhere. read_incoming writes such messages and classify_texts reads them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdas.errors import TextError

MAX_CHARACTERS = 50_000
MAX_ID_CHARACTERS, MAX_SOURCE_CHARACTERS = 256, 128
FIELDS = ("text", "id", "source", "time")


@dataclass(frozen=True)
class SentText:
    """`text` has 1 to 50,000 characters, not all white space; `happened_at` is aware."""

    text: str
    id: str | None = None
    source: str | None = None
    happened_at: datetime | None = None

    @property
    def event_id(self) -> str:
        """The sender's id; without one, SHA-256 of the text."""
        return self.id if self.id is not None else hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def identity(self) -> str:
        """64 hexadecimal digits: what makes this text the same as another."""
        of_id, of_text = identities(self.event_id, self.source)
        return of_id if self.id is not None else of_text


def identities(event_id: str, source: str | None) -> tuple[str, str]:
    """Those that the text of an event may have: where its id is the sender's, and where it is the text's own digest.

    Which of the two it is an event does not say. Ids are apart by source, texts are not.
    """
    return _digest("id", source, event_id), _digest("text", event_id)


def read_text(body: str) -> SentText:
    """Read a JSON object.

    Raises:
        TextError: it is none, or one of its fields is not what it must be.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        # Also brackets nested thousands deep, and a number of thousands of digits.
        raise TextError("not JSON") from error
    if not isinstance(content, dict):
        raise TextError("not a JSON object")
    return parse_text(content)


def parse_text(content: Mapping[str, Any]) -> SentText:
    """Read named fields.

    Raises:
        TextError: a field is not what it must be.
    """
    text = optional_text("text", content)
    if text is None or not text.strip():
        raise TextError("no text" if content.get("text") is None else "text is empty")
    if len(text) > MAX_CHARACTERS:
        raise TextError(f"text is longer than {MAX_CHARACTERS:,} characters")
    time = optional_text("time", content)
    return SentText(
        text=text,
        id=optional_text("id", content, MAX_ID_CHARACTERS),
        source=optional_text("source", content, MAX_SOURCE_CHARACTERS),
        happened_at=None if time is None else _moment(time),
    )


def message(sent: SentText) -> str:
    """The body of a message that `read_text` reads as `sent`."""
    time = None if sent.happened_at is None else sent.happened_at.isoformat()
    fields = {"text": sent.text, "id": sent.id, "source": sent.source, "time": time}
    # As it is, a text takes a third of what it takes in escapes; two characters SQS takes in escapes only.
    body = json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
    return body.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def optional_text(name: str, content: Mapping[str, Any], longest: int | None = None) -> str | None:
    """The field `name`; None where it is missing, null or empty.

    Raises:
        TextError: it is no text, or has more than `longest` characters.
    """
    value = content.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise TextError(f"{name} must be text")
    if longest is not None and len(value) > longest:
        raise TextError(f"{name} is longer than {longest} characters")
    # JSON can write half of a surrogate pair, which no UTF-8 can hold: it becomes the replacement character.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _moment(time: str) -> datetime:
    try:
        moment = datetime.fromisoformat(time)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TextError("time must be a date or time in ISO 8601") from error
