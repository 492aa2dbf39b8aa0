"""Texts sent to a task's stream one after another, and what became of each."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.errors import RunError
from local.results import Tables
from local.stage import LocalStage
from operations.redrive import dead_letters_of

# As many as a busy service sees, and few enough that one machine keeps up.
_A_SECOND = 20
_BATCH = 10
# Of all texts this share comes in a file, the others as messages; every so many-th message is sent a second time.
_IN_FILE_SHARE = 0.2
_REPEATED = 100
_PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class StreamResult:
    """What was sent and what became of it.

    `sent` counts everything, also `duplicates` (sent a second time, and no second row) and `parked` (in the dead
    letters). `p50_seconds` and `p95_seconds` are from a text's arrival in the queue to its row.
    """

    sent: int
    classified: int
    positive: int
    parked: int
    duplicates: int
    p50_seconds: float
    p95_seconds: float
    rows: list[dict[str, str | None]]

    def as_json(self) -> dict[str, Any]:
        names = ("sent", "classified", "positive", "parked", "duplicates", "p50_seconds", "p95_seconds")
        return {name: getattr(self, name) for name in names}


def send_texts(
    stage: LocalStage,
    task: str,
    texts: Sequence[str],
    *,
    source: str,
    positive: str,
    folder: Path,
    show: Callable[[int, int], None],
) -> StreamResult:
    """Send `texts` (different ones) from `source`, and one message that is no JSON; wait until each has its row.

    `show` is told now and then how many have one, and of how many.

    Raises:
        RunError: some have none, or what is no text is not parked, after three minutes.
    """
    sqs = stage.aws.client("sqs")
    queue = stage.names.text_queues[task]
    dead = dead_letters_of(sqs, queue)
    parked_before = _waiting(sqs, dead)
    messages = [json.dumps({"text": text, "id": f"{place}", "source": source}) for place, text in enumerate(texts)]
    in_file = round(len(messages) * _IN_FILE_SHARE)
    _drop_file(stage, task, messages[:in_file], source, folder)
    singles = [*messages[in_file:], "this is no JSON"]
    repeated = singles[::_REPEATED]
    _send(sqs, queue, [*singles, *repeated])
    tables = Tables.of(stage)
    _wait_until(len(texts), lambda: len(_rows(tables, task, source)), "texts have a row in the table events", show)
    # What is no JSON is parked at once; were it not, it would pass for a text that was sent twice.
    _wait_until(1, lambda: _waiting(sqs, dead) - parked_before, "messages that are no text are parked", lambda *_: None)
    parked = _waiting(sqs, dead) - parked_before
    # Once more, now that all is done: a text that was written twice would be here twice.
    rows = _rows(tables, task, source)
    seconds = [float(str(row["milliseconds"])) / 1000 for row in rows]
    sent = len(messages) + 1 + len(repeated)
    return StreamResult(
        sent=sent,
        classified=len(rows),
        positive=sum(row["label"] == positive for row in rows),
        parked=parked,
        duplicates=sent - len(rows) - parked,
        p50_seconds=round(statistics.median(seconds), 2),
        p95_seconds=round(statistics.quantiles(seconds, n=20, method="inclusive")[-1], 2),
        rows=rows,
    )


def _drop_file(stage: LocalStage, task: str, lines: Sequence[str], source: str, folder: Path) -> None:
    file = folder / f"{source}.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    stage.put(file, f"uploads/{task}/incoming/{file.name}")
    file.unlink()


def _send(sqs: Any, queue: str, bodies: Sequence[str]) -> None:
    """Send messages in small batches, as many a second as _A_SECOND."""
    began = time.monotonic()
    for start in range(0, len(bodies), _BATCH):
        entries = [{"Id": f"{i}", "MessageBody": body} for i, body in enumerate(bodies[start : start + _BATCH])]
        answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        if answer.get("Failed"):
            raise RunError(f"{len(answer['Failed'])} messages were not taken: {answer['Failed'][0]['Code']}")
        time.sleep(max(0.0, began + (start + _BATCH) / _A_SECOND - time.monotonic()))


def _wait_until(wanted: int, count: Callable[[], int], what: str, show: Callable[[int, int], None]) -> None:
    """Wait until `count` says that there are `wanted`.

    Raises:
        RunError: it does not within three minutes; `what` they should have become.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := count()) < wanted:
        show(found, wanted)
        if time.monotonic() > deadline:
            raise RunError(f"{found} of {wanted} {what} after {_PATIENCE_SECONDS} s")
        time.sleep(1)
    show(wanted, wanted)


def _rows(tables: Tables, task: str, source: str) -> list[dict[str, str | None]]:
    now = datetime.now(UTC)
    days = ", ".join(f"'{day:%Y-%m-%d}'" for day in (now - timedelta(days=1), now))
    return tables.ask(
        "SELECT event_id, text, label, probability, drugs, effects, kind, "
        "date_diff('millisecond', arrived_at, written_at) AS milliseconds "
        f"FROM events WHERE task = '{task}' AND day IN ({days}) AND source = '{source}'"
    )


def _waiting(sqs: Any, queue: str) -> int:
    names = ["ApproximateNumberOfMessages"]
    return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"][names[0]])
