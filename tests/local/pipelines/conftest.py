"""An engine over in-memory AWS services. Jobs are real processes of this Python."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.emulator.pipelines import EngineSettings, PipelineEngine
from local.emulator.pipelines.job_root import LOCK
from tests.local.pipelines.doubles import MemoryS3, RecordingCloudWatch, RecordingLogs, StubLambda

ENDED = ("Succeeded", "Failed", "Stopped")
# Only so that a defect fails a test instead of hanging it.
PATIENCE_SECONDS = 60


def wait_until(reached: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "what the test waits for did not happen"
        threading.Event().wait(0.02)


class Emulator:
    """The engine, the services around it, and what it told them."""

    def __init__(self, root: Path) -> None:
        self.s3, self.logs = MemoryS3(), RecordingLogs()
        self.cloudwatch, self.lambdas = RecordingCloudWatch(), StubLambda()
        services = {"s3": self.s3, "logs": self.logs, "cloudwatch": self.cloudwatch, "lambda": self.lambdas}
        self.packages: list[dict[str, Any]] = []
        self.registry_answer = lambda: f"arn:aws:sagemaker:us-east-1:111122223333:model-package/g/{len(self.packages)}"
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.listener: Callable[[str, dict[str, Any]], None] | None = None
        self.root = root
        self.settings = EngineSettings(
            root=root,
            python=Path(sys.executable),
            region="us-east-1",
            account="111122223333",
            stop_seconds=2,
            log_seconds=0.1,
            sync_seconds=0.1,
            job_environment={"OMP_NUM_THREADS": "3"},
            network_environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        )
        self.engine = PipelineEngine(
            settings=self.settings,
            clients=services.__getitem__,
            register_model=self.register_model,
            on_event=self.on_event,
        )

    def on_event(self, kind: str, detail: dict[str, Any]) -> None:
        self.events.append((kind, detail))
        if self.listener is not None:
            self.listener(kind, detail)

    def register_model(self, request: dict[str, Any]) -> str:
        self.packages.append(request)
        return self.registry_answer()

    def start(self, definition: dict[str, Any], **more: Any) -> str:
        name = more.pop("pipeline_name", "dev-task")
        arn = f"arn:aws:sagemaker:us-east-1:111122223333:pipeline/{name}"
        more = {"parameters": {}, **more}
        return self.engine.start(pipeline_name=name, pipeline_arn=arn, definition=definition, **more)

    def run(self, definition: dict[str, Any], **more: Any) -> str:
        """Start an execution and wait for its end. Returns its ARN."""
        arn = self.start(definition, **more)
        self.wait(lambda: self.engine.describe_execution(arn)["PipelineExecutionStatus"] in ENDED)
        return arn

    def wait(self, reached: Callable[[], Any]) -> None:
        wait_until(reached)

    def status(self, arn: str) -> str:
        return str(self.engine.describe_execution(arn)["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        return {step["StepName"]: step for step in self.engine.list_steps(arn)}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def reason(self, arn: str, step: str) -> str:
        return str(self.steps(arn)[step]["FailureReason"])

    def job(self, arn: str, step: str) -> dict[str, Any]:
        """The description of the step's job."""
        ((kind, metadata),) = self.steps(arn)[step]["Metadata"].items()
        name = metadata["Arn"].rsplit("/", 1)[1]
        describe = {
            "ProcessingJob": self.engine.describe_processing_job,
            "TrainingJob": self.engine.describe_training_job,
            "TuningJob": self.engine.describe_tuning_job,
        }
        return describe[kind](name)


def process_is_alive(process: int) -> bool:
    """Whether a process still runs. One that has ended and is not collected yet does not."""
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path / "jobs")
    yield emulator
    emulator.engine.close()
    # A job's folder may hold clinical text: none may outlive its job, in whatever way a test ended it.
    assert [path.name for path in emulator.root.iterdir()] == [LOCK]
