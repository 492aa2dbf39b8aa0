"""The demo of several tasks in one local AWS, and the example files that it uploads."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from rich.console import Console

from local import __main__ as command
from local import demo as demo_module
from local.demos import DEMOS
from local.demos.clinical_notes import ClinicalNotes
from local.errors import DataError, RunError
from local.packaged_models import LANGUAGE_MODEL_KEY
from local.paths import REPOSITORY
from local.whole_files import write_csv, write_json_lines


@pytest.fixture
def ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What each task's whole way comes to (an exception: is raised), in place of a local AWS and its pipelines."""
    outcomes: dict[str, Any] = {
        task: {"task": task, "gate": {"passed": True, "reasons": []}, "run_id": f"run-{task}"} for task in DEMOS
    }
    served: list[str] = []

    @contextmanager
    def stage(_: Console, __: Path) -> Iterator[tuple[str, str]]:
        served.append("stage")
        yield "the stage", "http://127.0.0.1:1/"

    def whole_way(_: Console, stage: str, demo: Any, files: None, *, own_data: bool) -> dict[str, Any]:
        assert (stage, files, own_data) == ("the stage", None, False)
        outcome = outcomes[demo.task]
        if isinstance(outcome, Exception):
            raise outcome
        return dict(outcome)

    monkeypatch.setattr(demo_module, "SUMMARY", tmp_path / "summary.json")
    monkeypatch.setattr(demo_module, "DASHBOARD", tmp_path / "dashboard.html")
    monkeypatch.setattr(demo_module, "_served_stage", stage)
    monkeypatch.setattr(demo_module, "_whole_way", whole_way)
    monkeypatch.setattr(demo_module, "write_dashboard_file", lambda _, file, kind: file.write_text(kind))
    for one in DEMOS.values():
        monkeypatch.setattr(type(one), "example_data", lambda *_: None)
    return {"outcomes": outcomes, "served": served, "folder": tmp_path}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["local", "demo", *arguments])
    return command.main()


def test_all_tasks_run_in_one_stage(ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--task", "all") == 0

    assert ways["served"] == ["stage"]
    summary = json.loads((ways["folder"] / "summary.json").read_text())
    assert summary == {"tasks": ways["outcomes"]}
    assert list(summary["tasks"]) == list(DEMOS)
    files = sorted(path.name for path in ways["folder"].iterdir())
    assert files == ["dashboard-classification.html", "dashboard-summary.html", "summary.json"]


@pytest.mark.parametrize(
    "error",
    [
        RunError("run 1 failed at FineTune: it diverged\nThe local AWS's own log: there"),
        ClientError({"Error": {"Code": "ModelError", "Message": "no answer"}}, "InvokeEndpoint"),
    ],
)
def test_a_task_that_fails_is_named_and_the_next_ones_run(
    ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    ways["outcomes"]["adverse_events"] = error

    assert run(monkeypatch, "--task", "all") == 1

    tasks = json.loads((ways["folder"] / "summary.json").read_text())["tasks"]
    assert tasks["adverse_events"] == {"task": "adverse_events", "error": str(error)}
    assert [task for task in tasks if "error" not in tasks[task]] == ["radiology_impressions", "clinical_notes"]
    said = capsys.readouterr().out
    assert f"adverse_events: FAILED: {str(error).splitlines()[0]}" in said
    assert "clinical_notes: done, gate passed" in said


def test_a_fault_of_the_program_is_no_task_that_failed(ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    ways["outcomes"]["radiology_impressions"] = KeyError("a bug")

    with pytest.raises(KeyError):
        run(monkeypatch, "--task", "all")


def test_a_single_task_stays_as_it_was(ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    (ways["folder"] / "dashboard-summary.html").write_text("of an earlier demo")

    assert run(monkeypatch, "--task", "clinical_notes") == 0

    assert json.loads((ways["folder"] / "summary.json").read_text()) == ways["outcomes"]["clinical_notes"]
    assert sorted(path.name for path in ways["folder"].iterdir()) == ["dashboard.html", "summary.json"]

    ways["outcomes"]["clinical_notes"] = DataError("nothing there")
    assert run(monkeypatch, "--task", "clinical_notes") == 1
    assert not (ways["folder"] / "summary.json").exists(), "an earlier demo's is not taken for this one's"


def test_files_are_of_one_task(
    ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--task", "all", "--data", "train.csv") == 1
    assert "files are of one task" in capsys.readouterr().err
    assert ways["served"] == []


def test_the_example_is_a_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    files = ClinicalNotes().example_data(Console(quiet=True), tmp_path)
    assert files.evaluation is not None and files.evaluation_set == "dev1"
    rows = {}
    for file in (files.train, files.evaluation):
        content = file.read_bytes()
        assert content.startswith(b"\xef\xbb\xbfnote,summary\r\n")
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows[file] = list(csv.DictReader(lines))
    train, evaluation = rows[files.train], rows[files.evaluation]

    assert len(train) + len(evaluation) == 1_800 and 190 <= len(evaluation) <= 200
    assert any("\n" in one["note"] for one in evaluation)
    assert not {one["note"] for one in train} & {one["note"] for one in evaluation}


def test_the_model_lies_where_the_task_files_look_for_it() -> None:
    uri = f"s3://{{bucket}}/{LANGUAGE_MODEL_KEY}"
    text = (REPOSITORY / "tasks" / "adverse_events.yaml").read_text(encoding="utf-8")

    generator = yaml.safe_load(text)["stages"]["local"]["synthetic"]["model"]
    assert generator["s3_uri"] == uri


def test_half_a_file_is_never_found(tmp_path: Path) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield {"text": "é"}
        raise DataError("no more")

    with pytest.raises(DataError):
        write_json_lines(tmp_path / "new" / "texts.jsonl", rows())
    assert not (tmp_path / "new" / "texts.jsonl").exists()
    write_json_lines(tmp_path / "new" / "texts.jsonl", [{"text": "é"}])
    assert (tmp_path / "new" / "texts.jsonl").read_text(encoding="utf-8") == '{"text": "é"}\n'
    write_csv(tmp_path / "a.csv", ("x", "y"), [("1", 'a "b"\nc')])
    assert (tmp_path / "a.csv").read_bytes() == b'\xef\xbb\xbfx,y\r\n1,"a ""b""\nc"\r\n'
