"""One local stage for all end-to-end tests: a real local AWS, the real CDK command, tiny models."""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.athena import ask
from local.results import Tables
from local.runs import ENDED, RunView, RunWatcher
from local.stage import LocalStage, deployed_stage
from tests.end_to_end.event_task import write_event_task

TASK = "radiology_impressions"
TASKS_FOLDER = Path(__file__).parent / "tasks"


def rows(stage: LocalStage, query: str) -> list[dict[str, str | None]]:
    """What Athena answers about the stage's tables."""
    names = stage.names
    return ask(stage.aws.client("athena"), query, database=names.database, workgroup=names.workgroup)


class Pipeline:
    """A task's pipeline in the stage: starting, waiting, reading what was written down."""

    def __init__(self, stage: LocalStage, task: str = TASK) -> None:
        self.stage = stage
        self.task = task
        self.name = stage.names.pipelines[task]
        self.sagemaker = stage.aws.client("sagemaker")
        self.tables = Tables(stage.aws.client("athena"), stage.names)

    def upload(self, file: Path, evaluation_set: str | None = None) -> str:
        return self.stage.upload(file, self.task, evaluation_set)

    def runs(self) -> list[dict[str, Any]]:
        """Every run, newest first."""
        summaries: list[dict[str, Any]] = self.sagemaker.list_pipeline_executions(
            PipelineName=self.name, SortBy="CreationTime", SortOrder="Descending"
        )["PipelineExecutionSummaries"]
        return summaries

    def start(self, parameters: Mapping[str, str]) -> str:
        """Start a run by hand; its ARN."""
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        started = self.sagemaker.start_pipeline_execution(PipelineName=self.name, PipelineParameters=given)
        return str(started["PipelineExecutionArn"])

    def next_run(self, known: int, seconds: float = 120) -> str:
        """ARN of the first run beyond the `known` first ones."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            runs = self.runs()
            if len(runs) > known:
                return str(runs[len(runs) - known - 1]["PipelineExecutionArn"])
            time.sleep(0.2)
        raise AssertionError(f"no run beyond the first {known} started")

    def wait(self, arn: str, seconds: float = 500) -> RunView:
        """The run's end."""
        watcher = RunWatcher(sagemaker=self.sagemaker, logs=self.stage.aws.client("logs"), arn=arn)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = watcher.look()
            if view.ended:
                return view
            time.sleep(0.3)
        raise AssertionError(f"{arn} has not ended")

    def row(self, run_id: str, task: str | None = None, seconds: float = 120) -> dict[str, str | None]:
        """The run's row in the table `runs`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            row = self.tables.run(task or self.task, run_id)
            if row is not None:
                return row
            time.sleep(0.3)
        raise AssertionError(f"no row of {run_id}")

    def settle(self) -> None:
        """Wait until no run executes and no event is on its way that would start one."""
        quiet_since = time.monotonic()
        count = -1
        while time.monotonic() - quiet_since < 8:
            runs = self.runs()
            if len(runs) != count or any(run["PipelineExecutionStatus"] not in ENDED for run in runs):
                quiet_since, count = time.monotonic(), len(runs)
            time.sleep(0.3)

    def clear_uploads(self) -> None:
        """Take every upload away, so that the next test begins with none."""
        self.settle()
        s3 = self.stage.aws.client("s3")
        bucket = self.stage.names.bucket
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="uploads/"):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])


def write_tasks(folder: Path) -> Path:
    """The task files of the stage, in `folder`."""
    shutil.copytree(TASKS_FOLDER, folder)
    write_event_task(folder)
    return folder


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStage]:
    folder = tmp_path_factory.mktemp("stage")
    with deployed_stage(Console(quiet=True), folder / "state", write_tasks(folder / "tasks")) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def own_stage(tasks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStage]:
    """A stage of the module's own, with the folder that its fixture `tasks` gives."""
    with deployed_stage(Console(quiet=True), tmp_path_factory.mktemp("state"), tasks) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def pipeline_of_stage(stage: LocalStage) -> Pipeline:
    return Pipeline(stage)


@pytest.fixture
def pipeline(pipeline_of_stage: Pipeline) -> Iterator[Pipeline]:
    pipeline_of_stage.clear_uploads()
    yield pipeline_of_stage
