"""Sends the texts of files below `uploads/<task>/incoming/` to the task's queue.

Event source: the queue of S3's events of one task, with ReportBatchItemFailures. Environment:

    BUCKET          where the files lie
    TASK            name of the task
    TEXT_QUEUE      URL of the queue that classify_texts reads
    INCOMING_QUEUE  URL of the event source
    RETRY_SECONDS   JSON list: seconds to wait after the first, second, ... failure
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.errors import LambdaError
from lambdas.read_incoming.incoming import Places, read_incoming
from lambdas.retries import try_again_later
from lambdas.settings import required, required_delays
from lambdas.structured_log import log_event, structured_logger

_logger = structured_logger("read_incoming")


@dataclass(frozen=True)
class Settings:
    """The environment."""

    bucket: str
    task: str
    text_queue: str
    incoming_queue: str
    retry_seconds: tuple[int, ...]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        return cls(
            bucket=required(environment, "BUCKET"),
            task=required(environment, "TASK"),
            text_queue=required(environment, "TEXT_QUEUE"),
            incoming_queue=required(environment, "INCOMING_QUEUE"),
            retry_seconds=required_delays(environment, "RETRY_SECONDS"),
        )


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _places() -> Places:
    settings = _settings()
    return Places(
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        bucket=settings.bucket,
        task=settings.task,
        text_queue=settings.text_queue,
        incoming_queue=settings.incoming_queue,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch and name the messages that must be delivered again."""
    settings, places = _settings(), _places()
    failed = []
    for record in event["Records"]:
        try:
            read_incoming(record["body"], places, lambda: context.get_remaining_time_in_millis() / 1000, _logger)
        except (LambdaError, ClientError, BotoCoreError) as error:
            failed.append(record)
            log_event(
                _logger,
                "message_failed",
                level=logging.ERROR,
                message_id=record["messageId"],
                error=type(error).__name__,
                reason=str(error),
            )
    try_again_later(places.sqs, settings.incoming_queue, failed, settings.retry_seconds, _logger)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
