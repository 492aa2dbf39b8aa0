"""Starts a run of a task when its training data has changed.

Event source: the FIFO queue of upload events and of ends of executions, with ReportBatchItemFailures. Environment:

    BUCKET                where uploads lie
    PIPELINES             JSON object: task -> name of its pipeline
    MODEL_PACKAGE_GROUPS  JSON object: task -> name of its model package group
    SETTLE_SECONDS        the queue's delay; see reconcile.py for why it must be the same number
    STAGE                 name of the stage, for the log
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from lambdas.errors import SettingsError
from lambdas.settings import required, required_names, required_seconds
from lambdas.start_training.batch import handle_batch
from lambdas.start_training.reconcile import Clients, Task
from lambdas.structured_log import structured_logger

_logger = structured_logger("start_training")


@dataclass(frozen=True)
class Settings:
    """The environment. `tasks` by their names."""

    bucket: str
    stage: str
    tasks: dict[str, Task]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        bucket = required(environment, "BUCKET")
        pipelines = required_names(environment, "PIPELINES")
        groups = required_names(environment, "MODEL_PACKAGE_GROUPS")
        settle_seconds = required_seconds(environment, "SETTLE_SECONDS")
        if pipelines.keys() != groups.keys():
            raise SettingsError("PIPELINES and MODEL_PACKAGE_GROUPS must name the same tasks")
        return cls(
            bucket=bucket,
            stage=required(environment, "STAGE"),
            tasks={
                name: Task(
                    name=name,
                    bucket=bucket,
                    pipeline=pipelines[name],
                    model_package_group=groups[name],
                    settle_seconds=settle_seconds,
                )
                for name in pipelines
            },
        )


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _clients() -> Clients:
    return Clients(s3=boto3.client("s3"), sagemaker=boto3.client("sagemaker"))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  # Lambda's signature
    """Handle a batch and name the messages that must be delivered again."""
    settings = _settings()
    failed = handle_batch(
        event["Records"],
        bucket=settings.bucket,
        tasks=settings.tasks,
        clients=_clients(),
        now=datetime.now(UTC),
        logger=_logger,
    )
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
