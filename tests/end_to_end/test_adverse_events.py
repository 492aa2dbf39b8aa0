"""Labelled texts become a searched, compared and live classifier, and texts that come in become events."""

import json
from pathlib import Path

import pytest

from local.demos.live_texts import send_texts
from local.stage import LocalStage, wait_for_endpoint
from tests.end_to_end.conftest import Pipeline, rows
from tests.end_to_end.event_task import EVENT_TASK, provide_event_models, write_events
from tests.training.tiny_encoder import POSITIVE, labelled_texts
from training.table_schemas import CLASSIFIERS, NEWEST

pytestmark = pytest.mark.end_to_end


def test_labelled_texts_become_a_live_classifier(stage: LocalStage, tmp_path: Path) -> None:
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
