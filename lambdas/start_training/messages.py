"""What a message on the queue says: an object was uploaded, or a run ended. Both only wake `reconcile`."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.errors import EventError
from lambdas.names import UploadKey, parse_execution_arn, parse_upload_key

OBJECT_CREATED = "Object Created"
EXECUTION_CHANGED = "SageMaker Model Building Pipeline Execution Status Change"


@dataclass(frozen=True)
class ObjectCreated:
    """An object below `uploads/`. `time` is when the event says that it happened."""

    key: str
    etag: str
    time: datetime

    @property
    def upload(self) -> UploadKey:
        return parse_upload_key(self.key)


@dataclass(frozen=True)
class ExecutionChanged:
    """An execution of `pipeline` changed its state."""

    pipeline: str


def parse_message(body: str, bucket: str) -> ObjectCreated | ExecutionChanged:
    """Read the body of a queue message, which is an EventBridge event.

    Raises:
        EventError: it is not JSON, lacks a field, is of another kind, or is about another bucket. The text of the
            message is not quoted: a key may hold anything.
    """
    try:
        event: dict[str, Any] = json.loads(body)
        kind, detail = event["detail-type"], event["detail"]
        if kind == OBJECT_CREATED:
            found = detail["bucket"]["name"]
            message = ObjectCreated(
                key=detail["object"]["key"],
                etag=detail["object"]["etag"],
                time=datetime.fromisoformat(event["time"]),
            )
            parse_upload_key(message.key)
        elif kind == EXECUTION_CHANGED:
            pipeline, _ = parse_execution_arn(detail["pipelineExecutionArn"])
            return ExecutionChanged(pipeline)
        else:
            raise EventError(f"a message of kind {kind!r} does not belong on this queue")
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise EventError(f"a message is not an event of S3 or SageMaker: {type(error).__name__}") from error
    if found != bucket:
        raise EventError(f"an event is about bucket {found!r}; this queue belongs to {bucket!r}")
    return message
