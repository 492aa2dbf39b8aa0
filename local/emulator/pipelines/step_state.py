"""What is known of a step that has been started."""

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.emulator.pipelines.definition import Step


@dataclass
class StepState:
    """A step that has been started. `status` as in botocore's StepStatus."""

    step: Step
    started: datetime
    status: str = "Starting"
    ended: datetime | None = None
    attempts: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    cache_source: str | None = None
    failure: str | None = None

    def summary(self) -> dict[str, Any]:
        """In the shape of an element of PipelineExecutionSteps."""
        body = self.step.body
        optional = {
            "StepDisplayName": body.get("DisplayName"),
            "StepDescription": body.get("Description"),
            "EndTime": self.ended,
            "FailureReason": self.failure,
            "CacheHitResult": {"SourcePipelineExecutionArn": self.cache_source} if self.cache_source else None,
        }
        return {
            "StepName": self.step.name,
            "StartTime": self.started,
            "StepStatus": self.status,
            "AttemptCount": self.attempts,
            "Metadata": copy.deepcopy(self.metadata),
            **{name: value for name, value in optional.items() if value is not None},
        }
