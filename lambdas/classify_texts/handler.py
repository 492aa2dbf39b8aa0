"""Asks a task's live endpoint about the texts on its queue, and writes each as one event.

Event source: the task's queue of texts, with ReportBatchItemFailures. Environment:

    BUCKET             where the table `events` lies
    TASK               name of the task
    ENDPOINT           name of its live endpoint
    LABELS             JSON list: the positive label, the negative label
    TEXTS_A_CALL       texts in one request to the endpoint at most, 1 to 256
    CLAIMS             name of the DynamoDB table of claims
    LEASE_SECONDS      for which a claim is left alone; longer than this function may run
    TEXT_QUEUE         URL of the event source
    DEAD_LETTERS       URL of its dead-letter queue
    RETRY_SECONDS      JSON list: seconds to wait after the first, second, ... failure
    NOTICES            JSON object: {"topic": ARN, "probability": in (0, 1]}, or {} for none
    MENTIONS           rules or comprehend_medical: who finds drugs and effects
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.classify_texts.asking import READ_SECONDS, LiveEndpoint
from lambdas.classify_texts.batch import Stream, handle_batch
from lambdas.classify_texts.commit import EventLog
from lambdas.classify_texts.comprehend import ask_comprehend
from lambdas.classify_texts.mentions import Mentions, find_mentions
from lambdas.classify_texts.notices import Notices
from lambdas.errors import SettingsError
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles
from lambdas.retries import try_again_later
from lambdas.settings import required, required_count, required_delays, required_object, required_pair, required_seconds
from lambdas.structured_log import structured_logger

_MOST_TEXTS = 256
_RULES, _COMPREHEND = "rules", "comprehend_medical"

_logger = structured_logger("classify_texts")


@dataclass(frozen=True)
class Settings:
    """The environment."""

    bucket: str
    task: str
    endpoint: str
    labels: tuple[str, str]
    texts_a_call: int
    claims: str
    lease_seconds: int
    text_queue: str
    dead_letters: str
    retry_seconds: tuple[int, ...]
    notices: dict[str, Any]
    mentions: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        mentions = required(environment, "MENTIONS")
        if mentions not in (_RULES, _COMPREHEND):
            raise SettingsError(f"environment variable MENTIONS must be {_RULES} or {_COMPREHEND}")
        return cls(
            bucket=required(environment, "BUCKET"),
            task=required(environment, "TASK"),
            endpoint=required(environment, "ENDPOINT"),
            labels=required_pair(environment, "LABELS"),
            texts_a_call=required_count(environment, "TEXTS_A_CALL", _MOST_TEXTS),
            claims=required(environment, "CLAIMS"),
            lease_seconds=required_seconds(environment, "LEASE_SECONDS"),
            text_queue=required(environment, "TEXT_QUEUE"),
            dead_letters=required(environment, "DEAD_LETTERS"),
            retry_seconds=required_delays(environment, "RETRY_SECONDS"),
            notices=_notices(environment),
            mentions=mentions,
        )


def _notices(environment: Mapping[str, str]) -> dict[str, Any]:
    value = required_object(environment, "NOTICES")
    probability = value.get("probability")
    known = isinstance(value.get("topic"), str) and isinstance(probability, (int, float)) and 0 < probability <= 1
    if value and not known:
        raise SettingsError("environment variable NOTICES must name a topic and a probability in (0, 1], or be {}")
    return value


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _stream() -> Stream:
    settings = _settings()
    # A text that was not answered is tried again by the queue; asked at once, an endpoint in trouble gets into more.
    once = Config(read_timeout=READ_SECONDS, connect_timeout=5, retries={"total_max_attempts": 1})
    notices = None
    if settings.notices:
        notices = Notices(
            boto3.client("sns"), settings.notices["topic"], settings.task, float(settings.notices["probability"])
        )
    log = EventLog(
        claims=Claims(boto3.client("dynamodb"), settings.claims),
        files=EventFiles(boto3.client("s3"), settings.bucket, settings.task),
        notices=notices,
        clock=time.time,
        lease_seconds=settings.lease_seconds,
        logger=_logger,
    )
    return Stream(
        log=log,
        endpoint=LiveEndpoint(
            boto3.client("sagemaker-runtime", config=once), settings.endpoint, frozenset(settings.labels)
        ),
        positive=settings.labels[0],
        texts_a_call=settings.texts_a_call,
        mentions=_mentions(settings.mentions),
        sqs=boto3.client("sqs"),
        dead_letters=settings.dead_letters,
    )


def _mentions(who: str) -> Callable[[str, bool], Mentions]:
    if who == _RULES:
        return lambda text, _: find_mentions(text)
    comprehend = boto3.client("comprehendmedical")
    return lambda text, positive: ask_comprehend(comprehend, text) if positive else find_mentions(text)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch and name the messages that must be delivered again."""
    settings, stream = _settings(), _stream()
    failed = handle_batch(event["Records"], stream, lambda: context.get_remaining_time_in_millis() / 1000, _logger)
    try_again_later(stream.sqs, settings.text_queue, failed, settings.retry_seconds, _logger)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
