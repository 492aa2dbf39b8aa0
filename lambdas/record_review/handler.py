"""Writes down what a person says about an event, so that the next run learns from it.

Called directly (Lambda's Invoke) by whoever may; verdict.py says with what. Answers

    {"verdict": "confirmed" | "rejected", "label": the event's right label}
    {"error": name of one of ReviewError's kinds, "reason": str}        nothing was written

and never with a text. Environment:

    BUCKET  where events and uploads lie
    TASK    name of the task
    CLAIMS  name of the DynamoDB table of classify_texts's claims
    LABELS  JSON list: the task's two labels
    FIELDS  JSON list: what the task calls a text and its label in uploaded files
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from lambdas.errors import ReviewError
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles
from lambdas.record_review.record import Reviews
from lambdas.record_review.verdict import read_review
from lambdas.settings import required, required_pair
from lambdas.structured_log import log_event, structured_logger

_logger = structured_logger("record_review")


@dataclass(frozen=True)
class Settings:
    """The environment."""

    bucket: str
    task: str
    claims: str
    labels: tuple[str, str]
    fields: tuple[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        return cls(
            bucket=required(environment, "BUCKET"),
            task=required(environment, "TASK"),
            claims=required(environment, "CLAIMS"),
            labels=required_pair(environment, "LABELS"),
            fields=required_pair(environment, "FIELDS"),
        )


@cache
def _reviews() -> Reviews:
    settings = Settings.from_environment(os.environ)
    s3 = boto3.client("s3")
    return Reviews(
        s3=s3,
        bucket=settings.bucket,
        task=settings.task,
        claims=Claims(boto3.client("dynamodb"), settings.claims),
        files=EventFiles(s3, settings.bucket, settings.task),
        labels=settings.labels,
        fields=settings.fields,
    )


def handler(event: Any, context: object) -> dict[str, str]:  # noqa: ARG001  # Lambda's signature
    """Write one review down."""
    try:
        review = read_review(event, datetime.now(UTC))
        label = _reviews().record(review)
    except ReviewError as error:
        log_event(_logger, "review_refused", level=logging.WARNING, error=type(error).__name__, reason=str(error))
        return {"error": type(error).__name__, "reason": str(error)}
    log_event(_logger, "event_reviewed", verdict=review.verdict.verdict)
    return {"verdict": review.verdict.verdict, "label": label}
