"""A batch of queue messages: each task that any of them is about is reconciled once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.errors import EventError, LambdaError
from lambdas.names import Place
from lambdas.object_created import ObjectCreated
from lambdas.start_training.messages import ExecutionChanged, parse_message
from lambdas.start_training.reconcile import Clients, Task, reconcile
from lambdas.start_training.refusals import refuse
from lambdas.structured_log import key_digest, log_event

# What a message may fail with: it is delivered again, and ends up in the dead-letter queue if it keeps failing.
_FAILURES = (LambdaError, ClientError, BotoCoreError)


def handle_batch(
    records: Sequence[Mapping[str, Any]],
    *,
    bucket: str,
    tasks: Mapping[str, Task],
    clients: Clients,
    now: datetime,
    logger: logging.Logger,
) -> list[str]:
    """Handle SQS records in order and return the message ids that must be delivered again.

    A FIFO queue keeps the order of a message group only if, after a failed message, the rest of its group in the batch
    is given back too; so those are returned as well.
    """
    outcomes: dict[str, bool] = {}  # task -> reconciled without an error
    failed: set[str] = set()
    for record in records:
        try:
            message = parse_message(record["body"], bucket)
            task = _task_of(message, tasks)
            if task is not None:
                if task.name not in outcomes:
                    outcomes[task.name] = False
                    outcome = reconcile(task, clients, now, logger)
                    outcomes[task.name] = True
                    log_event(logger, "reconciled", task=task.name, outcome=outcome.value, messages=len(records))
                elif not outcomes[task.name]:
                    failed.add(record["messageId"])
            elif isinstance(message, ObjectCreated) and not _is_none_of_ours(message, tasks):
                run_id = refuse(clients.s3, bucket, message, tasks)
                log_event(logger, "upload_refused", run_id=run_id, key_sha256=key_digest(message.key))
        except _FAILURES as error:
            failed.add(record["messageId"])
            log_event(
                logger,
                "message_failed",
                level=logging.ERROR,
                message_id=record["messageId"],
                error=type(error).__name__,
                reason=str(error),
            )
    return _with_rest_of_group(records, failed)


def _is_none_of_ours(message: ObjectCreated, tasks: Mapping[str, Task]) -> bool:
    """An empty folder, or a known task's incoming or reviewed texts: they start nothing, and are not to be refused."""
    upload = message.upload
    return upload.place is Place.FOLDER or (upload.place in (Place.INCOMING, Place.REVIEWED) and upload.task in tasks)


def _task_of(message: ObjectCreated | ExecutionChanged, tasks: Mapping[str, Task]) -> Task | None:
    """The task to reconcile; None for an upload that is refused or passed over.

    Raises:
        EventError: an execution of a pipeline that is not ours.
    """
    if isinstance(message, ObjectCreated):
        upload = message.upload
        return tasks.get(upload.task) if upload.place in (Place.TRAIN, Place.EVALUATION) else None
    for task in tasks.values():
        if task.pipeline == message.pipeline:
            return task
    raise EventError(f"an event is about pipeline {message.pipeline!r}, which belongs to no task")


def _with_rest_of_group(records: Sequence[Mapping[str, Any]], failed: set[str]) -> list[str]:
    broken_groups: set[str] = set()
    returned = []
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        if record["messageId"] in failed:
            broken_groups.add(group)
        if group in broken_groups:
            returned.append(record["messageId"])
    return returned
