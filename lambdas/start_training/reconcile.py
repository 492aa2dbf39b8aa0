"""Decides whether a task needs a run now, and starts it.

`reconcile` looks only at what is: the objects under `uploads/<task>/` and the pipeline's executions. Messages merely
wake it, so a repeated, late or reordered message is harmless, and any one message about a task does for all of them.

**Training files alone ask for a run**: their version (`deciding_version`) is compared with that of the newest run.

**Reviewed texts ask for none**, since a person confirms or rejects many events one after another. Their messages are
passed over (batch.py), but every run that is started lists all that lie there. What is reviewed later waits for the
next run, which an upload starts: the end of a run wakes `reconcile`, and reviews are no part of what it compares. Nor
do they settle or postpone: a reviewed text's own message wakes nobody, so an upload that waited for it to settle could
wait for ever. The data version that a run is given names them behind a dash, to tell trainings apart.

**No upload is lost.** Every training and evaluation file has its own message, which the queue delivers no earlier than
`settle_seconds` after the object appeared. When that message wakes `reconcile`, the object lies there, and one of these
holds:

* The newest run was started for exactly this state: the object is in it.
* A run is executing. Its end puts a message on the same queue, which comes after its end, so `reconcile` looks again.
* An object is *settling*, that is, younger than half of `settle_seconds`: a drop of several files is still going on.
  Only then `reconcile` leaves without a run and without an end to wait for. But a message comes no earlier than the
  whole of `settle_seconds` after its object: the settling object's own message is still ahead, and it wakes
  `reconcile` again. The other half is the margin by which the Lambda's clock may differ from S3's. The same holds
  when the end of a run woke it.
* None of these: the run is started here and now.

If reading or starting fails, the message is put back (handler). An object of a multipart upload carries the time at
which that upload began, so it may count as settled too early: a drop is then split into two runs, never lost.

**One run at a time.** Messages of a task are one FIFO group, so `reconcile` never runs twice at once for it, and it
starts nothing while any execution has not ended. If a start's answer is lost and it is tried again, the request token
(made of the data version and of the run before) makes SageMaker return the execution that it already started.

**No drop postpones for ever.** If files keep coming less than half of `settle_seconds` apart, the run is started
anyway once something has waited for `POSTPONE_LIMIT` times `settle_seconds`.

**A failed run is not repeated** until something is uploaded, replaced or removed: the same data would fail again.
"""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from lambdas.model_packages import newest_approved
from lambdas.names import Place, manifest_key, no_champion_prefix
from lambdas.start_training.runs import NewestRun, ended_at, read_runs
from lambdas.start_training.uploads import (
    UploadedObject,
    current_uploads,
    data_version,
    deciding_version,
    is_run_of,
    manifest,
    manifest_name,
)
from lambdas.structured_log import log_event

POSTPONE_LIMIT = 10


class Outcome(Enum):
    """What `reconcile` found."""

    NOTHING_UPLOADED = "nothing_uploaded"
    RUN_EXECUTING = "run_executing"
    ALREADY_RUN = "already_run"
    SETTLING = "settling"
    STARTED = "started"


@dataclass(frozen=True)
class Task:
    """One task's names. `settle_seconds` must be the delay of the queue, 0 or more."""

    name: str
    bucket: str
    pipeline: str
    model_package_group: str
    settle_seconds: int


@dataclass(frozen=True)
class Clients:
    """boto3 clients of S3 and SageMaker."""

    s3: Any
    sagemaker: Any


def reconcile(task: Task, clients: Clients, now: datetime, logger: logging.Logger) -> Outcome:
    """Start a run of `task` if what is uploaded asks for one. `now` is aware; see the module for the rules.

    Raises:
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: AWS refused or did not answer; it is safe
            to call again.
    """
    # Runs are read before uploads: what is uploaded between the two reads is then in the run that is started.
    runs = read_runs(clients.sagemaker, task.pipeline)
    objects = current_uploads(clients.s3, task.bucket, task.name)
    version = deciding_version(objects)
    if version is None:
        return Outcome.NOTHING_UPLOADED
    if runs.executing:
        return Outcome.RUN_EXECUTING
    if runs.newest is not None and is_run_of(runs.newest.data_version, version):
        return Outcome.ALREADY_RUN
    if _still_settling(task, clients, objects, runs.newest, now):
        return Outcome.SETTLING
    _start(task, clients, objects, version, runs.newest, logger)
    return Outcome.STARTED


def _still_settling(
    task: Task, clients: Clients, objects: Iterable[UploadedObject], newest: NewestRun | None, now: datetime
) -> bool:
    """A drop is still going on, and nothing has waited for too long."""
    settle = timedelta(seconds=task.settle_seconds)
    times = [item.last_modified for item in objects if item.place is not Place.REVIEWED]
    # Without a delay there is no margin for clocks either, and nothing is waited for.
    if not settle or now - max(times) >= settle / 2:
        return False
    if newest is None:
        waiting_since = min(times)
    else:
        # What came during a run could not have been started before its end.
        came_since = [time for time in times if time > newest.started_at]
        waiting_since = max(min(came_since, default=now), ended_at(clients.sagemaker, newest.arn))
    return now - waiting_since < POSTPONE_LIMIT * settle


def _start(
    task: Task,
    clients: Clients,
    objects: Sequence[UploadedObject],
    version: str,
    newest: NewestRun | None,
    logger: logging.Logger,
) -> None:
    """`version` is the deciding one."""
    key = manifest_key(task.name, manifest_name(objects))
    clients.s3.put_object(
        Bucket=task.bucket,
        Key=key,
        Body=manifest(task.bucket, task.name, objects).encode(),
        ContentType="application/json",
    )
    parameters = {
        "DataVersion": data_version(version, objects),
        "Manifest": f"s3://{task.bucket}/{key}",
        "Champion": _champion(task, clients, logger),
    }
    answer = clients.sagemaker.start_pipeline_execution(
        PipelineName=task.pipeline,
        PipelineExecutionDisplayName=f"data-{parameters['DataVersion']}",
        PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
        ClientRequestToken=_request_token(task.name, version, newest),
    )
    log_event(
        logger,
        "run_started",
        task=task.name,
        data_version=parameters["DataVersion"],
        execution=answer["PipelineExecutionArn"],
        objects=len(objects),
        reviewed=sum(item.place is Place.REVIEWED for item in objects),
    )


def _request_token(task: str, version: str, newest: NewestRun | None) -> str:
    """64 hexadecimal digits, the same for every attempt to start the run of this deciding version after that run.

    The run before is part of it, because a removed file can bring back an earlier version. Reviewed texts are not: one
    that comes between two attempts must not make two runs.
    """
    before = newest.arn if newest is not None else "none"
    return hashlib.sha256("\0".join((task, version, before)).encode()).hexdigest()


def _champion(task: Task, clients: Clients, logger: logging.Logger) -> str:
    """S3 prefix of the predictions of the newest approved model, or of one empty object."""
    package = newest_approved(clients.sagemaker, task.model_package_group)
    if package is not None and package.metadata.get("predictions"):
        return package.metadata["predictions"]
    if package is not None:
        # Registered by hand: there is nothing to compare with, which must not stop training.
        log_event(logger, "champion_without_predictions", level=logging.WARNING, model_package=package.arn)
    prefix = no_champion_prefix(task.name)
    clients.s3.put_object(Bucket=task.bucket, Key=f"{prefix}empty", Body=b"")
    return f"s3://{task.bucket}/{prefix}"
