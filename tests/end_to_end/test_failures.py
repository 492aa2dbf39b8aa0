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

from local.runs import parameters_of
from tests.end_to_end.conftest import Pipeline
from tests.end_to_end.reports import write_reports

pytestmark = pytest.mark.end_to_end

STEPS = ("Prepare", "StageModel", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate", "Register")


@pytest.fixture(scope="module")
def good_run(pipeline_of_stage: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Parameters of a run that succeeded. A run with the same ones takes what did not change from the cache."""
    pipeline_of_stage.clear_uploads()
    known = len(pipeline_of_stage.runs())
    pipeline_of_stage.upload(write_reports(tmp_path_factory.mktemp("reports") / "train.jsonl", range(400)))
    arn = pipeline_of_stage.next_run(known)
    assert pipeline_of_stage.wait(arn).status == "Succeeded"
    return parameters_of(pipeline_of_stage.sagemaker, arn)


@pytest.fixture
def changed_pipeline(pipeline_of_stage: Pipeline) -> Iterator[Any]:
    """The deployed definition, and a function that puts another one in its place; undone afterwards."""
    sagemaker, name = pipeline_of_stage.sagemaker, pipeline_of_stage.name
    described = sagemaker.describe_pipeline(PipelineName=name)
    deployed = described["PipelineDefinition"]

    def change(definition: dict[str, Any]) -> None:
        sagemaker.update_pipeline(
            PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=described["RoleArn"]
        )

    yield json.loads(deployed), change
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
    pipeline_of_stage: Pipeline, good_run: dict[str, str], changed_pipeline: Any, name: str
) -> None:
    definition, change = changed_pipeline
    change(broken(definition, name))
    view = pipeline_of_stage.wait(pipeline_of_stage.start(good_run))
    row = pipeline_of_stage.row(view.run_id)
    assert (row["status"], row["failed_step"]) == ("Failed", name)
    assert ("no-such-group" if name == "Register" else "colour") in str(row["reason"])
    # What was known by then is in the row all the same.
    assert row["uploaded"] == (None if name == "Prepare" else "400")


def test_a_training_job_that_is_killed_is_a_failed_run_and_the_next_one_works(
    pipeline_of_stage: Pipeline, good_run: dict[str, str], changed_pipeline: Any
) -> None:
    definition, change = changed_pipeline
    (step,) = [step for step in definition["Steps"] if step["Name"] == "FineTune"]
    # Otherwise the pipeline would wait, and train again.
    step["RetryPolicies"] = []
    change(definition)
    parameters = {**good_run, "Epochs": "2.0"}
    arn = pipeline_of_stage.start(parameters)
    kill_training_job(arn.rsplit("/", 1)[-1])
    row = pipeline_of_stage.row(pipeline_of_stage.wait(arn).run_id)
    assert (row["status"], row["failed_step"]) == ("Failed", "FineTune")
    assert row["reason"]
    assert pipeline_of_stage.wait(pipeline_of_stage.start(parameters)).status == "Succeeded"


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
