"""What the functions that write rows may do, and what they are told."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.config import load_stage, load_tasks
from stacks.foundation import Foundation
from stacks.storage_stack import StorageStack
from stacks.training_stack import TrainingStack
from tests.stacks.conftest import REPOSITORY, STAGES, resolve

DATA_SETS = ("dev-runs", "dev-steps")


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    """Those of a function's role."""
    found = [
        statement
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if name.startswith(f"{function}Role")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert found
    return found


def resources(template: Template, function: str, action: str) -> set[str]:
    """What a function may do `action` on."""
    found: set[str] = set()
    for statement in statements(template, function):
        actions, on = statement["Action"], statement["Resource"]
        if action in (actions if isinstance(actions, list) else [actions]):
            found |= {resolve(resource) for resource in (on if isinstance(on, list) else [on])}
    return found


def variables(template: Template, function: str) -> dict[str, Any]:
    (environment,) = [
        resource["Properties"]["Environment"]["Variables"]
        for name, resource in template.find_resources("AWS::Lambda::Function").items()
        if name.startswith(function)
    ]
    return dict(environment)


@pytest.fixture(scope="module")
def refreshing(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The training stack of a stage that has data sets to refresh."""
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
    stage = load_stage("dev")
    storage = StorageStack(app, "Storage", stage=stage)
    foundation = Foundation(
        stage=stage,
        tasks=load_tasks("dev", REPOSITORY / "tasks"),
        bucket=storage.bucket,
        key=storage.key,
        alarms=storage.alarms,
    )
    refreshed = dataclasses.replace(foundation, refreshed_data_sets=DATA_SETS)
    return Template.from_stack(TrainingStack(app, "Training", foundation=refreshed))


@pytest.mark.parametrize("stage", STAGES)
def test_each_function_writes_its_tables_and_no_others(
    templates: Mapping[str, Mapping[str, Template]], stage: str
) -> None:
    training = templates[stage]["Training"]
    tables = {
        function: {
            on.partition("/tables/")[2] for on in resources(training, function, "s3:PutObject") if "/tables/" in on
        }
        for function in ("RecordRun", "StartTraining")
    }
    assert tables == {
        "RecordRun": {f"{name}/*" for name in ("runs", "steps", "parameters", "data_flow", "lengths")},
        "StartTraining": {"runs/*"},
    }
    assert all("/tables/" in on for on in resources(training, "RecordRun", "s3:PutObject"))


@pytest.mark.parametrize("stage", STAGES)
def test_without_data_sets_nothing_of_quicksight_is_allowed(
    templates: Mapping[str, Mapping[str, Template]], stage: str
) -> None:
    training = templates[stage]["Training"]
    assert variables(training, "RecordRun")["REFRESH_DATA_SETS"] == "[]"
    assert "quicksight" not in json.dumps(training.to_json())


def test_exactly_the_data_sets_that_are_named_are_refreshed(refreshing: Template) -> None:
    assert json.loads(variables(refreshing, "RecordRun")["REFRESH_DATA_SETS"]) == list(DATA_SETS)
    allowed = resources(refreshing, "RecordRun", "quicksight:CreateIngestion")
    region = load_stage("dev").region
    root = f"arn:aws:quicksight:{region}:111111111111:dataset"
    assert allowed == {f"{root}/{name}/ingestion/*" for name in DATA_SETS}
    of_quicksight = [s for s in statements(refreshing, "RecordRun") if "quicksight" in json.dumps(s["Action"])]
    assert [s["Action"] for s in of_quicksight] == ["quicksight:CreateIngestion"]
    assert "quicksight" not in json.dumps(statements(refreshing, "StartTraining"))
