"""When a message that failed is tried again.

A queue's visibility timeout must be long, for the sake of a function that dies; a function that merely could not do it
says itself when to try again, later each time.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.structured_log import log_event

_ENTRIES = 10


def attempts(record: Mapping[str, Any]) -> int:
    """How often an SQS record was received, this time included."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def try_again_later(
    sqs: Any, queue_url: str, records: Sequence[Mapping[str, Any]], seconds: Sequence[int], logger: logging.Logger
) -> None:
    """Make each record visible again after as many seconds as `seconds` says for its attempt (the last one for more).

    What cannot be changed comes again after the queue's own timeout.
    """
    entries = [
        {
            "Id": str(number),
            "ReceiptHandle": record["receiptHandle"],
            "VisibilityTimeout": seconds[min(attempts(record), len(seconds)) - 1],
        }
        for number, record in enumerate(records)
    ]
    for start in range(0, len(entries), _ENTRIES):
        try:
            sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries[start : start + _ENTRIES])
        except (ClientError, BotoCoreError) as error:
            log_event(logger, "retry_not_hastened", level=logging.WARNING, error=type(error).__name__)
