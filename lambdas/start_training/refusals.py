"""Uploads that no run will ever read: they get a row in `runs` that says why. The object stays where it is."""

import hashlib
import re
from collections.abc import Collection
from typing import Any

from lambdas.names import LAYOUT
from lambdas.object_created import ObjectCreated
from lambdas.run_tables import RunsRow, write_rows
from lambdas.structured_log import key_digest
from training.table_schemas import RUNS, UNKNOWN_TASK

_TASK_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def refuse(s3: Any, bucket: str, message: ObjectCreated, tasks: Collection[str]) -> str:
    """Write the row for an upload under an unknown task or outside the layout, and return its run id.

    The same object gives the same row. Known tasks have it in their own partition, others in `UNKNOWN_TASK`.
    """
    task = message.upload.task
    identity = "\0".join((message.key, message.etag))
    run_id = f"refused-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    row = RunsRow(
        run_id=run_id,
        status="Refused",
        started_at=message.time,
        ended_at=message.time,
        reason=_reason(message, tasks),
    )
    write_rows(s3, bucket, RUNS, task if task in tasks else UNKNOWN_TASK, [row])
    return run_id


def _reason(message: ObjectCreated, tasks: Collection[str]) -> str:
    task = message.upload.task
    if task in tasks:
        problem = f"lies outside the folders of task {task}"
    elif _TASK_NAME.fullmatch(task):
        problem = f"lies under the unknown task {task}"
    else:
        # A key that was not meant as a task's name may hold a patient's; it is not repeated.
        problem = "lies under no task"
    known = ", ".join(sorted(tasks))
    return (
        f"The uploaded object (SHA-256 of its key begins with {key_digest(message.key)}) {problem}; "
        f"upload to {LAYOUT}, where <task> is one of: {known}."
    )
