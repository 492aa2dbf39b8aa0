"""A process's output on its way to CloudWatch Logs."""

import os
import time
from collections.abc import Callable
from typing import IO, Any

_LONGEST_READ = 65_536
# PutLogEvents takes at most 10,000 events and 1 MiB in all; a read is far below both. One event is at most 256 KiB.
_LONGEST_EVENT = 200_000


class LogStream:
    """One log stream, created with its group when the first line comes."""

    def __init__(self, clients: Callable[[str], Any], group: str, stream: str) -> None:
        self._clients = clients
        self._group = group
        self._stream = stream
        self._created = False

    def forward(self, output: IO[bytes]) -> None:
        """Send everything that a process writes, line by line, until it closes its end."""
        rest = b""
        while chunk := os.read(output.fileno(), _LONGEST_READ):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST_EVENT:
                lines, rest = [*lines, rest], b""
            self._put(lines)
        self._put([rest])

    def _put(self, lines: list[bytes]) -> None:
        texts = [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": text} for text in texts if text]
        if not events:
            return
        logs = self._clients("logs")
        if not self._created:
            self._create(logs)
            self._created = True
        logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)

    def _create(self, logs: Any) -> None:
        for create, names in (
            (logs.create_log_group, {"logGroupName": self._group}),
            (logs.create_log_stream, {"logGroupName": self._group, "logStreamName": self._stream}),
        ):
            try:
                create(**names)
            except logs.exceptions.ResourceAlreadyExistsException:
                continue
