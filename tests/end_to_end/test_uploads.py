"""Which uploads start a run, and what becomes of bad ones."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import TASK, Pipeline
from tests.end_to_end.reports import pair, write_reports
from tests.training.prepared_uploads import zip_of

pytestmark = pytest.mark.end_to_end


def test_files_dropped_together_are_one_run_and_one_during_it_exactly_one_more(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    known = len(pipeline.runs())
    pipeline.upload(write_reports(tmp_path / "a.jsonl", range(200)))
    pipeline.upload(write_reports(tmp_path / "b.jsonl", range(200, 400)))
    first = pipeline.next_run(known)
    # Both while the first run executes.
    pipeline.upload(write_reports(tmp_path / "c.jsonl", range(400, 450)))
    pipeline.upload(write_reports(tmp_path / "d.jsonl", range(450, 500)))
    assert pipeline.sagemaker.describe_pipeline_execution(PipelineExecutionArn=first)["PipelineExecutionStatus"] in (
        "Executing",
    )
    first_view = pipeline.wait(first)
    second_view = pipeline.wait(pipeline.next_run(known + 1))
    pipeline.settle()
    assert len(pipeline.runs()) == known + 2
    assert pipeline.row(first_view.run_id)["uploaded"] == "400"
    assert pipeline.row(second_view.run_id)["uploaded"] == "500"


def test_a_repeated_event_starts_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    known = len(pipeline.runs())
    key = pipeline.upload(write_reports(tmp_path / "train.jsonl", range(200)))
    pipeline.wait(pipeline.next_run(known))
    stage = pipeline.stage
    queue = next(url for url in stage.aws.client("sqs").list_queues()["QueueUrls"] if "StartQueue" in url)
    event = {
        "source": "aws.s3",
        "time": "2026-01-31T12:00:00Z",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": stage.names.bucket}, "object": {"key": key, "etag": "x", "size": 1}},
    }
    stage.aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event), MessageGroupId="start")
    pipeline.settle()
    assert len(pipeline.runs()) == known + 1


def test_without_an_evaluation_set_a_part_is_held_out_and_that_is_said(pipeline: Pipeline, tmp_path: Path) -> None:
    known = len(pipeline.runs())
    pipeline.upload(write_reports(tmp_path / "train.jsonl", range(400)))
    view = pipeline.wait(pipeline.next_run(known))
    row = pipeline.row(view.run_id)
    assert row["status"] == "Succeeded"
    assert set(json.loads(str(row["evaluated"]))) == {"holdout"}
    assert "holdout" in str(row["warnings"])


GOOD_LINES = "".join(json.dumps(pair(number)) + "\n" for number in range(400))


BAD_FILES = {
    "empty.jsonl": (b"", "empty.jsonl: is empty"),
    "prose.jsonl": (b"patient seems well\n" * 30, "not JSON"),
    "fields.jsonl": (b'{"report": "a", "summary": "b"}\n' * 30, "fields missing"),
    "many.jsonl": ((GOOD_LINES + "not json\n" * 30).encode(), "malformed"),
    "up.zip": (zip_of({"../report.txt": b"FINDINGS: a. IMPRESSION: b."}), "leads out"),
    "bomb.zip": (zip_of({"report.txt": b" " * 20_000_000}), "unpacks to more than"),
}


def test_bad_files_fail_their_runs_by_name_and_the_next_good_upload_works(pipeline: Pipeline, tmp_path: Path) -> None:
    stage, s3 = pipeline.stage, pipeline.stage.aws.client("s3")
    for name, (content, said) in BAD_FILES.items():
        known = len(pipeline.runs())
        (tmp_path / name).write_bytes(content)
        key = pipeline.upload(tmp_path / name)
        row = pipeline.row(pipeline.wait(pipeline.next_run(known)).run_id)
        assert (row["status"], row["failed_step"]) == ("Failed", "Prepare"), name
        assert said in str(row["reason"])
        assert "patient seems well" not in str(row)
        # Nothing is lost: the file lies where it was put.
        assert s3.get_object(Bucket=stage.names.bucket, Key=key)["Body"].read() == content
        # All but the last: what is said of several bad files at once is shortened.
        if name != "bomb.zip":
            s3.delete_object(Bucket=stage.names.bucket, Key=key)
    known = len(pipeline.runs())
    (tmp_path / "good.jsonl").write_text(GOOD_LINES, encoding="utf-8")
    pipeline.upload(tmp_path / "good.jsonl")
    view = pipeline.wait(pipeline.next_run(known))
    assert view.status == "Succeeded"
    assert "left out: train/bomb.zip" in str(pipeline.row(view.run_id)["warnings"])


def test_one_bad_line_among_many_is_set_aside_with_its_place(pipeline: Pipeline, tmp_path: Path) -> None:
    known = len(pipeline.runs())
    (tmp_path / "train.jsonl").write_text(GOOD_LINES + '{"findings": "secret words"\n', encoding="utf-8")
    pipeline.upload(tmp_path / "train.jsonl")
    view = pipeline.wait(pipeline.next_run(known))
    row = pipeline.row(view.run_id)
    assert (row["status"], row["quarantined"]) == ("Succeeded", "1")
    stage = pipeline.stage
    s3, bucket = stage.aws.client("s3"), stage.names.bucket
    prefix = f"runs/{TASK}/{view.run_id}/prepared/quarantine/"
    (item,) = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    quarantined = json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
    assert (quarantined["file"], quarantined["line"]) == ("train/train.jsonl", 401)
    assert "secret words" in quarantined["content"]
    assert "secret words" not in str(row)


def test_an_upload_under_an_unknown_task_is_refused_with_a_row(pipeline: Pipeline, tmp_path: Path) -> None:
    known = len(pipeline.runs())
    stage = pipeline.stage
    file = write_reports(tmp_path / "train.jsonl", range(3))
    stage.aws.client("s3").upload_file(str(file), stage.names.bucket, "uploads/dermatology/train/train.jsonl")
    pipeline.settle()
    assert len(pipeline.runs()) == known
    refused = pipeline.tables.refused("unknown")
    assert len(refused) == 1
    assert refused[0]["status"] == "Refused"
    assert TASK in str(refused[0]["reason"])
