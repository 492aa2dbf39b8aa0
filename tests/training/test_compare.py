"""Compare on small invented runs on disk: what each candidate left, and what becomes of it."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.compared_run import ComparedRun, notes
from tests.training.evaluated_run import REPOSITORY
from training.choice import RULES
from training.clinical_checks import InputFacts, clinical_errors
from training.errors import ArgumentError, EvaluationError
from training.rouge import rouge_f1
from training.table_schemas import COMPARED, FLOORS, MODELS


@pytest.fixture
def run(tmp_path: Path) -> ComparedRun:
    return ComparedRun(tmp_path)


def targets(records: list[dict[str, Any]]) -> list[str]:
    return [record["target"] for record in records]


def flipped(records: list[dict[str, Any]]) -> list[str]:
    return [record["target"].replace("no fever", "fever") for record in records]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[ComparedRun, dict[str, Any], str]:
    """A run with one candidate of each fate, started as SageMaker starts it: the run, comparison.json, what it said."""
    run = ComparedRun(tmp_path_factory.mktemp("run"))
    records = run.add_set("dev1", notes(40))
    run.add_candidate("copy", {"dev1": targets(records)}, needs=["network", "GPU"], leaves_account=True, kind="bedrock")
    run.add_candidate("flips", {"dev1": flipped(records)})
    run.add_candidate("twelve", {"dev1": targets(records[:12])}, kind="foundation")
    run.add_candidate(
        "throttled",
        {"dev1": targets(records[:37])},
        [{"set": "dev1", "id": record["id"], "reason": "throttled"} for record in records[37:]],
        status="partial",
        reason="3 of 40 records have no answer",
        sets={"dev1": {"asked": 40, "answered": 37}},
    )
    run.add_candidate(
        "crashed",
        {},
        status="failed",
        reason="the handler raised ValueError",
        sets={"dev1": {"asked": 40, "answered": 0}},
        dollars_per_1000=None,
        seconds_per_1000=None,
    )
    command = [sys.executable, "-m", "training.compare", *run.command_line()]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    comparison = json.loads((run.folder / "out" / "comparison.json").read_text())
    return run, comparison, ended.stdout + ended.stderr


def test_every_way_has_a_row_and_one_is_recommended(finished: tuple[ComparedRun, dict[str, Any], str]) -> None:
    run, found, _ = finished
    rows = found["sets"]["dev1"]
    names = ["pre-trained", "fine-tuned", "copy", "flips", "twelve", "throttled", "crashed", *FLOORS]
    assert [row["candidate"] for row in rows] == names
    assert [row["candidate"] for row in rows if row["recommended"]] == ["fine-tuned"]
    assert found["recommended"] == {"dev1": "fine-tuned"}
    assert found["rules"] == list(RULES)
    assert "keeps the texts in the account" in run.row(found, "copy")["verdict"]
    assert "clinical errors in 100.0% of its answers" in run.row(found, "flips")["verdict"]
    assert "at least 30 are needed" in run.row(found, "twelve")["verdict"]
    assert "it answered 37 of 40 records" in run.row(found, "throttled")["verdict"]
    assert "failed: the handler raised ValueError" in run.row(found, "crashed")["verdict"]
    statuses = {row["candidate"]: row["status"] for row in rows}
    assert (statuses["twelve"], statuses["throttled"], statuses["crashed"]) == ("complete", "partial", "failed")
    copy = run.row(found, "copy")
    assert (copy["needs"], copy["leaves_account"], copy["kind"]) == ("network; GPU", True, "bedrock")


def test_scores_are_those_of_the_answers(finished: tuple[ComparedRun, dict[str, Any], str]) -> None:
    run, found, _ = finished
    records = run.sets["dev1"]
    row = run.row(found, "flips")
    expected = [rouge_f1(text, r["target"]).rouge_l for text, r in zip(flipped(records), records, strict=True)]
    assert row["rouge_l"] == pytest.approx(np.mean(expected))
    assert row["rouge_l_low"] <= row["rouge_l"] <= row["rouge_l_high"]
    assert row["rouge_l"] > 0.9 and row["clinical_errors"] == 1
    assert row["against_fine_tuned"] == pytest.approx(np.mean(expected) - 1)
    assert row["distinct_predictions"] == 40
    assert run.row(found, "fine-tuned")["against_fine_tuned"] is None
    crashed = run.row(found, "crashed")
    assert (crashed["rouge_l"], crashed["clinical_errors"], crashed["distinct_predictions"]) == (None, None, 0)


def test_one_with_fewer_records_is_compared_with_the_fine_tuned_on_its_own(run: ComparedRun) -> None:
    records = run.add_set("dev1", notes(40))
    # The fine-tuned model does well on the first ten records only.
    run.answer("fine-tuned", "dev1", [r["target"] if i < 10 else "Unclear." for i, r in enumerate(records)])
    run.add_candidate("ten", {"dev1": flipped(records[:10])})
    run.add_candidate("all", {"dev1": flipped(records)})
    found = run.compare()
    assert run.row(found, "fine-tuned")["rouge_l"] < 0.3
    assert run.row(found, "ten")["against_fine_tuned"] < 0 < run.row(found, "all")["against_fine_tuned"]
    assert run.row(found, "ten")["asked"] == run.row(found, "ten")["answered"] == 10


def test_why_records_have_no_answer_stands_in_a_table(finished: tuple[ComparedRun, dict[str, Any], str]) -> None:
    run, _, _ = finished
    rows = [(row["candidate"], row["reason"], row["records"]) for row in run.table("candidate_failures")]
    assert rows == [("throttled", "throttled", 3), ("crashed", "the handler raised ValueError", 40)]


def test_tables_hold_what_comparison_and_checks_say(finished: tuple[ComparedRun, dict[str, Any], str]) -> None:
    run, found, printed = finished
    for ours, theirs in zip(run.table("candidates"), found["sets"]["dev1"], strict=True):
        assert {**ours, "started_at": None} == {**theirs, "started_at": None}
    predictions = run.table("predictions", "run_id=run1/part-00001.parquet")
    counts = Counter(row["model"] for row in predictions)
    assert counts == {"copy": 40, "flips": 40, "twelve": 12, "throttled": 37}
    scores = run.table("scores", "month=2026-02/run1-candidates.parquet")
    assert {row["model"] for row in scores} == counts.keys()
    assert {row["count"] for row in scores if row["model"] == "twelve" and row["slice"] == "all"} == {12}
    errors = run.table("clinical_errors")
    assert Counter(row["model"] for row in errors) == {"flips": 40}
    inputs = {record["id"]: record["input"] for record in run.sets["dev1"]}
    for row in predictions:
        expected = clinical_errors(InputFacts.read(inputs[row["record_id"]]), row["prediction"])
        same = [e for e in errors if (e["model"], e["record_id"]) == (row["model"], row["record_id"])]
        assert [(e["check"], e["passage"]) for e in same] == expected
    for table in COMPARED:
        assert run.table(table.name, "run_id=newest/part-00000.parquet") == run.table(table.name)
    assert run.table("predictions", "run_id=newest/part-00001.parquet") == predictions
    # Neither the log nor the comparison holds a word of a note.
    quiet = printed + json.dumps(found)
    assert "pneumonia" not in quiet and "overnight" not in quiet


def test_examples_are_chosen_by_rules(run: ComparedRun) -> None:
    records = notes(9)
    records[6]["input"] += " Nothing else was said that night."
    run.add_set("dev1", records)
    before = ["Quiet." if i else r["target"] for i, r in enumerate(records)]
    after = [" ".join(r["target"].split()[: i + 1]) for i, r in enumerate(records)]
    run.answer("pretrained", "dev1", before)
    run.answer("fine-tuned", "dev1", after)
    found = run.compare()
    examples = json.loads((run.folder / "out" / "before_and_after.json").read_text())["dev1"]
    order = {record["id"]: i for i, record in enumerate(records)}
    why = {example["why"]: order[example["id"]] for example in examples}
    assert list(why) == ["largest gain", "median gain", "largest loss", "longest note"]
    assert (why["largest loss"], why["longest note"]) == (0, 6)
    gains = {order[e["id"]]: e["rouge_l_fine_tuned"] - e["rouge_l_pretrained"] for e in examples}
    assert gains[why["largest gain"]] == max(gains.values()) and gains[0] == min(gains.values()) < 0
    for example in examples:
        i = order[example["id"]]
        assert (example["input"], example["reference"]) == (records[i]["input"], records[i]["target"])
        assert (example["pretrained"], example["fine_tuned"]) == (before[i], after[i])
    assert found["recommended"] == {"dev1": None}


def test_an_example_with_a_clinical_error_is_shown(run: ComparedRun) -> None:
    records = run.add_set("dev1", notes(9))
    wrong = max(records, key=lambda record: record["id"])
    run.answer("fine-tuned", "dev1", [("Sepsis. " if r is wrong else "") + r["target"] for r in records])
    run.compare()
    examples = json.loads((run.folder / "out" / "before_and_after.json").read_text())["dev1"]
    # It is also the smallest gain, unless that has been taken.
    (example,) = [each for each in examples if each["id"] == wrong["id"]]
    assert example["why"] in ("clinical error", "smallest gain")
    assert len({each["id"] for each in examples}) == len(examples)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "candidate.json").unlink(), "there is no candidate.json"),
        (lambda folder: (folder / "candidate.json").write_text("{"), "candidate.json is not JSON"),
        (lambda folder: (folder / "candidate.json").write_text("{}"), "missing or of another type"),
        (lambda folder: (folder / "dev1" / "part-00000.jsonl").write_text("[]\n"), "is not a JSON object"),
        (
            lambda folder: (folder / "dev1" / "part-00000.jsonl").write_text('{"id": "other", "prediction": "x"}\n'),
            "1 of its answers are to no record of the set",
        ),
        (lambda folder: (folder / "failures.jsonl").write_text("no\n"), "failures.jsonl, line 1 is not JSON"),
    ],
)
def test_one_that_left_nonsense_fails_alone_and_by_name(run: ComparedRun, spoil: Any, reason: str) -> None:
    records = run.add_set("dev1", notes(40))
    spoil(run.add_candidate("broken", {"dev1": targets(records)}))
    run.add_candidate("sound", {"dev1": targets(records)})
    found = run.compare()
    broken = run.row(found, "broken")
    assert (broken["status"], broken["answered"], broken["recommended"]) == ("failed", 0, False)
    assert reason in broken["reason"] and reason in broken["verdict"]
    assert any(text.startswith("Set dev1: broken is failed") for text in found["warnings"])
    assert run.row(found, "sound")["status"] == "complete"
    assert [(row["candidate"], row["records"]) for row in run.table("candidate_failures")] == [("broken", 40)]


def test_an_empty_folder_is_a_failed_candidate_called_like_it(run: ComparedRun) -> None:
    run.add_set("dev1", notes(40))
    # As the pipeline names the input of a candidate.
    (run.folder / "candidate-nobody").mkdir()
    run.candidates.append(run.folder / "candidate-nobody")
    assert "it left nothing behind" in run.row(run.compare(), "nobody")["reason"]


def test_without_any_candidate_the_own_models_are_compared(run: ComparedRun) -> None:
    run.add_set("dev1", notes(40))
    found = run.compare()
    assert [row["candidate"] for row in found["sets"]["dev1"]] == list(MODELS)
    assert run.table("predictions", "run_id=run1/part-00001.parquet") == []


def test_nothing_is_recommended_where_no_model_is_left(run: ComparedRun) -> None:
    run.add_set("dev1", notes(29))
    found = run.compare()
    assert found["recommended"] == {"dev1": None}
    assert "Set dev1: nothing is recommended; the verdicts say why." in found["warnings"]
    assert "at least 30 are needed" in run.row(found, "fine-tuned")["verdict"]


def test_limits_of_the_task_file_decide(run: ComparedRun) -> None:
    records = run.add_set("dev1", notes(40))
    run.answer("fine-tuned", "dev1", [f"{r['target']} Discharged later that week." for r in records])
    run.add_candidate("away", {"dev1": targets(records)}, leaves_account=True)
    assert run.compare()["recommended"] == {"dev1": "away"}
    assert run.compare(**{"allow-leaving-account": "false"})["recommended"] == {"dev1": "fine-tuned"}
    found = run.compare(**{"max-dollars-per-1000": "0.2"})
    assert "0.25 dollars" in run.row(found, "away")["verdict"]
    assert "not known" in run.row(found, "fine-tuned")["verdict"]


def test_what_the_own_models_take_is_their_machine_s(run: ComparedRun) -> None:
    run.add_set("dev1", notes(40))
    (run.folder / "fine-tuned" / "answering.json").write_text(json.dumps({"seconds": 20.0, "records": 40}))
    found = run.compare(**{"generate-dollars-per-hour": "7.2", "generate-instance-type": "ml.g5.2xlarge"})
    tuned, before = run.row(found, "fine-tuned"), run.row(found, "pre-trained")
    assert (tuned["seconds_per_1000"], tuned["dollars_per_1000"]) == (500, pytest.approx(1.0))
    assert (tuned["needs"], before["needs"], before["seconds_per_1000"]) == ("GPU", "GPU", None)


def test_what_a_reader_must_know_is_said(run: ComparedRun) -> None:
    records = notes(40)
    records[0]["target"] = records[0]["input"] + " Pneumonia, asthma and everything else."
    run.add_set("dev1", records)
    run.add_candidate("same", {"dev1": ["He is well."] * 40})
    run.add_candidate("empty", {"dev1": [*[""] * 2, *targets(records[2:])]})
    run.add_candidate("long", {"dev1": [records[0]["input"] * 2, *targets(records[1:])]})
    warnings = run.compare()["warnings"]
    assert "Set dev1: same gave one and the same answer to all 40 records." in warnings
    assert "Set dev1: 2 of 40 predictions by empty are empty." in warnings
    assert "Set dev1: 1 of 40 answers by long have more words than their notes." in warnings
    assert "Set dev1: 1 of 40 reference summaries have more words than their notes." in warnings
    assert any("clinical error in 1 of 40 reference summaries too" in text for text in warnings)


def test_an_empty_answer_of_the_own_model_is_none(run: ComparedRun) -> None:
    records = run.add_set("dev1", notes(40))
    run.answer("fine-tuned", "dev1", ["" if i < 4 else record["target"] for i, record in enumerate(records)])
    run.add_candidate("copy", {"dev1": targets(records)})
    found = run.compare()
    tuned = run.row(found, "fine-tuned")
    assert (tuned["status"], tuned["asked"], tuned["answered"]) == ("partial", 40, 36)
    assert tuned["verdict"] == "It takes no part: it answered 36 of 40 records."
    assert tuned["rouge_l"] == 1
    # Compared on the records that both answered.
    assert run.row(found, "copy")["against_fine_tuned"] == 0
    assert found["recommended"] == {"dev1": "copy"}
    (failure,) = run.table("candidate_failures")
    assert (failure["candidate"], failure["records"]) == ("fine-tuned", 4)
    assert failure["reason"].startswith("the answer is empty")


def test_each_set_has_its_own_choice(run: ComparedRun) -> None:
    one, two = run.add_set("dev1", notes(40)), run.add_set("dev2", notes(31))
    run.answer("fine-tuned", "dev2", ["Unclear."] * 31)
    run.add_candidate("steady", {"dev1": flipped(one), "dev2": targets(two)})
    assert run.compare()["recommended"] == {"dev1": "fine-tuned", "dev2": "steady"}


def test_the_same_inputs_give_the_same_bytes(run: ComparedRun) -> None:
    records = run.add_set("dev1", notes(40))
    run.add_candidate("twelve", {"dev1": targets(records[:12])})

    def written() -> dict[str, bytes]:
        run.compare()
        folders = (run.folder / "out", run.folder / "tables")
        return {str(p): p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file()}

    assert written() == written()


def test_faults_of_the_run_s_own_inputs_stop_it(run: ComparedRun) -> None:
    with pytest.raises(EvaluationError, match="no evaluation set holds a record"):
        run.compare()
    records = run.add_set("dev1", notes(40))
    run.add_candidate("twice", {"dev1": targets(records)})
    run.candidates *= 2
    with pytest.raises(EvaluationError, match="several ways of answering are called twice"):
        run.compare()
    run.candidates = []
    run.answer("fine-tuned", "dev1", targets(records[:39]))
    with pytest.raises(EvaluationError, match="1 missing"):
        run.compare()
    with pytest.raises(ArgumentError, match="max_dollars_per_1000 must be >= 0"):
        run.compare(**{"max-dollars-per-1000": "-1"})
