"""What a person says about an event.

{"event_id": str, "source": str | null, "verdict": "confirmed" | "rejected", "reviewer": str | null}
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.errors import ReviewError, TextError
from lambdas.texts import MAX_ID_CHARACTERS, MAX_SOURCE_CHARACTERS, optional_text

CONFIRMED, REJECTED = "confirmed", "rejected"
MAX_REVIEWER_CHARACTERS = 128
_FIELDS = ("event_id", "source", "verdict", "reviewer")


@dataclass(frozen=True)
class Verdict:
    """`confirmed`: the model's label is right; `rejected`: the other one is. `given_at` is aware."""

    verdict: str
    reviewer: str | None
    given_at: datetime

    def to_json(self) -> str:
        """In ASCII, as metadata of an object must be."""
        return json.dumps({"verdict": self.verdict, "reviewer": self.reviewer, "given_at": self.given_at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        content = json.loads(text)
        return cls(content["verdict"], content["reviewer"], datetime.fromisoformat(content["given_at"]))


@dataclass(frozen=True)
class Review:
    """A verdict, and which event it is about, by the two columns of `events`."""

    event_id: str
    source: str | None
    verdict: Verdict


def read_review(payload: Any, now: datetime) -> Review:
    """Read what the function was called with; `now` is when the verdict counts as given.

    Raises:
        ReviewError: it is not what it must be. No value is quoted.
    """
    if not isinstance(payload, dict):
        raise ReviewError("a review is a JSON object")
    # A misspelt field would otherwise be lost without a word.
    if payload.keys() - set(_FIELDS):
        raise ReviewError(f"a review has the fields {', '.join(_FIELDS)} and no others")
    try:
        event_id = optional_text("event_id", payload, MAX_ID_CHARACTERS)
        source = optional_text("source", payload, MAX_SOURCE_CHARACTERS)
        reviewer = optional_text("reviewer", payload, MAX_REVIEWER_CHARACTERS)
    except TextError as error:
        raise ReviewError(str(error)) from error
    if event_id is None:
        raise ReviewError("event_id is missing: it is a column of the table events")
    if payload.get("verdict") not in (CONFIRMED, REJECTED):
        raise ReviewError(f"verdict must be {CONFIRMED} or {REJECTED}")
    return Review(event_id, source, Verdict(payload["verdict"], reviewer, now))
