"""EventBridge events about executions and steps, with the details that the developer guide shows.

("Events that Amazon SageMaker AI sends to Amazon EventBridge", pipeline execution and pipeline step state change.)
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.emulator.pipelines.execution import ExecutionInfo

EXECUTION_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
STEP_CHANGE = "SageMaker Model Building Pipeline Execution Step Status Change"

logger = logging.getLogger(__name__)


class Announcer:
    """Tells of one execution, one event after the other. An event that cannot be told does not stop the execution."""

    def __init__(self, info: "ExecutionInfo", tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._info = info
        self._tell = tell
        # Reentrant: who is told may stop the execution at once, which is an event of its own.
        self._lock = threading.RLock()

    def execution(self, status: str, before: str | None, ended: datetime | None) -> None:
        detail: dict[str, Any] = {
            "pipelineExecutionDisplayName": self._info.display_name,
            "pipelineExecutionDescription": None,
            "currentPipelineExecutionStatus": status,
            "previousPipelineExecutionStatus": before,
            "executionStartTime": _timestamp(self._info.started),
            "pipelineArn": self._info.pipeline_arn,
            "pipelineExecutionArn": self._info.arn,
        }
        if ended is not None:
            detail["executionEndTime"] = _timestamp(ended)
        self._emit(EXECUTION_CHANGE, detail)

    def step(self, summary: Mapping[str, Any], step_type: str, before: str | None) -> None:
        """`summary` in the shape of PipelineExecutionSteps."""
        detail: dict[str, Any] = {
            "metadata": _camel(summary["Metadata"]),
            "stepStartTime": _timestamp(summary["StartTime"]),
            "stepName": summary["StepName"],
            "stepType": step_type,
            "previousStepStatus": before,
            "currentStepStatus": summary["StepStatus"],
            "pipelineArn": self._info.pipeline_arn,
            "pipelineExecutionArn": self._info.arn,
        }
        if "EndTime" in summary:
            detail["stepEndTime"] = _timestamp(summary["EndTime"])
        if "FailureReason" in summary:
            detail["failureReason"] = summary["FailureReason"]
        if "CacheHitResult" in summary:
            detail["cacheHitResult"] = _camel(summary["CacheHitResult"])
        self._emit(STEP_CHANGE, detail)

    def _emit(self, detail_type: str, detail: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._tell(detail_type, detail)
            # Whoever listens may fail in any way; the execution it is told of goes on all the same.
            except Exception:
                logger.exception("An event of type %r of execution %s is lost", detail_type, self._info.id)


def _camel(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _camel(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
