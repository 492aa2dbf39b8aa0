"""start_training's edges: messages, batches, refusals, the champion, the environment."""

import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.errors import EventError, SettingsError
from lambdas.names import Place, parse_upload_key
from lambdas.start_training import handler as handler_module
from lambdas.start_training.batch import handle_batch
from lambdas.start_training.handler import Settings
from lambdas.start_training.messages import parse_message
from lambdas.start_training.reconcile import Clients, Outcome, Task, reconcile
from lambdas.start_training.uploads import current_uploads, manifest
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.events import BUCKET, execution_ended, object_created, record
from tests.lambdas.fake_pipelines import ARN, GROUP, FakePipelines
from tests.lambdas.fake_s3 import FakeS3
from tests.lambdas.parquet_rows import run_rows

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
EARLIER = datetime(2026, 3, 31, 23, 0, tzinfo=UTC)
TASKS = {
    name: Task(name, BUCKET, f"dev-{name.replace('_', '-')}", GROUP, 60)
    for name in ("radiology_impressions", "adverse_events")
}
TASK = TASKS["radiology_impressions"]
TRAIN = "uploads/radiology_impressions/train/"
Log = tuple[logging.Logger, io.StringIO]


class Cloud:
    """S3 and SageMaker in memory, and the clients to them."""

    def __init__(self) -> None:
        self.s3 = FakeS3()
        self.sagemaker = FakePipelines(NOW)
        self.clients = Clients(connect("s3", self.s3), connect("sagemaker", self.sagemaker))

    def handle(self, records: list[dict[str, Any]], log: Log) -> list[str]:
        return handle_batch(records, bucket=BUCKET, tasks=TASKS, clients=self.clients, now=NOW, logger=log[0])


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.mark.parametrize(
    ("key", "task", "place"),
    [
        ("uploads/t/train/a.jsonl", "t", Place.TRAIN),
        ("uploads/t/train/deep/er/a b+c%20.jsonl", "t", Place.TRAIN),
        ("uploads/t/eval/dev2/a.jsonl", "t", Place.EVALUATION),
        ("uploads/t/incoming/a.jsonl", "t", Place.INCOMING),
        ("uploads/t/incoming/deep/er/a.csv", "t", Place.INCOMING),
        ("uploads/t/incoming/", "t", Place.FOLDER),
        ("uploads/t/incoming", "t", Place.ELSEWHERE),
        ("uploads/t/reviewed/a.jsonl", "t", Place.REVIEWED),
        ("uploads/t/reviewed", "t", Place.ELSEWHERE),
        ("uploads/t/train/", "t", Place.FOLDER),
        ("uploads/t/", "t", Place.FOLDER),
        ("uploads/t/eval/a.jsonl", "t", Place.ELSEWHERE),
        ("uploads/t/eval//a.jsonl", "t", Place.ELSEWHERE),
        ("uploads/t/train", "t", Place.ELSEWHERE),
        ("uploads/t/Train/a.jsonl", "t", Place.ELSEWHERE),
        ("uploads/a.jsonl", "a.jsonl", Place.ELSEWHERE),
    ],
)
def test_a_key_says_what_an_upload_is(key: str, task: str, place: Place) -> None:
    upload = parse_upload_key(key)
    assert (upload.task, upload.place) == (task, place)


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        json.dumps(object_created("elsewhere/x", NOW)),
        json.dumps({**object_created(f"{TRAIN}a", NOW), "time": "yesterday"}),
        json.dumps({**object_created(f"{TRAIN}a", NOW), "detail-type": "Object Deleted"}),
        json.dumps(execution_ended("arn:aws:sagemaker:eu-central-1:123456789012:pipeline/p")),
        json.dumps(object_created(f"{TRAIN}a", NOW)).replace(BUCKET, "another-bucket"),
    ],
)
def test_what_is_no_event_of_ours_is_refused(body: str) -> None:
    with pytest.raises(EventError):
        parse_message(body, BUCKET)


def test_after_a_failed_message_the_rest_of_its_group_is_given_back(cloud: Cloud, log: Log) -> None:
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    upload = object_created(f"{TRAIN}a.jsonl", EARLIER)
    failed = cloud.handle(
        [
            record("1", upload, "one"),
            record("2", "not json", "one"),
            record("3", upload, "two"),
            record("4", upload, "one"),
            record("5", execution_ended(f"{ARN}/somebody-elses/execution/e1"), "two"),
        ],
        log,
    )
    assert failed == ["2", "4", "5"]
    assert len(cloud.sagemaker.executions) == 1


def test_a_refused_start_gives_every_message_of_the_task_back_but_not_another_tasks(cloud: Cloud, log: Log) -> None:
    for task in TASKS:
        cloud.s3.upload(f"uploads/{task}/train/a.jsonl", EARLIER)
    cloud.sagemaker.failing_starts = 1
    failed = cloud.handle(
        [
            record("1", object_created(f"{TRAIN}a.jsonl", EARLIER), "r"),
            record("2", object_created("uploads/adverse_events/train/a.jsonl", EARLIER), "a"),
            record("3", object_created(f"{TRAIN}a.jsonl", EARLIER), "another group"),
        ],
        log,
    )
    assert failed == ["1", "3"]
    assert [run["pipeline"] for run in cloud.sagemaker.executions] == ["dev-adverse-events"]
    assert cloud.handle([record("1", object_created(f"{TRAIN}a.jsonl", EARLIER), "r")], log) == []
    assert len(cloud.sagemaker.executions) == 2


def test_texts_for_the_endpoint_start_no_training_and_are_not_refused(cloud: Cloud, log: Log) -> None:
    incoming = "uploads/radiology_impressions/incoming/a.jsonl"
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    cloud.s3.upload(incoming, EARLIER)
    assert cloud.handle([record("1", object_created(incoming, EARLIER))], log) == []
    assert (cloud.sagemaker.executions, run_rows(cloud.s3)) == ([], {})
    # They are no part of what a run is started for.
    assert [item.key for item in current_uploads(cloud.clients.s3, BUCKET, TASK.name)] == [f"{TRAIN}a.jsonl"]


def test_reviewed_texts_start_no_training_and_are_not_refused(cloud: Cloud, log: Log) -> None:
    reviewed = "uploads/radiology_impressions/reviewed/a.jsonl"
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    cloud.s3.upload(reviewed, EARLIER)
    assert cloud.handle([record("1", object_created(reviewed, EARLIER))], log) == []
    assert (cloud.sagemaker.executions, run_rows(cloud.s3)) == ([], {})


@pytest.mark.parametrize("folder", ["incoming", "reviewed"])
def test_texts_of_no_task_are_refused(cloud: Cloud, log: Log, folder: str) -> None:
    assert cloud.handle([record("1", object_created(f"uploads/nobody/{folder}/a.jsonl", EARLIER))], log) == []
    (row,) = run_rows(cloud.s3).values()
    assert "unknown task nobody" in row["reason"]


def test_a_run_gets_version_manifest_and_champion(cloud: Cloud, log: Log) -> None:
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    cloud.sagemaker.register("Approved", predictions="s3://b/old/")
    cloud.sagemaker.register("Approved", predictions="s3://b/newest/")
    cloud.sagemaker.register("PendingManualApproval", predictions="s3://b/pending/")
    cloud.sagemaker.register("Approved", predictions="s3://b/broken/")
    next(reversed(cloud.sagemaker.packages.values()))["ModelPackageStatus"] = "Failed"
    assert reconcile(TASK, cloud.clients, NOW, log[0]) is Outcome.STARTED
    (run,) = cloud.sagemaker.executions
    version = run["parameters"]["DataVersion"]
    assert len(version) == 16
    assert run["display"] == f"data-{version}"
    assert run["parameters"]["Manifest"].startswith(f"s3://{BUCKET}/runs/radiology_impressions/manifests/")
    assert run["parameters"]["Champion"] == "s3://b/newest/"
    assert len(run["token"]) == 64


@pytest.mark.parametrize("registered_by_hand", [False, True])
def test_without_a_champion_its_prefix_holds_one_empty_object(cloud: Cloud, log: Log, registered_by_hand: bool) -> None:
    if registered_by_hand:
        cloud.sagemaker.register("Approved")
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    reconcile(TASK, cloud.clients, NOW, log[0])
    prefix = "runs/radiology_impressions/no-champion/"
    assert cloud.sagemaker.executions[0]["parameters"]["Champion"] == f"s3://{BUCKET}/{prefix}"
    assert cloud.s3.bodies[f"{prefix}empty"] == b""
    assert ("champion_without_predictions" in log[1].getvalue()) is registered_by_hand


def test_a_start_whose_answer_was_lost_is_found_again_by_its_token(
    cloud: Cloud, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.s3.upload(f"{TRAIN}a.jsonl", EARLIER)
    cloud.sagemaker.lost_answers = 1
    upload = record("1", object_created(f"{TRAIN}a.jsonl", EARLIER))
    assert cloud.handle([upload], log) == ["1"]
    # The list of executions lags behind and does not show the new one yet.
    monkeypatch.setattr(cloud.sagemaker, "list_pipeline_executions", lambda **_: {"PipelineExecutionSummaries": []})
    assert cloud.handle([upload], log) == []
    assert len(cloud.sagemaker.executions) == 1


def test_a_manifest_takes_any_key(cloud: Cloud) -> None:
    names = ['qu"ote.jsonl', "back\\slash", "søren 100%+.csv", "new\nline"]
    for name in names:
        cloud.s3.upload(f"{TRAIN}{name}", EARLIER)
    cloud.s3.upload("uploads/radiology_impressions/misplaced.jsonl", EARLIER)
    objects = current_uploads(cloud.clients.s3, BUCKET, "radiology_impressions")
    written = json.loads(manifest(BUCKET, "radiology_impressions", objects))
    assert written == [
        {"prefix": f"s3://{BUCKET}/uploads/radiology_impressions/"},
        *sorted(f"train/{name}" for name in names),
    ]


def test_an_upload_under_an_unknown_task_gets_one_row_that_names_the_known_ones(cloud: Cloud, log: Log) -> None:
    upload = object_created("uploads/radiology_impresions/train/Jane Doe.jsonl", NOW)
    for number in range(2):
        assert cloud.handle([record(str(number), upload)], log) == []
    ((key, row),) = run_rows(cloud.s3).items()
    assert key == f"tables/runs/task=unknown/month=2026-03/{row['run_id']}.parquet"
    assert row["run_id"].startswith("refused-")
    assert row["status"] == "Refused"
    assert row["started_at"] == row["ended_at"] == NOW.replace(tzinfo=None)
    for part in ("radiology_impresions", "adverse_events, radiology_impressions", "uploads/<task>/train/"):
        assert part in row["reason"]
    assert cloud.sagemaker.executions == []
    assert "Jane" not in row["reason"] + log[1].getvalue()


def test_an_upload_outside_the_layout_is_refused_in_its_tasks_partition(cloud: Cloud, log: Log) -> None:
    cloud.handle([record("1", object_created("uploads/adverse_events/a.jsonl", NOW))], log)
    ((key, row),) = run_rows(cloud.s3).items()
    assert key.startswith("tables/runs/task=adverse_events/")
    assert "outside the folders of task adverse_events" in row["reason"]


def test_a_name_that_was_not_meant_as_a_tasks_is_not_repeated(cloud: Cloud, log: Log) -> None:
    cloud.handle([record("1", object_created("uploads/Jane Doe 1970.jsonl", NOW))], log)
    (row,) = run_rows(cloud.s3).values()
    assert "Jane" not in row["reason"] + log[1].getvalue()


def test_log_lines_are_json_objects_without_keys_of_objects(cloud: Cloud, log: Log) -> None:
    cloud.s3.upload(f"{TRAIN}Jane Doe.jsonl", EARLIER)
    cloud.handle([record("1", object_created(f"{TRAIN}Jane Doe.jsonl", EARLIER))], log)
    lines = [json.loads(line) for line in log[1].getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["run_started", "reconciled"]
    assert lines[0]["objects"] == 1
    assert "Jane" not in log[1].getvalue()


def test_the_handler_answers_with_the_messages_to_deliver_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "_settings", lambda: Settings(BUCKET, "dev", TASKS))
    monkeypatch.setattr(handler_module, "_clients", lambda: cloud.clients)
    answer = handler_module.handler({"Records": [record("1", "not json")]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


ENVIRONMENT = {
    "BUCKET": BUCKET,
    "PIPELINES": '{"radiology_impressions": "dev-radiology-impressions"}',
    "MODEL_PACKAGE_GROUPS": '{"radiology_impressions": "dev-radiology-impressions"}',
    "SETTLE_SECONDS": "60",
    "STAGE": "dev",
}


def test_the_environment_is_read_into_tasks() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert settings.tasks == {"radiology_impressions": TASK}


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("BUCKET", "", "BUCKET"),
        ("PIPELINES", "{", "PIPELINES"),
        ("PIPELINES", "[]", "PIPELINES"),
        ("PIPELINES", "{}", "PIPELINES"),
        ("PIPELINES", '{"radiology_impressions": 1}', "PIPELINES"),
        ("MODEL_PACKAGE_GROUPS", '{"another": "g"}', "same tasks"),
        ("SETTLE_SECONDS", "-1", "SETTLE_SECONDS"),
        ("SETTLE_SECONDS", "1.5", "SETTLE_SECONDS"),
    ],
)
def test_a_wrong_environment_is_named(name: str, value: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_environment({**ENVIRONMENT, name: value})
