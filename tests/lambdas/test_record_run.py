"""record_run: one row for every ended execution, whatever became of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.errors import EventError, ResultError, UnfinishedRunError
from lambdas.record_run import handler as handler_module
from lambdas.record_run.handler import Clients, Settings, record
from lambdas.record_run.row import clean_reason
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.events import execution_ended
from tests.lambdas.fake_s3 import FakeS3
from tests.lambdas.parquet_rows import run_rows

BUCKET = "reports-bucket"
ACCOUNT = "arn:aws:sagemaker:eu-central-1:123456789012"
ARN = f"{ACCOUNT}:pipeline/dev-radiology-impressions/execution/abc123"
BEGIN = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
PACKAGE = f"{ACCOUNT}:model-package/dev-radiology-impressions/7"
SETTINGS = Settings(
    bucket=BUCKET,
    tasks={"dev-radiology-impressions": "radiology_impressions"},
    prices={"ml.m5.xlarge": 0.36, "ml.g5.2xlarge": 1.8},
)
REPORT = {
    "counts": {
        "uploaded": 100, "train": 80, "validation": 5, "quarantined": 3, "duplicates": 12, "eval": {"dev2": 20},
    },
    "removed_from_evaluation": {"dev2": 1},
    "fingerprint": "f" * 64,
    "warnings": ["Few records."],
}  # fmt: skip
EVALUATION = {
    **REPORT,
    "warnings": ["Few records.", "The nearest report is better."],
    "gate": {"passed": True, "reasons": ["Better than before.", "No model is in service."]},
}


class FakeRun:
    """One execution, with its steps and jobs. Steps and parameters come one a page."""

    def __init__(self) -> None:
        self.status = "Succeeded"
        self.failure: str | None = None
        self.steps: list[dict[str, Any]] = []
        self.processing: dict[str, dict[str, Any]] = {}
        self.training: dict[str, dict[str, Any]] = {}
        self.clock = BEGIN

    def add(self, name: str, seconds: int, status: str = "Succeeded", **more: Any) -> None:
        """A step that began when the one before had ended."""
        begin, self.clock = self.clock, self.clock + timedelta(seconds=seconds)
        self.steps.append({"StepName": name, "StepStatus": status, "StartTime": begin, "EndTime": self.clock, **more})

    def add_processing(
        self, name: str, seconds: int, outputs: dict[str, str], status: str = "Succeeded", job: str = "", **more: Any
    ) -> None:
        job = job or f"job-{name.lower()}"
        self.processing[job] = {
            "ProcessingStartTime": self.clock,
            "ProcessingEndTime": self.clock + timedelta(seconds=seconds),
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": output, "S3Output": {"S3Uri": uri, "S3UploadMode": "EndOfJob"}}
                    for output, uri in outputs.items()
                ]
            },
        }
        metadata = {"ProcessingJob": {"Arn": f"{ACCOUNT}:processing-job/{job}"}}
        self.add(name, seconds + 60, status, Metadata=metadata, **more)

    def add_training(self, billable: int) -> None:
        self.training["job-finetune"] = {
            "BillableTimeInSeconds": billable,
            "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
        }
        metadata = {"TrainingJob": {"Arn": f"{ACCOUNT}:training-job/job-finetune"}}
        self.add("FineTune", billable + 60, Metadata=metadata)

    def describe_pipeline_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        assert PipelineExecutionArn == ARN
        answer = {
            "PipelineExecutionStatus": self.status,
            "CreationTime": BEGIN,
            "LastModifiedTime": self.clock,
        }
        return answer | ({"FailureReason": self.failure} if self.failure else {})

    def list_pipeline_execution_steps(self, PipelineExecutionArn: str, NextToken: str = "0") -> dict[str, Any]:
        newest_first = self.steps[::-1]  # as SageMaker lists them
        start = int(NextToken)
        answer: dict[str, Any] = {"PipelineExecutionSteps": newest_first[start : start + 1]}
        return answer | ({"NextToken": str(start + 1)} if newest_first[start + 1 :] else {})

    def list_pipeline_parameters_for_execution(self, PipelineExecutionArn: str, NextToken: str = "") -> dict[str, Any]:
        if not NextToken:
            return {"PipelineParameters": [{"Name": "Epochs", "Value": "3"}], "NextToken": "more"}
        return {"PipelineParameters": [{"Name": "DataVersion", "Value": "0123456789abcdef"}]}

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:
        return self.processing[ProcessingJobName]

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return self.training[TrainingJobName]


class World:
    def __init__(self) -> None:
        self.run = FakeRun()
        self.s3 = FakeS3()
        self.clients = Clients(connect("s3", self.s3), connect("sagemaker", self.run))

    def put(self, key: str, value: Any) -> str:
        self.s3.bodies[key] = json.dumps(value).encode()
        return f"s3://{BUCKET}/{key.rpartition('/')[0]}"

    def prepare(self, folder: str = "abc123", **more: Any) -> None:
        report = self.put(f"runs/radiology_impressions/{folder}/prepared/report/report.json", REPORT)
        self.run.add_processing("Prepare", 100, {"train": f"s3://{BUCKET}/train", "report": report}, **more)

    def evaluate(self) -> None:
        evaluation = self.put("runs/radiology_impressions/abc123/evaluation/evaluation.json", EVALUATION)
        self.run.add_processing("Evaluate", 200, {"tables": f"s3://{BUCKET}/tables", "evaluation": evaluation})

    def row(self) -> dict[str, Any]:
        key = record(ARN, SETTINGS, self.clients)
        assert key == "tables/runs/task=radiology_impressions/month=2026-03/abc123.parquet"
        ((found, row),) = run_rows(self.s3).items()
        assert found == key
        return row


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
        "duplicates": 12,
        "evaluated": '{"dev2": 20}',
        "gate_passed": True,
        "gate_reasons": "Better than before.\nNo model is in service.",
        "model_package": PACKAGE,
        "parameters": '{"DataVersion": "0123456789abcdef", "Epochs": "3"}',
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
        world.run.add("Tune", 5, Metadata={"TuningJob": {"Arn": f"{ACCOUNT}:hyper-parameter-tuning-job/t"}})
    assert world.row()["cost_dollars"] is None


def test_the_same_event_twice_writes_the_same_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.prepare()
    monkeypatch.setattr(handler_module, "_settings", lambda: SETTINGS)
    monkeypatch.setattr(handler_module, "_clients", lambda: world.clients)
    answers = [handler_module.handler(execution_ended(ARN), None) for _ in range(2)]
    assert answers[0] == answers[1]
    assert list(run_rows(world.s3)) == [answers[0]["key"]]


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


def test_prices_are_read_from_the_environment() -> None:
    environment = {"BUCKET": BUCKET, "PIPELINES": '{"t": "dev-t"}', "PRICES": '{"ml.m5.xlarge": 0.23}'}
    assert Settings.from_environment(environment) == Settings(BUCKET, {"dev-t": "t"}, {"ml.m5.xlarge": 0.23})
