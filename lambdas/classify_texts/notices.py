"""Notices of events above a set probability, to a topic that people and systems subscribe to. Never the text."""

import json
from dataclasses import dataclass
from typing import Any

from lambdas.event_files import EventRow


@dataclass(frozen=True)
class Notices:
    """Where notices go, and from which probability in (0, 1] on."""

    sns: Any
    topic: str
    task: str
    probability: float

    def wanted(self, probability: float) -> bool:
        return probability >= self.probability

    def send(self, row: EventRow) -> None:
        """Raises botocore's errors: the topic may or may not have it."""
        happened = row.happened_at.isoformat() if row.happened_at is not None else None
        notice = {
            "task": self.task,
            "event_id": row.event_id,
            "source": row.source,
            "time": happened or row.arrived_at.isoformat(),
            "probability": row.probability,
            "kind": row.kind,
        }
        self.sns.publish(
            TopicArn=self.topic,
            Message=json.dumps(notice),
            # For filter policies of subscribers.
            MessageAttributes={"task": {"DataType": "String", "StringValue": self.task}},
        )
