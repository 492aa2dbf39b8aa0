"""A person's verdict about a row, given on the page: what the server takes, and to whom it gives it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from local.dashboard.errors import VerdictError
from local.dashboard.source import DeployedDataSet

# A data set with these columns has rows that a person may judge, and says what was said of them.
COLUMNS = frozenset(("event_id", "source", "label", "review"))
VERDICTS = ("confirmed", "rejected")
_FIELDS = {"task", "event_id", "source", "verdict"}


@dataclass(frozen=True)
class Review:
    """`verdict` about the event of a task: `confirmed`, the model is right, or `rejected`."""

    task: str
    event_id: str
    source: str | None
    verdict: str


@dataclass(frozen=True)
class Reviewing:
    """Rows of `data_set` may be judged while one of `tasks` is shown; `give` takes a verdict.

    It returns the label that is right. It raises VerdictError where the verdict is not taken.
    """

    data_set: str
    tasks: tuple[str, ...]
    give: Callable[[Review], str]


def reviewable(data_set: DeployedDataSet) -> bool:
    """Whether its rows may be judged."""
    return {column.name for column in data_set.contents.columns} >= COLUMNS


def read_review(body: bytes) -> Review:
    """Read what the page sends.

    Raises:
        VerdictError: it is no review. No value is quoted.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise VerdictError("a review is a JSON object") from None
    if not isinstance(content, dict) or content.keys() != _FIELDS:
        raise VerdictError(f"a review is a JSON object with {', '.join(sorted(_FIELDS))}")
    if content["source"] is not None and not isinstance(content["source"], str):
        raise VerdictError("source must be text or null")
    if not all(isinstance(content[name], str) and content[name] for name in ("task", "event_id")):
        raise VerdictError("task and event_id must be texts")
    if content["verdict"] not in VERDICTS:
        raise VerdictError(f"verdict must be {' or '.join(VERDICTS)}")
    return Review(**content)
