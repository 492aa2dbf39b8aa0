"""S3's event that an object was created, as EventBridge puts it on a queue."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.errors import EventError
from lambdas.names import UploadKey, parse_upload_key

OBJECT_CREATED = "Object Created"


@dataclass(frozen=True)
class ObjectCreated:
    """An object below `uploads/`. `time` is when the event says that it happened.

    `version_id` is None where the sender leaves it out: the newest version is meant then.
    """

    key: str
    etag: str
    time: datetime
    version_id: str | None = None

    @property
    def upload(self) -> UploadKey:
        return parse_upload_key(self.key)


def read_event(body: str) -> dict[str, Any]:
    """The body of a queue message as an EventBridge event.

    Raises:
        EventError: it is not a JSON object with `detail-type` and `detail`. The text is not quoted: it may be anything.
    """
    try:
        event = json.loads(body)
        if isinstance(event["detail-type"], str) and isinstance(event["detail"], dict):
            return dict(event)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EventError(f"a message is not an event of EventBridge: {type(error).__name__}") from error
    raise EventError("a message is not an event of EventBridge")


def parse_object_created(event: Mapping[str, Any], bucket: str) -> ObjectCreated:
    """Read an event of the kind OBJECT_CREATED.

    Raises:
        EventError: it lacks a field, or is about another bucket or an object outside `uploads/`.
    """
    detail = event["detail"]
    try:
        found = detail["bucket"]["name"]
        message = ObjectCreated(
            key=detail["object"]["key"],
            etag=detail["object"]["etag"],
            time=datetime.fromisoformat(event["time"]),
            version_id=detail["object"].get("version-id"),
        )
        parse_upload_key(message.key)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EventError(f"a message is not an event of S3: {type(error).__name__}") from error
    if found != bucket:
        raise EventError(f"an event is about bucket {found!r}; this queue belongs to {bucket!r}")
    return message
