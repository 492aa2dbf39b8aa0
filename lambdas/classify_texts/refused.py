"""Messages that can never be classified go to the dead letters at once, with the reason as an attribute."""

from collections.abc import Mapping
from typing import Any

# What tells them from messages that failed often enough; `operations.redrive` leaves them where they are.
REASON = "reason"


def refuse(sqs: Any, dead_letters: str, record: Mapping[str, Any], reason: str) -> None:
    """Move a message; the caller lets the queue delete it. If it comes again before that, it is moved twice.

    Raises:
        botocore's errors: it may not be there.
    """
    sqs.send_message(
        QueueUrl=dead_letters,
        MessageBody=record["body"],
        MessageAttributes={REASON: {"DataType": "String", "StringValue": reason}},
    )
