"""A job's output, line by line, to CloudWatch Logs and its metrics to CloudWatch, while the job runs."""

import logging
import math
import os
import re
import selectors
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)
# Limits of PutLogEvents (26 bytes are added to every event; a character cut in two grows) and of PutMetricData.
_EVENT_BYTES = 256 * 1024 - 64
_BATCH_BYTES = 1024 * 1024
_BATCH_EVENTS = 10_000
_BATCH_METRICS = 1000
# After the job's process ended: how long its pipe may stay silent until it counts as drained. Only what escaped the
# job's process group can still hold the pipe open then.
_DRAIN_SECONDS = 0.2

Metric = Callable[[str, float, datetime], None]


class JobLog:
    """Reads what a job's process writes to `output` and ships it.

    Use as a context manager; leaving it waits until everything is shipped. Nothing that CloudWatch answers fails the
    job: it is reported on the emulator's own log, with the number of lines that were lost.
    """

    def __init__(
        self,
        *,
        job: str,
        group: str,
        clients: Callable[[str], Any],
        seconds: float,
        metrics: Sequence[tuple[str, re.Pattern[str]]] = (),
        on_metric: Metric | None = None,
    ) -> None:
        self._job = job
        self._group = group
        self._stream = f"{job}/algo-1-{int(time.time())}"
        self._clients = clients
        self._seconds = seconds
        self._metrics = metrics
        self._on_metric = on_metric
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self._points: list[dict[str, Any]] = []
        self._started = False
        self._ended = threading.Event()
        self._drained = threading.Event()
        self.output = -1

    def __enter__(self) -> "JobLog":
        reader, self.output = os.pipe()
        self._reading = threading.Thread(target=self._read, args=(reader,), name=f"{self._job} output", daemon=True)
        self._shipping = threading.Thread(target=self._ship, name=f"{self._job} log", daemon=True)
        self._reading.start()
        self._shipping.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_output()
        self._ended.set()
        self._reading.join()
        self._drained.set()
        self._shipping.join()

    def close_output(self) -> None:
        """Close the engine's own end of the pipe, so that its end is seen when the job's process ends."""
        if self.output >= 0:
            os.close(self.output)
            self.output = -1

    def line(self, text: str) -> None:
        """One line of the engine's own, or of the job."""
        now = datetime.now(UTC)
        content = text.encode("utf-8")
        with self._lock:
            # CloudWatch refuses an empty event; SageMaker's own agent drops such lines too.
            for start in range(0, len(content), _EVENT_BYTES):
                message = content[start : start + _EVENT_BYTES].decode("utf-8", "replace")
                self._events.append({"timestamp": int(now.timestamp() * 1000), "message": message})
        for name, pattern in self._metrics:
            for match in pattern.finditer(text):
                self._point(name, match, now)

    def _point(self, name: str, match: re.Match[str], now: datetime) -> None:
        try:
            value = float(match.group(1))
        except (ValueError, TypeError):  # A pattern such as [0-9.]+ also matches "1.2."; CloudWatch drops it too.
            return
        if not math.isfinite(value):
            return
        if self._on_metric is not None:
            self._on_metric(name, value, now)
        dimensions = [{"Name": "TrainingJobName", "Value": self._job}]
        with self._lock:
            self._points.append({"MetricName": name, "Dimensions": dimensions, "Timestamp": now, "Value": value})

    def _read(self, reader: int) -> None:
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            while True:
                if not selector.select(_DRAIN_SECONDS if self._ended.is_set() else 1.0):
                    if self._ended.is_set():
                        break
                    continue
                chunk = os.read(reader, 65536)
                if not chunk:
                    break
                # Progress bars end their lines with a carriage return; a watcher wants to see them as they come.
                *lines, pending = re.split(rb"[\r\n]+", pending + chunk)
                for line in lines:
                    self.line(line.decode("utf-8", "replace"))
        os.close(reader)
        if pending:
            self.line(pending.decode("utf-8", "replace"))

    def _ship(self) -> None:
        while not self._drained.wait(self._seconds):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
            points, self._points = self._points, []
        for batch in _batches(events):
            self._put("log lines", len(batch), partial(self._put_events, batch))
        for start in range(0, len(points), _BATCH_METRICS):
            batch = points[start : start + _BATCH_METRICS]
            self._put("metric values", len(batch), partial(self._put_metrics, batch))

    def _put(self, what: str, count: int, put: Callable[[], None]) -> None:
        try:
            put()
        except (ClientError, BotoCoreError, OSError) as error:
            logger.error("%d %s of job %s are lost: %s: %s", count, what, self._job, type(error).__name__, error)

    def _put_events(self, batch: list[dict[str, Any]]) -> None:
        logs = self._clients("logs")
        if not self._started:
            _create(logs.create_log_group, logGroupName=self._group)
            _create(logs.create_log_stream, logGroupName=self._group, logStreamName=self._stream)
            self._started = True
        logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=batch)

    def _put_metrics(self, batch: list[dict[str, Any]]) -> None:
        self._clients("cloudwatch").put_metric_data(Namespace="/aws/sagemaker/TrainingJobs", MetricData=batch)


def compile_metrics(definitions: Sequence[Mapping[str, str]]) -> list[tuple[str, re.Pattern[str]]]:
    """MetricDefinitions of a training job as (name, regex with a group). Raises ValueError for any other regex."""
    metrics = []
    for definition in definitions:
        try:
            pattern = re.compile(definition["Regex"])
        except re.error as error:
            raise ValueError(f"metric {definition['Name']}: not a regex: {error}") from error
        if pattern.groups < 1:
            raise ValueError(f"metric {definition['Name']}: the regex needs a group for the value")
        metrics.append((definition["Name"], pattern))
    return metrics


def _create(create: Callable[..., Any], **names: str) -> None:
    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def _batches(events: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    batches: list[list[dict[str, Any]]] = []
    size = _BATCH_BYTES
    for event in events:
        weight = len(event["message"].encode("utf-8")) + 26
        if size + weight > _BATCH_BYTES or len(batches[-1]) >= _BATCH_EVENTS:
            batches.append([])
            size = 0
        batches[-1].append(event)
        size += weight
    return batches
