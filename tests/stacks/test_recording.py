"""What the functions that write rows may do, and what they are told."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from app import build_app
from stacks.config import load_stage
from tests.stacks.conftest import REPOSITORY, STAGES, resolve


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
        "RecordRun": {f"{name}/*" for name in ("runs", "steps", "parameters", "search_jobs", "data_flow", "lengths")},
        "StartTraining": {"runs/*"},
    }
    assert all("/tables/" in on for on in resources(training, "RecordRun", "s3:PutObject"))


def test_the_jobs_of_a_search_may_be_read(templates: Mapping[str, Mapping[str, Template]]) -> None:
    training = templates["dev"]["Training"]
    root = f"arn:aws:sagemaker:{load_stage('dev').region}:111111111111"
    for action in ("DescribeHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob"):
        assert resources(training, "RecordRun", f"sagemaker:{action}") == {
            f"{root}:hyper-parameter-tuning-job/????????????-*"
        }
    assert not resources(training, "RecordRun", "sagemaker:StopHyperParameterTuningJob")


def test_without_a_dashboard_nothing_of_quicksight_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = load_stage("dev").model_copy(update={"dashboard": None})
    monkeypatch.setattr("app.load_stage", lambda _: stage)
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    (stack,) = [one for one in build_app(App(context=context)) if one.stack_name.endswith("Training")]
    training = Template.from_stack(stack)
    assert variables(training, "RecordRun")["REFRESH_DATA_SETS"] == "[]"
    assert "quicksight" not in json.dumps(training.to_json())


@pytest.mark.parametrize("stage", STAGES)
def test_exactly_the_copies_that_quicksight_keeps_are_refreshed(
    templates: Mapping[str, Mapping[str, Template]], stage: str
) -> None:
    training, dashboard = templates[stage]["Training"], templates[stage]["Dashboard"]
    kept = {
        one["Properties"]["DataSetId"]
        for one in dashboard.find_resources("AWS::QuickSight::DataSet").values()
        if one["Properties"]["ImportMode"] == "SPICE"
    }
    assert set(json.loads(variables(training, "RecordRun")["REFRESH_DATA_SETS"])) == kept != set()
    root = f"arn:aws:quicksight:{load_stage(stage).region}:111111111111:dataset"
    assert resources(training, "RecordRun", "quicksight:CreateIngestion") == {
        f"{root}/{name}/ingestion/*" for name in kept
    }
    of_quicksight = [s for s in statements(training, "RecordRun") if "quicksight" in json.dumps(s["Action"])]
    assert [s["Action"] for s in of_quicksight] == ["quicksight:CreateIngestion"]
    assert "quicksight" not in json.dumps(statements(training, "StartTraining"))
