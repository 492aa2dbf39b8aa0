"""A batch of messages: read, asked about, written as events, each text once (commit.py says how)."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.classify_texts.asking import Answer, LiveEndpoint, Question, ask_all
from lambdas.classify_texts.commit import EventLog
from lambdas.classify_texts.mentions import Mentions
from lambdas.classify_texts.refused import refuse
from lambdas.errors import LambdaError, TextError
from lambdas.event_files import EventRow
from lambdas.retries import attempts
from lambdas.structured_log import log_event
from lambdas.texts import SentText, read_text

# What a text may fail with: its messages are delivered again, and become dead letters if they keep failing.
_FAILURES = (LambdaError, ClientError, BotoCoreError)
_Record = Mapping[str, Any]


@dataclass(frozen=True)
class Stream:
    """What a batch of one task works with.

    `mentions` says what a text names, given the text and whether the model gave it the positive label.
    """

    log: EventLog
    endpoint: LiveEndpoint
    positive: str
    texts_a_call: int
    mentions: Callable[[str, bool], Mentions]
    sqs: Any
    dead_letters: str


@dataclass(frozen=True)
class _Received:
    """A text, and the messages that say it."""

    sent: SentText
    records: list[_Record]

    @property
    def arrived_at(self) -> datetime:
        first = min(int(record["attributes"]["SentTimestamp"]) for record in self.records)
        return datetime.fromtimestamp(first / 1000, UTC)


def handle_batch(
    records: Sequence[_Record], stream: Stream, remaining: Callable[[], float], logger: logging.Logger
) -> list[_Record]:
    """Handle SQS records and return those that must be delivered again. `remaining`: seconds the function has left."""
    received, failed = _read(records, stream, logger)
    try:
        done = _handle(received, stream, remaining, logger)
    except _FAILURES as error:
        _log_failure(logger, error, len(received))
        done = set()
    return failed + [record for identity, item in received.items() if identity not in done for record in item.records]


def _read(
    records: Sequence[_Record], stream: Stream, logger: logging.Logger
) -> tuple[dict[str, _Received], list[_Record]]:
    """The texts by identity, and the records that should have been moved to the dead letters and were not."""
    received: dict[str, _Received] = {}
    failed = []
    for record in records:
        try:
            sent = read_text(record["body"])
            received.setdefault(sent.identity, _Received(sent, [])).records.append(record)
        except TextError as error:
            log_event(
                logger,
                "text_refused",
                level=logging.WARNING,
                message_id=record["messageId"],
                reason=str(error),
                bytes=len(record["body"].encode("utf-8", "replace")),
            )
            try:
                refuse(stream.sqs, stream.dead_letters, record, str(error))
            except _FAILURES as failure:
                _log_failure(logger, failure, 1)
                failed.append(record)
    return received, failed


def _handle(
    received: Mapping[str, _Received], stream: Stream, remaining: Callable[[], float], logger: logging.Logger
) -> set[str]:
    """The texts that are events now, and finished."""
    standing = stream.log.standing(received)
    repeated = standing.finished | stream.log.complete(standing)
    questions = [
        Question(identity, received[identity].sent.text, max(attempts(r) for r in received[identity].records))
        for identity in standing.free
    ]
    answers = ask_all(stream.endpoint, questions, stream.texts_a_call, remaining, logger)
    rows = {}
    for identity, answer in answers.items():
        try:
            rows[identity] = _row(received[identity], answer, stream)
        except _FAILURES as error:
            _log_failure(logger, error, 1)
    written = stream.log.write(rows, standing.free)
    log_event(
        logger,
        "batch_handled",
        texts=len(received),
        events=len(written),
        notices=sum(rows[identity].notified for identity in written),
        duplicates=len(repeated) + sum(len(item.records) - 1 for item in received.values()),
        held=len(standing.held),
    )
    return written | repeated


def _row(received: _Received, answer: Answer, stream: Stream) -> EventRow:
    sent, notices = received.sent, stream.log.notices
    mentions = stream.mentions(sent.text, answer.label == stream.positive)
    return EventRow(
        event_id=sent.event_id,
        source=sent.source,
        happened_at=sent.happened_at,
        arrived_at=received.arrived_at,
        written_at=datetime.fromtimestamp(stream.log.clock(), UTC),
        text=sent.text,
        label=answer.label,
        probability=answer.probability,
        model_version=answer.model_version,
        drugs="; ".join(mentions.drugs),
        effects="; ".join(mentions.effects),
        kind=mentions.kind,
        icd10=None if mentions.icd10 is None else "; ".join(mentions.icd10),
        notified=notices is not None and notices.wanted(answer.probability),
    )


def _log_failure(logger: logging.Logger, error: Exception, texts: int) -> None:
    # The message of an error of AWS is not ours, and may quote what it was given.
    reason = ""
    if isinstance(error, LambdaError):
        reason = str(error)
    elif isinstance(error, ClientError):
        reason = f"{error.operation_name}: {error.response['Error']['Code']}"
    log_event(logger, "texts_failed", level=logging.ERROR, texts=texts, error=type(error).__name__, reason=reason)
