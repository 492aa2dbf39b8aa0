"""Labelled texts become a searched, compared and live classifier, and texts that come in become events; what a person
says of one is learnt by the next run."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.local_stage import dashboard_server
from local.demos.live_texts import send_texts
from local.stage import LocalStage, wait_for_endpoint
from tests.dashboard.test_reviewing import post
from tests.end_to_end.conftest import Pipeline, rows
from tests.end_to_end.event_task import EVENT_TASK, provide_event_models, write_events
from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts
from training.table_schemas import CLASSIFIERS, NEWEST

pytestmark = pytest.mark.end_to_end


def test_from_labelled_texts_to_events_and_back(stage: LocalStage, tmp_path: Path) -> None:
    pipeline = Pipeline(stage, EVENT_TASK)
    pipeline.clear_uploads()
    provide_event_models(stage, tmp_path)
    pipeline.upload(write_events(tmp_path / "dev1.jsonl", 90, start=9_000), "dev1")
    pipeline.upload(write_events(tmp_path / "train.jsonl", 240))
    run = pipeline.wait(pipeline.next_run(0))
    assert run.status == "Succeeded", [(step.name, step.reason) for step in run.steps if step.reason]
    assert [trial.status for trial in run.trials] == ["Completed"] * 2
    row = pipeline.row(run.run_id)

    def of(table: str, partition: str = run.run_id) -> list[dict[str, str | None]]:
        return rows(stage, f"SELECT * FROM {table} WHERE task = '{EVENT_TASK}' AND run_id = '{partition}'")

    assert {str(score["model"]) for score in of("scores")} == set(CLASSIFIERS)
    jobs = of("search_jobs")
    assert [job["best"] for job in jobs].count("true") == 1 and len(jobs) == 2
    best = max(trial.objective or 0 for trial in run.trials)
    assert {job["objective"] for job in jobs if job["best"] == "true"} == {str(best)}
    assert {str(point["model"]) for point in of("precision_recall")} == set(CLASSIFIERS)
    assert len(of("predictions")) == 90 * len(CLASSIFIERS) == len(of("predictions", NEWEST))
    assert all(text["kept"] == "false" for text in of("synthetic_examples")), "a random model writes nothing usable"
    assert "synthetic examples asked for none could be kept" in str(row["warnings"])
    assert row["gate_passed"] == "true", row["gate_reasons"]

    package = str(row["model_package"])
    stage.aws.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_for_endpoint(stage.aws.client("sagemaker"), pipeline.name, package)
    answer = stage.ask_endpoint(EVENT_TASK, str(labelled_texts(1)[0]["input"]))
    assert (answer["label"], answer["model_version"]) == (POSITIVE, package.rpartition("/")[2])

    texts = [str(record["input"]) for record in labelled_texts(60, start=20_000)]
    found = send_texts(
        stage, EVENT_TASK, texts, source="test", positive=POSITIVE, folder=tmp_path, show=lambda *_: None
    )
    assert (found.sent, found.classified, found.parked, found.duplicates) == (62, 60, 1, 1)
    assert found.positive >= 15
    assert {str(event["text"]) for event in found.rows} == set(texts)
    log = json.dumps(stage.aws.client("logs").describe_log_groups()["logGroups"])
    assert not any(text in log for text in texts)

    wrong = next(event for event in found.rows if event["label"] == POSITIVE)
    reject(stage, str(wrong["event_id"]), "test")
    pipeline.settle()
    assert len(pipeline.runs()) == 1, "reviews start no run"
    pipeline.upload(write_events(tmp_path / "more.jsonl", 12, start=30_000))
    following = pipeline.wait(pipeline.next_run(1))
    assert following.status == "Succeeded", [(step.name, step.reason) for step in following.steps if step.reason]
    counts, learnt = prepared(stage, following.run_id)
    assert (counts["uploaded"], counts["reviewed"]) == (253, 1)
    assert [record["target"] for record in learnt if record["input"] == wrong["text"]] == [NEGATIVE]


def reject(stage: LocalStage, event_id: str, source: str) -> None:
    """Say, as the page does, that an event is none."""
    review = {"task": EVENT_TASK, "event_id": event_id, "source": source, "verdict": "rejected"}
    with dashboard_server(stage) as url:
        assert post(f"{url}classification/", review) == (200, {"label": NEGATIVE})


def prepared(stage: LocalStage, run_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What Prepare counted in a run, and the records that it gave to training."""
    s3, root = stage.aws.client("s3"), f"runs/{EVENT_TASK}/{run_id}/prepared"

    def lines(name: str) -> list[str]:
        body = s3.get_object(Bucket=stage.names.bucket, Key=f"{root}/{name}")["Body"].read()
        return [*body.decode().splitlines()]

    records = [json.loads(line) for side in ("train", "validation") for line in lines(f"{side}/part-00000.jsonl")]
    return json.loads("\n".join(lines("report/report.json")))["counts"], records
