"""What SageMaker tells EventBridge's default bus."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

SOURCE = "aws.sagemaker"
# (source, detail type, detail, resources) -> None
Send = Callable[[str, str, Mapping[str, Any], Sequence[str]], None]


class Events:
    """Sends events; `send` of the constructor is how they reach the bus."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def send(self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
        """Put one event on the default bus, as source `aws.sagemaker`."""
        self._send(SOURCE, detail_type, detail, resources)

    def of_pipeline(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event of a pipeline execution, whose resources AWS names so: the pipeline, the execution."""
        resources = [detail["pipelineArn"], detail["pipelineExecutionArn"]]
        self.send(detail_type, {name: _plain(value) for name, value in detail.items()}, resources)


def iso(moment: datetime) -> str:
    """`2024-05-01T12:00:00Z`, as these events have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> float:
    """Milliseconds since 1970, as endpoint events have it."""
    return float(int(moment.timestamp() * 1000))


def _plain(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value
