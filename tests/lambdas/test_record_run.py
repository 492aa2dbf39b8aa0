"""record_run: one row for every ended execution, whatever became of it."""

import json
from datetime import datetime

import pytest

from lambdas.errors import EventError, ResultError, SettingsError, UnfinishedRunError
from lambdas.record_run import handler as handler_module
from lambdas.record_run.handler import Settings, record
from lambdas.record_run.reason import clean_reason
from tests.lambdas.events import execution_ended
from tests.lambdas.parquet_rows import table_rows
from tests.lambdas.recorded_run import ACCOUNT, ARN, BUCKET, PACKAGE, SETTINGS, World
from training.table_schemas import RECORDED


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_that_succeeded(world: World) -> None:
    world.prepare()
    world.run.add_training(1000)
    world.evaluate()
    world.run.add("Gate", 0, Metadata={"Condition": {"Outcome": "True"}})
    world.run.add("Register-RegisterModel", 2, Metadata={"RegisterModel": {"Arn": PACKAGE}})
    row = world.row()
    assert row == {
        "run_id": "abc123",
        "status": "Succeeded",
        "started_at": datetime(2026, 3, 31, 23, 30),
        "ended_at": datetime(2026, 3, 31, 23, 54, 42),
        "failed_step": None,
        "reason": None,
        "warnings": "Few records.\nThe nearest report is better.",
        "data_version": "0123456789abcdef",
        "data_fingerprint": "f" * 64,
        "uploaded": 100,
        "train": 80,
        "validation": 5,
        "quarantined": 3,
        "duplicates": 8,
        "evaluated": '{"dev2": 20}',
        "gate_passed": True,
        "gate_reasons": "Better than before.\nNo model is in service.",
        "model_package": PACKAGE,
        "parameters": '{"ApprovalStatus": "PendingManualApproval", "DataVersion": "0123456789abcdef", "Epochs": "3"}',
        "step_seconds": json.dumps(
            {"Evaluate": 260.0, "FineTune": 1060.0, "Gate": 0.0, "Prepare": 160.0, "Register-RegisterModel": 2.0}
        ),
        # 300 s at 0.36 $/h and 1000 s on 2 machines at 1.80 $/h
        "cost_dollars": pytest.approx(0.03 + 1.0),
    }


def test_a_run_that_failed_keeps_prepares_counts_and_names_the_step_that_failed_first(world: World) -> None:
    world.prepare()
    reason = "ClientError: UploadError:\n\tout of memory\x00 " + "x" * 975
    world.run.add_processing("GeneratePretrained", 10, {}, status="Failed", FailureReason=reason)
    world.run.add_processing("GenerateFineTuned", 10, {}, status="Failed", FailureReason="a consequence")
    world.run.status, world.run.failure = "Failed", "Step failure: One or multiple steps failed."
    row = world.row()
    assert (row["status"], row["failed_step"]) == ("Failed", "GeneratePretrained")
    assert row["reason"].startswith("ClientError: UploadError: out of memory xxx")
    assert len(row["reason"]) == 1000
    assert (row["uploaded"], row["quarantined"], row["warnings"]) == (100, 3, "Few records.")
    assert (row["evaluated"], row["gate_passed"], row["model_package"]) == (None, None, None)


def test_a_run_whose_first_step_failed_before_it_left_anything(world: World) -> None:
    world.prepare(status="Failed", FailureReason="UploadError: a.jsonl is empty")
    world.s3.bodies.clear()
    world.run.status = "Failed"
    row = world.row()
    assert (row["failed_step"], row["reason"]) == ("Prepare", "UploadError: a.jsonl is empty")
    assert (row["uploaded"], row["data_fingerprint"], row["warnings"]) == (None, None, None)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("The role cannot be assumed.", "The role cannot be assumed."), (None, "SageMaker gave no reason")],
)
def test_a_run_that_failed_before_any_step(world: World, failure: str | None, reason: str) -> None:
    world.run.status, world.run.failure = "Failed", failure
    row = world.row()
    assert row["failed_step"] is None
    assert row["reason"].startswith(reason)
    assert row["cost_dollars"] == 0


def test_a_stopped_run_has_no_reason(world: World) -> None:
    world.prepare()
    world.run.add("FineTune", 5, status="Stopped")
    del world.run.steps[-1]["EndTime"]
    world.run.status = "Stopped"
    row = world.row()
    assert (row["status"], row["reason"], row["failed_step"]) == ("Stopped", None, None)
    assert json.loads(row["step_seconds"]) == {"Prepare": 160.0}


def test_a_cached_step_is_read_where_the_earlier_run_left_it_and_costs_nothing(world: World) -> None:
    earlier = f"{ACCOUNT}:pipeline/dev-radiology-impressions/execution/earlier"
    world.prepare(folder="earlier", job="job-earlier", CacheHitResult={"SourcePipelineExecutionArn": earlier})
    row = world.row()
    assert row["uploaded"] == 100
    assert row["cost_dollars"] == 0


@pytest.mark.parametrize("case", ["price", "kind", "end"])
def test_a_cost_that_is_not_known_is_null(world: World, case: str) -> None:
    world.prepare()
    if case == "price":
        cluster = world.run.processing["job-prepare"]["ProcessingResources"]["ClusterConfig"]
        cluster["InstanceType"] = "ml.m5.2xlarge"
    elif case == "end":
        del world.run.processing["job-prepare"]["ProcessingEndTime"]
    else:
        world.run.add("Search", 5, Metadata={"AutoMLJob": {"Arn": f"{ACCOUNT}:automl-job/t"}})
    assert world.row()["cost_dollars"] is None


def test_the_same_event_twice_writes_the_same_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.prepare()
    monkeypatch.setattr(handler_module, "_settings", lambda: SETTINGS)
    monkeypatch.setattr(handler_module, "_clients", lambda: world.clients)
    answers = [handler_module.handler(execution_ended(ARN), None) for _ in range(2)]
    assert answers[0] == answers[1]
    assert {key for table in RECORDED for key in table_rows(world.s3, table)} == set(answers[0]["keys"].values())
    assert answers[0]["keys"].keys() == {"runs", "steps", "parameters", "data_flow", "lengths"}


def test_an_execution_that_has_not_ended_is_tried_again_later(world: World) -> None:
    world.run.status = "Executing"
    with pytest.raises(UnfinishedRunError, match="abc123 is Executing"):
        record(ARN, SETTINGS, world.clients)


@pytest.mark.parametrize("arn", ["nonsense", ARN.replace("dev-", "prod-")])
def test_an_execution_that_is_not_ours_is_refused(world: World, arn: str) -> None:
    with pytest.raises(EventError):
        record(arn, SETTINGS, world.clients)


def test_an_event_without_an_execution_is_refused() -> None:
    with pytest.raises(EventError):
        handler_module.handler({"detail": {}}, None)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"counts": {}}'])
def test_a_report_that_is_not_what_it_must_be_is_named(world: World, body: bytes) -> None:
    world.prepare()
    world.s3.bodies["runs/radiology_impressions/abc123/prepared/report/report.json"] = body
    with pytest.raises(ResultError, match=r"report\.json"):
        record(ARN, SETTINGS, world.clients)


def test_a_reason_is_one_line_of_at_most_1000_characters() -> None:
    assert clean_reason(" a\r\n\tb\x1b ") == "a b"
    assert clean_reason("x" * 1000) == "x" * 1000
    assert clean_reason("x" * 1001) == "x" * 999 + "…"


ENVIRONMENT = {
    "BUCKET": BUCKET,
    "PIPELINES": '{"t": "dev-t"}',
    "PRICES": '{"ml.m5.xlarge": 0.23}',
    "REFRESH_DATA_SETS": '["dev-runs"]',
}


def test_settings_are_read_from_the_environment() -> None:
    expected = Settings(BUCKET, {"dev-t": "t"}, {"ml.m5.xlarge": 0.23}, ("dev-runs",))
    assert Settings.from_environment(ENVIRONMENT) == expected
    assert Settings.from_environment(ENVIRONMENT | {"REFRESH_DATA_SETS": "[]"}).refresh_data_sets == ()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[""]', "dev-runs"])
def test_data_sets_that_are_no_list_of_texts_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="REFRESH_DATA_SETS"):
        Settings.from_environment(ENVIRONMENT | {"REFRESH_DATA_SETS": text})
