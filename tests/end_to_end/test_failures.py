"""A run that fails at any step says which and why, and the next run works."""

import copy
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Pipeline
from tests.end_to_end.reports import write_reports

pytestmark = pytest.mark.end_to_end

STEPS = ("Prepare", "StageModel", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate", "Register")


@pytest.fixture
def changed_pipeline(pipeline: Pipeline) -> Iterator[Any]:
    """A function that puts another definition in the place of the deployed one; undone afterwards."""
    described = pipeline.sagemaker.describe_pipeline(PipelineName=pipeline.name)
    deployed = described["PipelineDefinition"]

    def change(definition: dict[str, Any]) -> None:
        pipeline.sagemaker.update_pipeline(
            PipelineName=pipeline.name, PipelineDefinition=json.dumps(definition), RoleArn=described["RoleArn"]
        )

    yield json.loads(deployed), change
    pipeline.settle()
    change(json.loads(deployed))


def broken(definition: dict[str, Any], name: str) -> dict[str, Any]:
    """The definition with one step that cannot succeed."""
    definition = copy.deepcopy(definition)
    if name == "Register":
        (gate,) = [step for step in definition["Steps"] if step["Name"] == "Gate"]
        gate["Arguments"]["IfSteps"][0]["Arguments"]["ModelPackageGroupName"] = "no-such-group"
        return definition
    (step,) = [step for step in definition["Steps"] if step["Name"] == name]
    if step["Type"] == "Training":
        step["Arguments"]["HyperParameters"]["colour"] = "blue"
    else:
        step["Arguments"]["AppSpecification"]["ContainerArguments"] += ["--colour", "blue"]
    return definition


@pytest.mark.parametrize("name", STEPS)
def test_the_row_of_a_failed_run_names_the_step_and_the_reason(
    pipeline: Pipeline, changed_pipeline: Any, tmp_path: Path, name: str
) -> None:
    definition, change = changed_pipeline
    change(broken(definition, name))
    known = len(pipeline.runs())
    pipeline.upload(write_reports(tmp_path / "train.jsonl", range(400)))
    view = pipeline.wait(pipeline.next_run(known))
    row = pipeline.row(view.run_id)
    assert (row["status"], row["failed_step"]) == ("Failed", name)
    assert ("no-such-group" if name == "Register" else "colour") in str(row["reason"])
    # What was known by then is in the row all the same.
    assert row["uploaded"] == (None if name == "Prepare" else "400")


def test_a_training_job_that_is_killed_is_a_failed_run_and_the_next_one_works(
    pipeline: Pipeline, changed_pipeline: Any, tmp_path: Path
) -> None:
    definition, change = changed_pipeline
    (step,) = [step for step in definition["Steps"] if step["Name"] == "FineTune"]
    step["RetryPolicies"] = []
    change(definition)
    known = len(pipeline.runs())
    pipeline.upload(write_reports(tmp_path / "train.jsonl", range(500)))
    arn = pipeline.next_run(known)
    kill_training_job(arn.rsplit("/", 1)[-1])
    view = pipeline.wait(arn)
    row = pipeline.row(view.run_id)
    assert (row["status"], row["failed_step"]) == ("Failed", "FineTune")
    assert row["reason"]
    pipeline.upload(write_reports(tmp_path / "more.jsonl", range(500, 520)))
    assert pipeline.wait(pipeline.next_run(known + 1)).status == "Succeeded"


def kill_training_job(run_id: str, seconds: float = 90) -> None:
    """Kill the process of a run's training script, as a machine that runs out of memory does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    command = (folder / "cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if "fine_tune_entry.py" in command and run_id in command:
                    os.kill(int(folder.name), signal.SIGKILL)
                    return
        time.sleep(0.1)
    raise AssertionError("the training job did not start")
