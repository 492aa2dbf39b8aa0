"""Telling QuickSight that its data sets have new rows to take in."""

import hashlib
import logging
from collections.abc import Iterable
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.record_run.execution import Execution
from lambdas.structured_log import log_event

# QuickSight throttles: a data set is asked for up to five times, with pauses of up to 15 seconds together.
PATIENCE = Config(retries={"mode": "standard", "total_max_attempts": 5})


def refresh(
    quicksight: Any, account: str, data_sets: Iterable[str], execution: Execution, logger: logging.Logger
) -> None:
    """Start an ingestion of each data set. One that this end of the run has started already is left alone."""
    for data_set in data_sets:
        try:
            quicksight.create_ingestion(
                AwsAccountId=account, DataSetId=data_set, IngestionId=_ingestion_id(execution, data_set)
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceExistsException":
                continue
            # Not raised: the rows are written, and the dashboard takes them in with the next run's refresh. Raised, it
            # would put a run that was recorded into the dead-letter queue, for a limit of refreshes a day perhaps.
            log_event(
                logger,
                "refresh_failed",
                level=logging.ERROR,
                run_id=execution.run_id,
                data_set=data_set,
                error_code=code,
            )
        else:
            log_event(logger, "refresh_started", run_id=execution.run_id, data_set=data_set)


def _ingestion_id(execution: Execution, data_set: str) -> str:
    """The same for the same end of a run, however often it is announced; another for a run that was retried."""
    end = "\0".join((execution.run_id, execution.status, execution.ended_at.isoformat(), data_set))
    return f"{execution.run_id}-{hashlib.sha256(end.encode()).hexdigest()[:8]}"
