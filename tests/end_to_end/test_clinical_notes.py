"""Clinical notes with candidates that fail each in a way of its own, from files as hospitals have them to a choice.

All runs of SageMaker are real, of a model of a few seconds; nothing here is about how good it is.
"""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.dashboard.local_stage import dashboard_server
from local.demos.clinical_notes import split_by_case
from local.invented.nursing_notes import Note, invented_notes
from local.stage import LocalStage
from stacks.config import TASKS_FOLDER
from tests.dashboard.open_page import opened
from tests.end_to_end.conftest import Pipeline, rows
from training.table_schemas import FINE_TUNED, FLOORS, MODELS, PRETRAINED

pytestmark = pytest.mark.end_to_end

TASK = "clinical_notes"
# About 200 pages of 400 words.
LONG_WORDS = 80_000
PROMPT = {"prompt": "Note: {input}\n\nSummary:", "max_new_tokens": 16}
CANDIDATES: list[dict[str, Any]] = [
    {"name": "lead-sentences", "kind": "custom", "handler": "handlers/lead_sentences"},
    {"name": "raises", "kind": "custom", "handler": "handlers/raises"},
    {"name": "no-endpoint", "kind": "foundation", "endpoint": "nobody-made-it", **PROMPT},
    {"name": "no-bedrock", "kind": "bedrock", "model_id": "maker.model-v1:0", **PROMPT},
]
RAISES = """
def model_fn(model_dir):
    return None


def predict_fn(data, model):
    raise ValueError(data["inputs"][0])
"""


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the task; everything that is not about size or candidates is as shipped."""
    folder = tmp_path_factory.mktemp("tasks")
    shutil.copytree(TASKS_FOLDER / "handlers", folder / "handlers")
    (folder / "handlers" / "raises").mkdir()
    (folder / "handlers" / "raises" / "inference.py").write_text(RAISES, encoding="utf-8")
    task = yaml.safe_load((TASKS_FOLDER / f"{TASK}.yaml").read_text(encoding="utf-8"))
    local = task["stages"]["local"]
    local["model"]["denoise_seconds"] = 2.0
    local["training"] |= {"epochs": 1.0, "max_seconds": 5, "max_input_tokens": 256}
    # A model of so few seconds does not beat the consensus, and the gate would rightly stop the run.
    local["generation"] = {"method": "consensus", "num_beams": 1, "max_new_tokens": 64, "batch_size": 64}
    local["candidates"] = CANDIDATES
    (folder / f"{TASK}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    return folder


def write_notes(path: Path, notes: list[tuple[str, str]], columns: tuple[str, ...] = ("note", "summary")) -> Path:
    """As a spreadsheet saves them: a byte order mark, line breaks and quotes within quotes."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(notes)
    return path


def pairs(notes: list[Note]) -> list[tuple[str, str]]:
    return [(f'{note.note}\nSaid: "so it is".', note.summary) for note in notes]


def test_every_candidate_fails_alone_and_the_others_are_compared(
    own_stage: LocalStage,
    tmp_path: Path,
    browser: Any,
) -> None:
    pipeline = Pipeline(own_stage, TASK)
    train, evaluation = (pairs(side) for side in split_by_case(invented_notes(320, 1), 60))
    entries = " ".join(f"Entry {number} of a long stay, nothing new." for number in range(LONG_WORDS // 8))
    pages = f"{evaluation[0][0]} {entries}"
    longer = ("Well.", "She is well, and this summary has more words than its note.")
    # A file without the column is left out by name; an empty note goes to quarantine.
    pipeline.upload(write_notes(tmp_path / "other.csv", train[:5], ("text", "summary")))
    pipeline.upload(write_notes(tmp_path / "dev1.csv", [*evaluation, (pages, evaluation[0][1]), longer]), "dev1")
    pipeline.upload(write_notes(tmp_path / "train.csv", [*train, ("", "A summary of nothing.")]))
    run = pipeline.wait(pipeline.next_run(0))
    assert run.status == "Succeeded", [(step.name, step.reason) for step in run.steps if step.reason]
    row = pipeline.row(run.run_id)
    assert (row["uploaded"], row["quarantined"]) == (str(len(train) + 1), "1")
    assert row["evaluated"] == f'{{"dev1": {len(evaluation) + 2}}}'
    assert row["gate_passed"] == "true", row["gate_reasons"]
    warnings = str(row["warnings"])
    assert "left out: train/other.csv: fields missing (found: text, summary; wanted: note + summary" in warnings
    assert "evaluation set dev1: in 1 of 62 records summary has more words than note" in warnings
    assert "were read in pieces" in warnings

    found = {
        str(each["candidate"]): each
        for each in rows(own_stage, f"SELECT * FROM candidates WHERE run_id = '{run.run_id}' AND task = '{TASK}'")
    }
    assert found.keys() == {*MODELS, *(candidate["name"] for candidate in CANDIDATES)}
    failed = {name: str(each["reason"]) for name, each in found.items() if each["status"] == "failed"}
    assert failed.keys() - {PRETRAINED} == {"raises", "no-endpoint", "no-bedrock"}
    assert failed["raises"].endswith("the handler's predict_fn raised ValueError in inference.py, line 7")
    assert failed["no-endpoint"].startswith("endpoint nobody-made-it cannot be asked: ValidationError")
    assert failed["no-bedrock"].startswith("model maker.model-v1:0 of Bedrock cannot be asked: AccessDeniedException")
    # Of so few seconds, the model before fine-tuning may write nothing.
    for name in (FINE_TUNED, *FLOORS, "lead-sentences"):
        assert (found[name]["status"], found[name]["answered"]) == ("complete", "62"), name
    assert all(found[name]["rouge_l"] for name in (*FLOORS, "lead-sentences"))

    reasons = {
        str(each["candidate"]): str(each["reason"])
        for each in rows(own_stage, f"SELECT * FROM candidate_failures WHERE run_id = '{run.run_id}'")
    }
    assert {"raises", "no-endpoint", "no-bedrock"} <= reasons.keys() <= {PRETRAINED, *failed}

    # Nothing of a note stands where it may be read by whoever looks after the system.
    assert not any("Handover" in reason or "Said:" in reason for reason in [*failed.values(), *reasons.values()])

    with dashboard_server(own_stage) as url, opened(browser, url) as page:
        page.go("sheet=choice")
        assert {name.removesuffix(" ★ recommended") for name in page.rows("choice-table", 0)} == found.keys()
        assert dict(zip(page.rows("choice-failures", 0), page.rows("choice-failures", 1), strict=True)) == reasons
        assert page.complaints == []
