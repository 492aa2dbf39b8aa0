"""The Evaluate job as a process of its own, on invented reports; its tables read back and computed a second way."""

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from rouge_score import rouge_scorer

from tests.training.evaluated_run import CURVE_ROW, EvaluatedRun, write_lines
from training import evaluate
from training.errors import ArgumentError, EvaluationError
from training.evaluate import Arguments
from training.job import parse_arguments
from training.records import normalise, record_id
from training.report_text import reads_as_normal, sentences
from training.table_schemas import (
    COMPARED,
    FLOORS,
    MODELS,
    PRECISION_RECALL,
    PREDICTIONS,
    ROUGE_METRICS,
    SCORES,
    SIMILAR_REPORTS,
    SYNTHETIC_EXAMPLES,
    TRAINING_CURVE,
)
from training.tables import arrow_schema
from training.word_marks import mark_words

NORMAL_REPORT = "No acute cardiopulmonary abnormality."
SIDES, PLACES = ("left", "right"), ("upper", "middle", "lower")
SIGNS = ("opacity", "effusion", "nodule", "fracture")

Pair = tuple[str, str, bool | None]


def pairs(unlike: str) -> list[Pair]:
    """24 abnormal and 8 normal pairs of findings and impression; `unlike` makes them differ from another split's."""
    abnormal = [
        (
            f"There is a {sign} in the {side} {place} zone{unlike}.",
            f"{side.title()} {place} zone {sign}. Follow up.",
            None,
        )
        for sign, side, place in itertools.product(SIGNS, SIDES, PLACES)
    ]
    return [*abnormal, *((f"Lungs are clear, view {i}{unlike}.", NORMAL_REPORT, None) for i in range(8))]


def record(pair: Pair) -> dict[str, Any]:
    findings, impression, normal = pair
    name = record_id(normalise(findings), normalise(impression))
    return {"id": name, "input": findings, "target": impression, "patient": None, "normal": normal}


class Run(EvaluatedRun):
    """A run of a task that writes impressions."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, evaluate, "radiology_impressions", map(record, pairs(" today")))
        self.models["pretrained"] = folder / "pretrained"

    def add_set(self, name: str, split: Sequence[Pair]) -> list[dict[str, Any]]:
        """An evaluation set; the pre-trained model repeats the findings, the fine-tuned one writes the reference."""
        records = self.write_set(name, [record(pair) for pair in split])
        self.answer("pretrained", name, {r["id"]: r["input"] for r in records})
        self.answer("fine-tuned", name, {r["id"]: r["target"] for r in records})
        return records

    def answer(self, model: str, name: str, predictions: Mapping[str, str]) -> None:
        self.write_answers(model, name, [{"id": key, "prediction": text} for key, text in predictions.items()])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A run on two sets, started as SageMaker starts it, and what it printed."""
    run = Run(tmp_path_factory.mktemp("run"))
    run.add_set("dev1", [*pairs(" since"), ("The upload says normal.", "Scar, unchanged.", True)])
    records = run.add_set("dev2", pairs(" now"))
    answers = {r["id"]: NORMAL_REPORT if i < 6 else r["target"].replace("Left", "Right") for i, r in enumerate(records)}
    run.answer("fine-tuned", "dev2", answers | {records[7]["id"]: ""})
    ended = run.start()
    assert ended.returncode == 0, ended.stderr
    return run, ended.stdout + ended.stderr


def by_model(rows: list[dict[str, Any]], evaluation_set: str, model: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["evaluation_set"], row["model"]) == (evaluation_set, model)]


def test_predictions_hold_every_record_and_model_with_the_package_s_own_scores(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("predictions", "task=radiology_impressions/run_id=run1/part-00000.parquet")
    assert len(rows) == (33 + 32) * len(MODELS)
    scorer = rouge_scorer.RougeScorer(list(ROUGE_METRICS), use_stemmer=True)
    sources = {(name, r["id"]): r for name, records in run.sets.items() for r in records}
    for row in rows:
        source = sources[row["evaluation_set"], row["record_id"]]
        assert (row["input"], row["reference"]) == (source["input"], source["target"])
        expected = scorer.score("\n".join(sentences(row["reference"])), "\n".join(sentences(row["prediction"])))
        found = [row[column] for column in ("rouge1", "rouge2", "rouge_l", "rouge_lsum")]
        assert found == pytest.approx([expected[metric].fmeasure for metric in ROUGE_METRICS])
        normal = source["normal"] if source["normal"] is not None else reads_as_normal(source["target"])
        assert row["slice"] == ("normal" if normal else "abnormal")
        assert row["reads_as_normal"] == reads_as_normal(row["prediction"])
        assert row["marked"] == mark_words(row["reference"], row["prediction"])
        for column in ("input", "reference", "prediction"):
            assert row[f"{column}_words"] == len(row[column].split())
    answers = {row["record_id"]: row["prediction"] for row in by_model(rows, "dev1", "pre-trained")}
    assert answers == {r["id"]: r["input"] for r in run.sets["dev1"]}
    assert {row["prediction"] for row in by_model(rows, "dev1", "constant")} == {NORMAL_REPORT}
    # The findings differ from a training record's by one word only, so that record answers.
    nearest = by_model(rows, "dev2", "nearest")
    assert all(row["prediction"] == row["reference"] for row in nearest if row["slice"] == "abnormal")


def test_scores_describe_the_predictions(finished: tuple[Run, str]) -> None:
    run, _ = finished
    predictions = run.rows("predictions", "task=radiology_impressions/run_id=run1/part-00000.parquet")
    rows = run.rows("scores", "task=radiology_impressions/month=2026-02/run1.parquet")
    # Two sets: six models and four metrics on three slices, and one metric more on the abnormal slice.
    assert len(rows) == 2 * (6 * 4 * 3 + 6)
    columns = dict(zip(ROUGE_METRICS, ("rouge1", "rouge2", "rouge_l", "rouge_lsum"), strict=True))
    for row in rows:
        assert row["run_id"] == "run1"
        assert row["started_at"] == datetime(2026, 2, 28, 22, 30)
        chosen = [
            p for p in by_model(predictions, row["evaluation_set"], row["model"]) if row["slice"] in ("all", p["slice"])
        ]
        column = columns.get(row["metric"], "reads_as_normal")
        assert (column == "reads_as_normal") == (row["metric"] == "abnormal_as_normal")
        values = np.array([float(p[column]) for p in chosen])
        assert row["count"] == len(values)
        assert row["mean"] == pytest.approx(values.mean())
        assert row["std"] == pytest.approx(values.std(ddof=1))
        quantiles = [row[name] for name in ("min", "q1", "median", "q3", "max")]
        assert quantiles == pytest.approx(np.percentile(values, [0, 25, 50, 75, 100]).tolist())
        # Another bootstrap, with other random numbers, ends about where this one does.
        means = np.random.default_rng(8).choice(values, (4_000, len(values))).mean(axis=1)
        assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.045)
        assert row["distinct_predictions"] == len({p["prediction"] for p in chosen})


def test_evaluation_summarises_the_tables(finished: tuple[Run, str]) -> None:
    run, _ = finished
    found = run.evaluation
    predictions = run.rows("predictions", "task=radiology_impressions/run_id=run1/part-00000.parquet")
    assert (found["task"], found["run_id"]) == ("radiology_impressions", "run1")
    for name in ("counts", "removed_from_evaluation", "fingerprint"):
        assert found[name] == run.report[name]
    assert found["scores"].keys() == found["abnormal"].keys() == {"dev1", "dev2"}
    for name, model in itertools.product(("dev1", "dev2"), MODELS):
        chosen = by_model(predictions, name, model)
        assert found["scores"][name][model].keys() == set(ROUGE_METRICS)
        assert found["scores"][name][model]["rougeL"] == pytest.approx(np.mean([row["rouge_l"] for row in chosen]))
        abnormal = [row for row in chosen if row["slice"] == "abnormal"]
        assert found["abnormal"][name][model] == {
            "count": len(abnormal),
            "rougeL": pytest.approx(np.mean([row["rouge_l"] for row in abnormal])),
            "abnormal_as_normal": pytest.approx(np.mean([row["reads_as_normal"] for row in abnormal])),
            "distinct_predictions": len({row["prediction"] for row in abnormal}),
        }
    # By hand: six of the 24 abnormal records of dev2 were answered with the normal report.
    assert found["abnormal"]["dev2"]["fine-tuned"]["abnormal_as_normal"] == 0.25
    assert found["abnormal"]["dev1"]["constant"]["abnormal_as_normal"] == 1


def test_what_a_reader_must_know_is_said(finished: tuple[Run, str]) -> None:
    run, printed = finished
    warnings = run.evaluation["warnings"]
    assert warnings[0] == "3 records were set aside."
    assert "Set dev2: 1 of 32 predictions by the fine-tuned model are empty." in warnings
    assert any("answers 6 of 24 abnormal records (25.0%) as if they were normal" in text for text in warnings)
    (lost,) = [text for text in warnings if "nearest-report floor" in text and "dev2" in text]
    assert "worse than" in lost
    gate = run.evaluation["gate"]
    assert gate["passed"] is True
    assert lost in gate["reasons"]
    assert gate["reasons"][-1] == "There is no model in service to compare with."
    # Neither the log nor a file beside the tables holds a word of a report.
    quiet = (
        printed
        + (run.folder / "out" / "evaluation.json").read_text()
        + (run.folder / "out" / "arguments.json").read_text()
    )
    assert "zone" not in quiet and "cardiopulmonary" not in quiet and "clear" not in quiet


def test_what_the_floors_answered_is_left_for_compare(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("predictions", "task=radiology_impressions/run_id=run1/part-00000.parquet")
    for name, floor in itertools.product(("dev1", "dev2"), FLOORS):
        lines = (run.folder / "out" / "answers" / floor / name / "part-00000.jsonl").read_text().splitlines()
        written = [(line["id"], line["prediction"]) for line in map(json.loads, lines)]
        assert written == [(row["record_id"], row["prediction"]) for row in by_model(rows, name, floor)]


def test_files_have_the_tables_columns_and_types(finished: tuple[Run, str]) -> None:
    run, _ = finished
    files = {path.relative_to(run.folder / "tables").as_posix() for path in (run.folder / "tables").rglob("*.*")}
    expected = {
        "predictions/task=radiology_impressions/run_id=run1/part-00000.parquet": PREDICTIONS,
        "scores/task=radiology_impressions/month=2026-02/run1.parquet": SCORES,
        "training_curve/task=radiology_impressions/run_id=run1/part-00000.parquet": TRAINING_CURVE,
        "similar_reports/task=radiology_impressions/run_id=run1/part-00000.parquet": SIMILAR_REPORTS,
        "similar_reports/task=radiology_impressions/run_id=newest/part-00000.parquet": SIMILAR_REPORTS,
        "precision_recall/task=radiology_impressions/run_id=run1/part-00000.parquet": PRECISION_RECALL,
        "precision_recall/task=radiology_impressions/run_id=newest/part-00000.parquet": PRECISION_RECALL,
        "synthetic_examples/task=radiology_impressions/run_id=run1/part-00000.parquet": SYNTHETIC_EXAMPLES,
        "synthetic_examples/task=radiology_impressions/run_id=newest/part-00000.parquet": SYNTHETIC_EXAMPLES,
        "predictions/task=radiology_impressions/run_id=newest/part-00000.parquet": PREDICTIONS,
        "training_curve/task=radiology_impressions/run_id=newest/part-00000.parquet": TRAINING_CURVE,
        # Without rows, for Compare to replace.
        **{
            f"{table.name}/task=radiology_impressions/run_id={run_id}/part-{part:05d}.parquet": table
            for table, part in (*((table, 0) for table in COMPARED), (PREDICTIONS, 1))
            for run_id in ("run1", "newest")
        },
    }
    assert files == expected.keys()
    for name, table in expected.items():
        assert pq.ParquetFile(run.folder / "tables" / name).schema_arrow.equals(arrow_schema(table))


def test_the_same_inputs_give_the_same_bytes(finished: tuple[Run, str]) -> None:
    run, _ = finished

    def written() -> dict[str, bytes]:
        folders = (run.folder / "out", run.folder / "tables")
        return {str(p): p.read_bytes() for folder in folders for p in folder.rglob("*") if p.is_file()}

    before = written()
    run.evaluate()
    assert written() == before


def test_a_script_that_leaves_no_curve_leaves_an_empty_table_and_a_warning(run: Run) -> None:
    run.add_set("dev1", pairs(" since"))
    said = "There is no training curve: JumpStart's script leaves none."
    assert not any(text.startswith(said) for text in run.evaluate()["warnings"])
    (warning,) = [text for text in run.evaluate(**{"training-output": ""})["warnings"] if text.startswith(said)]
    assert "CloudWatch" in warning
    part = "task=radiology_impressions/run_id=run1/part-00000.parquet"
    assert run.rows("training_curve", part) == []
    assert run.rows("predictions", part)


def test_the_newest_run_stands_a_second_time_under_a_name_of_its_own(run: Run) -> None:
    run.add_set("dev1", pairs(" since"))
    run.evaluate()
    run.add_set("dev1", pairs(" now"))
    run.write_curve([CURVE_ROW, CURVE_ROW | {"step": 40}])
    run.evaluate(**{"run-id": "run2"})
    for table in ("predictions", "training_curve"):
        first, second, newest = (
            run.rows(table, f"task=radiology_impressions/run_id={name}/part-00000.parquet")
            for name in ("run1", "run2", "newest")
        )
        assert newest == second != first


def test_what_answers_rested_on_stands_beside_them(run: Run) -> None:
    records = run.add_set("dev1", [*pairs(" since"), ("Zzz qqq.", "Nothing like it.", None)])
    run.evaluate()
    part = "task=radiology_impressions/run_id={}/part-00000.parquet"
    assert run.rows("similar_reports", part.format("run1")) == [], "no retrieval: no answer rested on anything"
    run.evaluate(retrieval="true")
    rows = run.rows("similar_reports", part.format("run1"))
    assert rows == run.rows("similar_reports", part.format("newest"))
    targets = {r["id"]: r["target"] for r in map(record, pairs(" today"))}
    predictions = run.rows("predictions", part.format("run1"))
    consensus = {row["record_id"]: row["prediction"] for row in by_model(predictions, "dev1", "consensus")}
    nearest = {row["record_id"]: row["prediction"] for row in by_model(predictions, "dev1", "nearest")}
    for asked in records[:-1]:
        shown = [row for row in rows if row["record_id"] == asked["id"]]
        assert [row["rank"] for row in shown][:3] == [1, 2, 3]
        assert {row["evaluation_set"] for row in shown} == {"dev1"}
        assert all(row["impression"] == targets[row["similar_id"]] for row in shown)
        similarities = [row["similarity"] for row in shown]
        assert similarities == sorted(similarities, reverse=True) and 0 < similarities[-1] <= similarities[0] <= 1
        assert shown[0]["impression"] == nearest[asked["id"]]
        assert [row["impression"] for row in shown if row["agreed"]] == [consensus[asked["id"]]]
    assert records[-1]["id"] not in {row["record_id"] for row in rows}


def test_training_curve_is_read_from_the_archive(run: Run) -> None:
    last = {"step": 40, "epoch": 1.0, "seconds": 7, "train_loss": None, "validation_loss": 2.5, "learning_rate": None}
    curve = [CURVE_ROW, last]
    run.write_curve(curve)
    run.add_set("dev1", pairs(" since"))
    run.evaluate()
    assert run.rows("training_curve", "task=radiology_impressions/run_id=run1/part-00000.parquet") == curve


def test_the_model_in_service_is_compared_on_the_records_both_were_asked(run: Run) -> None:
    records = run.add_set("dev1", pairs(" since"))
    run.add_set("dev2", pairs(" now"))
    run.answer("fine-tuned", "dev1", {r["id"]: r["target"].replace("Follow up", "Wait") for r in records})
    # It answered the last 14 of these records perfectly, and a record of a set that is gone.
    run.answer("champion", "dev1", {r["id"]: r["target"] for r in records[18:]} | {"f" * 16: "Long gone."})
    run.answer("champion", "dev0", {"e" * 16: "Long gone."})
    gate = run.evaluate()["gate"]
    assert gate["passed"] is False
    # The fine-tuned model wrote "Wait" for "Follow up": of 6 and 5 words 4 are right, in the 6 abnormal ones of the 14.
    mean = (6 * 2 * 4 / (6 + 5) + 8) / 14
    in_service = [reason for reason in gate["reasons"] if "in service" in reason]
    assert f"worse than the model in service (ROUGE-L {mean:.3f} against 1.000;" in in_service[0]
    assert "14 records). It is worse beyond chance: this blocks." in in_service[0]
    assert in_service[1] == "Set dev2: the model in service was not asked any of its records, so they are not compared."


def test_with_retrieval_a_model_below_the_consensus_blocks_and_the_reason_says_what_to_serve(run: Run) -> None:
    records = run.add_set("dev1", [(f"Lungs are clear, view {i} now.", NORMAL_REPORT, None) for i in range(12)])
    run.answer("fine-tuned", "dev1", {r["id"]: "No acute disease." for r in records})
    assert run.evaluate()["gate"]["passed"] is True, "without retrieval it is a floor like others"
    run.evaluate(retrieval="true")
    gate = run.evaluation["gate"]
    assert gate["passed"] is False
    assert (
        "Set dev1: the model does worse than the consensus of similar reports, which needs no model: this blocks. To "
        "serve the consensus itself, set generation.method to consensus in the task file, deploy, and start the "
        "pipeline once more."
    ) in gate["reasons"]


def test_where_nothing_is_similar_the_consensus_is_no_answer_to_lose_to(run: Run) -> None:
    """Served instead, it would leave those records to the model too."""
    unlike = [(f"Zzz qqq{i}.", NORMAL_REPORT, None) for i in range(12)]
    records = run.add_set("dev1", [*pairs(" since")[-12:], *unlike])
    run.answer("fine-tuned", "dev1", {r["id"]: r["target"] if i < 12 else "Wrong." for i, r in enumerate(records)})
    run.evaluate(retrieval="true")
    scores = run.evaluation["scores"]["dev1"]
    assert scores["consensus"]["rougeL"] > scores["fine-tuned"]["rougeL"]
    assert run.evaluation["gate"]["passed"] is True


def test_a_set_of_normal_records_only_has_no_abnormal_scores(run: Run) -> None:
    run.add_set("dev1", pairs(" since")[-8:])
    found = run.evaluate()
    assert found["abnormal"]["dev1"]["fine-tuned"] == {
        "count": 0,
        "rougeL": None,
        "abnormal_as_normal": None,
        "distinct_predictions": 0,
    }
    rows = run.rows("scores", "task=radiology_impressions/month=2026-02/run1.parquet")
    assert {row["slice"] for row in rows} == {"all", "normal"}
    assert found["gate"]["passed"] is False
    assert "No evaluation set has the 10 records that a decision needs." in found["gate"]["reasons"]


def test_one_record_has_no_deviation(run: Run) -> None:
    run.add_set("dev1", pairs(" since")[:1])
    run.evaluate()
    rows = run.rows("scores", "task=radiology_impressions/month=2026-02/run1.parquet")
    assert {row["std"] for row in rows} == {None}


def test_a_model_that_always_says_the_same_is_said(run: Run) -> None:
    records = run.add_set("dev1", pairs(" since"))
    run.answer("fine-tuned", "dev1", {r["id"]: NORMAL_REPORT for r in records})
    assert (
        "Set dev1: the fine-tuned model gave one and the same answer to all 32 records." in run.evaluate()["warnings"]
    )


def test_what_became_of_long_texts_and_what_training_cut_off_is_said(run: Run) -> None:
    records = run.add_set("dev1", pairs(" since"))
    long = [{"id": record["id"], "tokens": 600 + n, "pieces": n} for n, record in enumerate(records[:4])]
    write_lines(run.folder / "fine-tuned" / "dev1" / "long-00000.jsonl", long)
    run.write_curve([CURVE_ROW], ["Training: 2 of 9 inputs were cut off."])
    warnings = run.evaluate()["warnings"]
    place = "Set dev1: inputs longer than the fine-tuned model reads (up to 603 tokens)"
    assert f"{place}: 1 were refused, and score as empty answers." in warnings
    assert f"{place}: 3 were read in pieces, up to 3 each." in warnings
    assert not [text for text in warnings if "longer than the pre-trained" in text]
    assert "Training: 2 of 9 inputs were cut off." in warnings


def test_inputs_that_do_not_match_end_the_job_with_a_message_and_no_evaluation(run: Run) -> None:
    records = run.add_set("dev1", pairs(" since"))
    answers = {r["id"]: "Secret words." for r in records[2:]}
    run.answer("pretrained", "dev1", answers | {"0123456789abcdef": "More secret words."})
    ended = run.start()
    message = (
        "EvaluationError: evaluation set dev1: predictions of the pre-trained model do not match its 32 records: "
        f"2 missing ({records[0]['id']}, {records[1]['id']}), 1 of no record (0123456789abcdef)"
    )
    assert ended.returncode == 1
    assert (run.folder / "message").read_text() == message
    assert ended.stderr.strip().endswith(message)
    assert "ecret" not in ended.stdout + ended.stderr
    assert not (run.folder / "out" / "evaluation.json").exists()


@pytest.mark.parametrize("model", ["pretrained", "fine-tuned"])
def test_a_set_that_a_model_was_not_asked_is_named(run: Run, model: str) -> None:
    run.add_set("dev1", pairs(" since"))
    run.add_set("dev2", pairs(" now"))
    run.answer(model, "dev2", {})
    name = {"pretrained": "pre-trained", "fine-tuned": "fine-tuned"}[model]
    with pytest.raises(EvaluationError, match=f"the {name} model has no predictions for evaluation set dev2"):
        run.evaluate()


def test_predictions_for_a_set_that_prepare_did_not_write_are_refused(run: Run) -> None:
    run.add_set("dev1", pairs(" since"))
    run.answer("fine-tuned", "dev9", {"0123456789abcdef": "Elsewhere."})
    with pytest.raises(EvaluationError, match="the fine-tuned model answered sets that Prepare did not write: dev9"):
        run.evaluate()


def test_an_empty_train_split_is_refused(run: Run) -> None:
    run.add_set("dev1", pairs(" since"))
    (run.prepared / "train" / "part-00000.jsonl").write_text("")
    with pytest.raises(EvaluationError, match="the training split holds no records"):
        run.evaluate()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"task": "../other"}, "task must be letters"),
        ({"run-id": ""}, "run_id must be letters"),
        ({"run-id": "newest"}, "run_id must not be 'newest'"),
        ({"started-at": "yesterday"}, "started_at must be an ISO 8601 time"),
        ({"seed": "-1"}, "seed must be >= 0"),
        ({"workers": "0"}, "workers must be >= 1"),
    ],
)
def test_arguments_out_of_range_are_refused(run: Run, changed: dict[str, str], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        parse_arguments(Arguments, run.command_line(**changed))


@pytest.mark.parametrize("text", ["2026-02-28T22:30:00", "2026-02-28T22:30:00Z", "2026-02-28T22:30:00.000+00:00"])
def test_a_time_without_a_zone_is_utc(run: Run, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    arguments = parse_arguments(Arguments, run.command_line(**{"started-at": text}))
    started = arguments.started.isoformat()
    monkeypatch.undo()
    time.tzset()
    assert started == "2026-02-28T22:30:00+00:00"
