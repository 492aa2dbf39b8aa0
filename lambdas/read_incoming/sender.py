"""Sends messages to a queue, ten at a time and within the size of one request."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from lambdas.errors import UnfinishedError

MESSAGES = 10
# Of one message and of all in a request. Queues that were made before 2025-08 keep this limit; newer ones take 1 MiB.
REQUEST_BYTES = 256 * 1024
_ATTEMPTS = 4


class Sender:
    """A queue that bodies are added to. Leave it as a context manager, and everything is sent."""

    def __init__(self, sqs: Any, queue_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._sleep = sleep
        self._waiting: list[str] = []
        self._bytes = 0

    def add(self, body: str) -> None:
        """Raises UnfinishedError: the queue did not take messages, this one or earlier ones."""
        size = len(body.encode())
        if len(self._waiting) == MESSAGES or self._bytes + size > REQUEST_BYTES:
            self.flush()
        self._waiting.append(body)
        self._bytes += size

    def flush(self) -> None:
        """Send what waits. Raises UnfinishedError: the queue did not take all of it."""
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(self._waiting)]
        for attempt in range(_ATTEMPTS):
            if not entries:
                break
            self._sleep(attempt)
            answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            failed = {failure["Id"] for failure in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in failed]
        if entries:
            raise UnfinishedError(f"the queue did not take {len(entries)} message(s) in {_ATTEMPTS} attempts")
        self._waiting, self._bytes = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.flush()
