"""The Evaluate job of a task that classifies, on invented texts; its scores computed a second time by scikit-learn."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics

from tests.training.evaluated_run import CURVE_ROW, EvaluatedRun, write_lines
from training import evaluate_classifier, tfidf_floor
from training.classification_metrics import CURVE_POINTS, METRICS
from training.errors import ArgumentError, EvaluationError
from training.evaluate_classifier import Arguments
from training.job import parse_arguments
from training.table_schemas import COMPARED, EVALUATED
from training.tables import arrow_schema
from training.tfidf_floor import TfidfFloor

POSITIVE, NEGATIVE = "Adverse_Event", "Not_AE"
PART = "task=adverse_events/run_id=run1/part-00000.parquet"
EVENTS = ("a rash", "vomiting", "liver failure", "dizziness")
NOTHING = ("no complaints", "a stable course", "good control of pain", "a normal scan")


def record(number: int, positive: bool, telling: bool = True) -> dict[str, Any]:
    """A labelled text; where it is not `telling`, the TF-IDF floor knows none of its words."""
    outcome = (EVENTS if positive else NOTHING)[number % 4]
    text = f"After {number} doses the patient had {outcome}." if telling else f"Цитата №{number}"
    target = POSITIVE if positive else NEGATIVE
    return {"id": f"{number:016x}", "input": text, "target": target, "patient": None, "normal": None}


def split(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [record(number, number % 3 == 0) for number in range(start, start + count)]


GENERATED = {
    "synthetic_id": "0" * 16,
    "text": "I took it and came out in a rash.",
    "kept": True,
    "reason": None,
    "prompted_by": "1 2 3 4 5",
    "provider": "model",
    "model": "invented",
    "first_model_probability": 0.75,
}


class Run(EvaluatedRun):
    """A run of a task that classifies. Where a test says nothing else, the fine-tuned model is right and sure, and the
    base model misses every second positive."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, evaluate_classifier, "adverse_events", split(60))
        write_lines(self.prepared / "validation" / "part-00000.jsonl", split(24, start=900))
        self.models["base"] = folder / "base"
        self.particular = {
            "validation": str(self.prepared / "validation"),
            "positive-label": POSITIVE,
            "negative-label": NEGATIVE,
        }

    def add_set(self, name: str, positives: int, negatives: int, telling: bool = False) -> list[dict[str, Any]]:
        start = 10_000 * (len(self.sets) + 1)
        numbers = range(start, start + positives + negatives)
        records = self.write_set(name, [record(n, n < start + positives, telling) for n in numbers])
        self.answer("fine-tuned", name, {})
        self.answer("base", name, {r["id"]: 0.25 for r in records[:positives:2]})
        return records

    def answer(self, model: str, name: str, changed: Mapping[str, float], threshold: float = 0.5) -> None:
        """Right and sure, but for the probabilities in `changed`."""
        right = {r["id"]: 0.875 if r["target"] == POSITIVE else 0.125 for r in self.sets[name]}
        self.answer_with(model, name, right | dict(changed), threshold)

    def answer_with(self, model: str, name: str, probabilities: Mapping[str, float], threshold: float = 0.5) -> None:
        rows = [
            {"id": key, "prediction": POSITIVE if value >= threshold else NEGATIVE, "probability": value}
            for key, value in probabilities.items()
        ]
        self.write_answers(model, name, rows)
        self.decide(model, threshold)

    def decide(self, model: str, threshold: Any, positive: Any = POSITIVE, negative: Any = NEGATIVE) -> None:
        decision = {"positive": positive, "negative": negative, "threshold": threshold}
        (self.folder / model / "decision.json").write_text(json.dumps(decision))

    def use_synthetic(self) -> None:
        """As GenerateExamples leaves two texts, of which one was kept."""
        self.models["without-synthetic"] = self.folder / "without-synthetic"
        folder = self.folder / "synthetic"
        self.particular["synthetic"] = str(folder)
        write_lines(folder / "examples.jsonl", [GENERATED, {**GENERATED, "kept": False, "reason": "too short"}])
        counts = {"asked": 3, "kept": 1, "dropped": {"too short": 1}, "warnings": ["Of 3 asked for 1 could be kept."]}
        (folder / "report.json").write_text(json.dumps(counts), encoding="utf-8")

    def reasons(self, word: str) -> list[str]:
        return [reason for reason in self.evaluation["gate"]["reasons"] if word in reason]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def made_up(records: list[dict[str, Any]], strength: float, seed: int) -> dict[str, float]:
    """Probabilities that tell something of the label, the more the larger `strength`; some are equal."""
    truth = np.array([r["target"] == POSITIVE for r in records])
    logits = np.random.default_rng(seed).normal(size=len(truth)) + strength * truth - 1
    found = np.round(1 / (1 + np.exp(-logits)), 4).tolist()
    return dict(zip((r["id"] for r in records), found, strict=True))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A run on two sets with synthetic texts, started as SageMaker starts it, and what it printed."""
    run = Run(tmp_path_factory.mktemp("run"))
    run.use_synthetic()
    for name, (positives, negatives, telling) in {"dev1": (90, 310, False), "dev2": (20, 40, True)}.items():
        records = run.add_set(name, positives, negatives, telling)
        for seed, (model, strength) in enumerate((("base", 0.5), ("fine-tuned", 3.0), ("without-synthetic", 2.5))):
            run.answer_with(model, name, made_up(records, strength, seed), threshold=0.3 + seed / 10)
    ended = run.start()
    assert ended.returncode == 0, ended.stderr
    return run, ended.stdout + ended.stderr


MODELS = ("base", "fine-tuned", "without synthetic", "tf-idf", "all positive")


def chosen_rows(rows: list[dict[str, Any]], evaluation_set: str, model: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["evaluation_set"], row["model"]) == (evaluation_set, model)]


def truth_and_probabilities(run: Run, evaluation_set: str, model: str) -> tuple[np.ndarray, np.ndarray, float]:
    rows = chosen_rows(run.rows("predictions", PART), evaluation_set, model)
    (threshold,) = {row["threshold"] for row in rows}
    truth = np.array([row["reference"] == POSITIVE for row in rows])
    return truth, np.array([row["probability"] for row in rows]), threshold


def test_scores_are_scikit_learns_at_each_models_own_threshold(finished: tuple[Run, str]) -> None:
    run, _ = finished
    found = run.evaluation
    assert list(found["thresholds"]) == list(MODELS)
    assert [found["thresholds"][model] for model in MODELS[:3]] == pytest.approx([0.3, 0.4, 0.5])
    assert found["classes"] == {"dev1": {POSITIVE: 90, NEGATIVE: 310}, "dev2": {POSITIVE: 20, NEGATIVE: 40}}
    for name, model in itertools.product(("dev1", "dev2"), MODELS):
        truth, probabilities, threshold = truth_and_probabilities(run, name, model)
        assert threshold == found["thresholds"][model]
        called = probabilities >= threshold
        expected = {
            "precision": metrics.precision_score(truth, called, zero_division=0),
            "recall": metrics.recall_score(truth, called),
            "f1": metrics.f1_score(truth, called),
            "auroc": metrics.roc_auc_score(truth, probabilities),
            "average_precision": metrics.average_precision_score(truth, probabilities),
            "brier": metrics.brier_score_loss(truth, probabilities),
        }
        scores = found["scores"][name][model]
        assert scores.keys() == set(METRICS)
        assert {metric: scores[metric] for metric in expected} == pytest.approx(expected)
        (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, called)
        assert found["confusion"][name][model] == {
            "true_positives": tp,
            "false_positives": fp,
            "false_negatives": fn,
            "true_negatives": tn,
        }
        drawn = np.random.default_rng(8).integers(len(truth), size=(2_000, len(truth)))
        hits = (truth & called)[drawn].sum(axis=1)
        ends = tuple(np.quantile(2 * hits / (truth[drawn].sum(axis=1) + called[drawn].sum(axis=1)), [0.025, 0.975]))
        assert tuple(found["intervals"][name][model]["f1"]) == pytest.approx(ends, abs=0.03)


def test_predictions_stand_in_the_table_and_what_means_nothing_for_a_label_is_null(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("predictions", PART)
    assert rows == run.rows("predictions", "task=adverse_events/run_id=newest/part-00000.parquet")
    assert len(rows) == (400 + 60) * len(MODELS)
    sources = {(name, r["id"]): r for name, records in run.sets.items() for r in records}
    for row in rows:
        source = sources[row["evaluation_set"], row["record_id"]]
        assert (row["input"], row["reference"]) == (source["input"], source["target"])
        assert row["prediction"] == (POSITIVE if row["probability"] >= row["threshold"] else NEGATIVE)
        assert row["slice"] == "all"
        assert row["input_words"] == len(row["input"].split())
        filled = {name for name, value in row.items() if value is not None}
        assert row.keys() - filled == {
            *("marked", "reads_as_normal", "reference_words", "prediction_words"),
            *("rouge1", "rouge2", "rouge_l", "rouge_lsum"),
        }
    records = run.sets["dev1"]
    given = {row["record_id"]: row["probability"] for row in chosen_rows(rows, "dev1", "fine-tuned")}
    assert given == made_up(records, 3.0, 1)
    assert {row["probability"] for row in chosen_rows(rows, "dev1", "all positive")} == {1.0}


def test_the_tf_idf_floor_learns_from_train_and_decides_by_validation(finished: tuple[Run, str]) -> None:
    run, _ = finished
    (train, train_truth), (validation, validation_truth) = (
        ([r["input"] for r in records], np.array([r["target"] == POSITIVE for r in records]))
        for records in (split(60), split(24, start=900))
    )
    floor = TfidfFloor(train, train_truth)
    expected = floor.probabilities([r["input"] for r in run.sets["dev2"]])
    assert truth_and_probabilities(run, "dev2", "tf-idf")[1] == pytest.approx(expected)
    floor.choose_threshold(validation, validation_truth)
    assert run.evaluation["thresholds"]["tf-idf"] == pytest.approx(floor.threshold)


def test_scores_stand_in_the_table_as_one_number_of_all_records(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("scores", "task=adverse_events/month=2026-02/run1.parquet")
    assert len(rows) == 2 * len(MODELS) * len(METRICS)
    found = run.evaluation
    for row in rows:
        place = row["evaluation_set"], row["model"], row["metric"]
        assert (row["run_id"], row["slice"]) == ("run1", "all")
        assert row["mean"] == found["scores"][place[0]][place[1]][place[2]]
        assert [row["low"], row["high"]] == found["intervals"][place[0]][place[1]][place[2]]
        assert row["count"] == {"dev1": 400, "dev2": 60}[place[0]]
        assert {row[name] for name in ("std", "min", "q1", "median", "q3", "max")} == {None}
        _, probabilities, threshold = truth_and_probabilities(run, *place[:2])
        assert row["distinct_predictions"] == len(set(probabilities >= threshold))
    assert {row["distinct_predictions"] for row in rows if row["model"] == "all positive"} == {1}


def test_the_curve_has_each_models_own_threshold_once(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("precision_recall", PART)
    for name, model in itertools.product(("dev1", "dev2"), MODELS):
        truth, probabilities, threshold = truth_and_probabilities(run, name, model)
        points = chosen_rows(rows, name, model)
        assert 1 <= len(points) <= CURVE_POINTS
        assert [point["threshold"] for point in points if point["chosen"]] == [threshold]
        thresholds = [point["threshold"] for point in points]
        assert thresholds == sorted(set(thresholds), reverse=True)
        for point in points:
            called = probabilities >= point["threshold"]
            assert point["precision"] == pytest.approx(truth[called].mean() if called.any() else 0)
            assert point["recall"] == pytest.approx(called[truth].mean())
    # Of 400 records most have a probability of their own.
    assert len(chosen_rows(rows, "dev1", "fine-tuned")) == CURVE_POINTS


def test_every_table_is_written_and_what_a_classifier_lacks_is_empty(finished: tuple[Run, str]) -> None:
    run, printed = finished
    files = {path.relative_to(run.folder / "tables").as_posix() for path in (run.folder / "tables").rglob("*.*")}
    expected = {"scores/task=adverse_events/month=2026-02/run1.parquet"}
    for table in (*EVALUATED, *COMPARED):
        if table.partitioned_by[1] == "run_id":
            expected |= {f"{table.name}/{PART}", f"{table.name}/{PART.replace('run1', 'newest')}"}
    expected |= {f"predictions/task=adverse_events/run_id={run_id}/part-00001.parquet" for run_id in ("run1", "newest")}
    assert files == expected
    schemas = {table.name: arrow_schema(table) for table in (*EVALUATED, *COMPARED)}
    for name in files:
        assert pq.ParquetFile(run.folder / "tables" / name).schema_arrow.equals(schemas[name.split("/")[0]])
    assert run.rows("similar_reports", PART) == []
    assert run.rows("training_curve", PART) == [CURVE_ROW]
    quiet = printed + (run.folder / "out" / "evaluation.json").read_text()
    assert "patient had" not in quiet and "Цитата" not in quiet and "doses" not in quiet


def test_evaluation_says_what_that_of_texts_says(run: Run) -> None:
    run.add_set("dev1", 20, 40)
    found = run.evaluate()
    assert found.keys() == {
        *("task", "run_id", "counts", "removed_from_evaluation", "fingerprint", "warnings", "scores", "gate"),
        *("intervals", "confusion", "thresholds", "classes", "synthetic"),
        "synthetic",
    }
    assert found["counts"] == run.report["counts"] and found["warnings"] == ["3 records were set aside."]
    assert found["gate"]["passed"] is True
    assert found["gate"]["reasons"] == [
        "Set dev1: the fine-tuned model is better than the TF-IDF floor (F1 1.000 against 0.000; difference +1.000, "
        "95 % interval +1.000 to +1.000, 60 records).",
        *run.reasons("better than the all-positive floor (F1 1.000 against 0.500; difference +0.500"),
        # The base model finds 10 of 20 and is never wrong: precision 1, recall 1/2.
        *run.reasons("better than the base model (F1 1.000 against 0.667; difference +0.333"),
        "There is no model in service to compare with.",
    ]
    assert len(found["gate"]["reasons"]) == 4


def test_level_with_the_base_model_blocks(run: Run) -> None:
    run.add_set("dev1", 20, 40)
    run.answer("base", "dev1", {})
    assert run.evaluate()["gate"]["passed"] is False
    (reason,) = run.reasons("the base model")
    assert "level with the base model" in reason
    assert reason.endswith("It must be better beyond chance: this blocks.")


def test_f1_is_at_each_models_own_threshold(run: Run) -> None:
    records = run.add_set("dev1", 20, 40)
    # All of its probabilities are low, but so is its threshold.
    low = {r["id"]: 0.25 if r["target"] == POSITIVE else 0.125 for r in records}
    run.answer_with("base", "dev1", low, threshold=0.2)
    run.evaluate()
    assert run.reasons("level with the base model (F1 1.000 against 1.000")


def test_below_the_tf_idf_floor_blocks_with_a_hint(run: Run) -> None:
    records = run.add_set("dev1", 20, 40, telling=True)
    assert run.evaluate()["gate"]["passed"] is True, "level is not below"
    run.answer("fine-tuned", "dev1", {records[0]["id"]: 0.25})
    found = run.evaluate()
    assert found["gate"]["passed"] is False
    lost, blocking = run.reasons("the TF-IDF floor")
    assert "not reliably worse than the TF-IDF floor (F1 0.974 against 1.000" in lost and lost in found["warnings"]
    assert "worse than the TF-IDF floor, which only counts words and trains in seconds: this blocks." in blocking
    assert "another model in the task file" in blocking


def test_losing_to_the_all_positive_floor_is_a_warning(run: Run) -> None:
    records = run.add_set("dev1", 48, 12)
    run.answer("base", "dev1", {r["id"]: 0.25 for r in records[:40]})
    run.answer("fine-tuned", "dev1", {r["id"]: 0.25 for r in records[:20]})
    found = run.evaluate()
    (lost,) = run.reasons("worse than the all-positive floor")
    assert lost in found["warnings"]
    assert found["gate"]["passed"] is True


def test_worse_than_without_synthetic_texts_beyond_chance_blocks_with_a_hint(run: Run) -> None:
    records = run.add_set("dev1", 60, 60)
    run.use_synthetic()
    run.answer("without-synthetic", "dev1", {})
    run.answer("fine-tuned", "dev1", {records[0]["id"]: 0.25})
    assert run.evaluate()["gate"]["passed"] is True
    (reason,) = run.reasons("without synthetic")
    assert "not reliably worse than the model trained without synthetic texts (F1 0.992 against 1.000;" in reason
    run.answer("fine-tuned", "dev1", {r["id"]: 0.25 for r in records[:8]})
    assert run.evaluate()["gate"]["passed"] is False
    (reason,) = run.reasons("without synthetic")
    assert "It is worse beyond chance: this blocks. Take synthetic and jobs.generate_examples out" in reason


def test_the_model_in_service_is_compared_on_the_records_both_were_asked(run: Run) -> None:
    records = run.add_set("dev1", 60, 60)
    run.add_set("dev2", 20, 20)
    run.answer("fine-tuned", "dev1", {r["id"]: 0.25 for r in records[48:54]})
    # It was asked the last 20 positives and the first 30 negatives, and a record and a set that are gone; at another
    # threshold, by which it is right.
    asked = {r["id"]: 0.0625 if r["target"] == POSITIVE else 0.03125 for r in records[40:90]}
    run.answer_with("champion", "dev1", asked | {"f" * 16: 0.5}, threshold=0.05)
    run.write_answers("champion", "dev0", [{"id": "e" * 16, "prediction": POSITIVE, "probability": 0.5}])
    assert run.evaluate()["gate"]["passed"] is False
    first, second = run.reasons("in service")
    # Of those 20 the fine-tuned model finds 14: recall .7, precision 1.
    f1 = 2 * 0.7 / 1.7
    assert f"worse than the model in service (F1 {f1:.3f} against 1.000;" in first
    assert first.endswith("50 records). It is worse beyond chance: this blocks.")
    said = "the model in service was not asked any of its positive records, so they are not compared."
    assert second == f"Set dev2: {said}"
    run.answer_with("champion", "dev1", {key: asked[key] for key in list(asked)[11:]}, threshold=0.05)
    assert run.evaluate()["gate"]["passed"] is True
    assert run.reasons("in service")[0].endswith("39 records). 9 of at least 10 positive records: too few to decide.")
    run.answer_with("champion", "dev1", {key: asked[key] for key in list(asked)[20:]}, threshold=0.05)
    run.evaluate()
    assert run.reasons("in service")[0] == f"Set dev1: {said}"


@pytest.mark.parametrize(("positives", "negatives"), [(0, 40), (40, 0)])
def test_what_one_class_leaves_undefined_is_null(run: Run, positives: int, negatives: int) -> None:
    run.add_set("dev1", positives, negatives)
    found = run.evaluate()
    undefined = {"auroc", "average_precision"} | (set() if positives else {"recall", "f1"})
    for model in ("fine-tuned", "tf-idf", "all positive"):
        scores, intervals = (found[key]["dev1"][model] for key in ("scores", "intervals"))
        assert {name for name, value in scores.items() if value is None} == undefined
        assert {name for name, ends in intervals.items() if ends is None} == undefined
    rows = run.rows("scores", "task=adverse_events/month=2026-02/run1.parquet")
    assert {row["metric"] for row in rows} == set(METRICS) - undefined
    assert bool(run.rows("precision_recall", PART)) is bool(positives)
    (warning,) = [text for text in found["warnings"] if "not defined" in text]
    assert warning.startswith(f"Set dev1: all texts are labelled {POSITIVE if positives else NEGATIVE}, ")
    assert warning.endswith("It decides nothing.") is not bool(positives)
    assert found["gate"]["passed"] is bool(positives)
    if not positives:
        assert found["gate"]["reasons"] == [
            "There is no model in service to compare with.",
            "No evaluation set has the 10 positive records that a decision needs.",
        ]


def test_a_set_of_one_class_or_few_positives_does_not_decide_beside_one_that_does(run: Run) -> None:
    run.add_set("dev1", 20, 40)
    run.add_set("dev2", 0, 40)
    run.add_set("dev3", 9, 40)
    run.answer("base", "dev3", {})
    found = run.evaluate()
    assert found["gate"]["passed"] is True
    assert (
        "Set dev3: only 9 of 49 texts are labelled Adverse_Event; a decision needs 10, and scores of so few may be "
        "chance."
    ) in found["warnings"]
    assert run.reasons("9 of at least 10 positive records: too few to decide.")


def test_one_answer_to_all_and_missed_positives_are_said(run: Run) -> None:
    records = run.add_set("dev1", 20, 40)
    run.answer_with("base", "dev1", {r["id"]: 0.75 for r in records})
    run.answer_with("fine-tuned", "dev1", {r["id"]: 0.25 for r in records})
    one_class = run.add_set("dev2", 0, 12)
    run.answer_with("base", "dev2", {r["id"]: 0.75 for r in one_class})
    warnings = run.evaluate()["warnings"]
    assert "Set dev1: the base model calls all 60 texts Adverse_Event." in warnings
    assert "Set dev1: the fine-tuned model calls all 60 texts Not_AE." in warnings
    assert "Set dev1: the fine-tuned model misses 20 of 20 (100.0%) texts that report Adverse_Event." in warnings
    # To call no text positive where none is, is right.
    assert [text for text in warnings if text.startswith("Set dev2: the")] == [
        "Set dev2: the base model calls all 12 texts Adverse_Event."
    ]


def test_what_the_floor_did_not_read_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.add_set("dev1", 20, 40)
    assert not any("TF-IDF" in text for text in run.evaluate()["warnings"])
    for module in (tfidf_floor, evaluate_classifier):
        monkeypatch.setattr(module, "MAX_CHARACTERS", 1_500)
        monkeypatch.setattr(module, "TEXT_CHARACTERS", 40)
    warnings = run.evaluate()["warnings"]
    assert any(text.endswith("training texts: it reads at most 1,500 characters in all.") for text in warnings)
    assert any(text.endswith("training texts the TF-IDF floor read only the first 40 characters.") for text in warnings)


def test_without_the_training_job_s_output_the_curve_is_empty_and_that_is_said(run: Run) -> None:
    run.add_set("dev1", 20, 40)
    assert evaluate_classifier.NO_CURVE in run.evaluate(**{"training-output": ""})["warnings"]
    assert run.rows("training_curve", PART) == []


GOOD = {"prediction": POSITIVE, "probability": 0.75}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prediction": POSITIVE}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": "0.75"}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": True}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": 1.5}, r"line 1: probability is not in \[0, 1\]"),
        (GOOD | {"probability": float("nan")}, r"line 1: probability is not in \[0, 1\]"),
        (GOOD | {"prediction": "secret"}, "line 1: prediction is not a label of the task, Adverse_Event or Not_AE"),
        (GOOD | {"prediction": 1}, "line 1: prediction is missing or not a text"),
        (GOOD | {"prediction": NEGATIVE}, "prediction does not follow from probability by the threshold in decision"),
    ],
)
def test_a_line_that_is_no_prediction_is_named_and_not_quoted(run: Run, row: dict[str, Any], said: str) -> None:
    records = run.add_set("dev1", 20, 40)
    run.write_answers("base", "dev1", [{"id": records[0]["id"], **row}])
    place = "predictions of the base model on set dev1, part-00000.jsonl, "
    with pytest.raises(EvaluationError, match=said) as caught:
        run.evaluate()
    assert place in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (run.folder / "out" / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("threshold", "positive", "said"),
    [
        ("0.5", POSITIVE, "does not hold two labels and a threshold"),
        (True, POSITIVE, "does not hold two labels and a threshold"),
        (0, POSITIVE, "does not hold two labels and a threshold"),
        (float("nan"), POSITIVE, "does not hold two labels and a threshold"),
        (0.5, NEGATIVE, "does not hold two labels and a threshold"),
        (0.5, "Relapse", "is of other labels than the task's, Adverse_Event or Not_AE"),
    ],
)
@pytest.mark.parametrize("model", ["base", "fine-tuned", "champion"])
def test_a_decision_that_is_not_the_task_s_is_named(
    run: Run, model: str, threshold: Any, positive: str, said: str
) -> None:
    run.add_set("dev1", 20, 40)
    run.answer(model, "dev1", {})
    run.decide(model, threshold, positive)
    with pytest.raises(EvaluationError, match=f"beside the predictions of the {model} model {said}"):
        run.evaluate()


def test_a_missing_decision_and_other_records_are_named(run: Run) -> None:
    records = run.add_set("dev1", 20, 40)
    (run.folder / "base" / "decision.json").unlink()
    with pytest.raises(EvaluationError, match="beside the predictions of the base model is missing"):
        run.evaluate()
    run.answer("base", "dev1", {"f" * 16: 0.25})
    with pytest.raises(EvaluationError, match=r"base model do not match its 60 records: 0 missing, 1 of no record"):
        run.evaluate()
    run.answer_with("base", "dev1", {r["id"]: 0.25 for r in records[1:]})
    with pytest.raises(EvaluationError, match=rf"60 records: 1 missing \({records[0]['id']}\), 0 of no record"):
        run.evaluate()
    run.answer("base", "dev1", {})
    run.use_synthetic()
    write_lines(run.folder / "without-synthetic" / "dev9" / "part-00000.jsonl", [{"id": "1", **GOOD}])
    with pytest.raises(EvaluationError, match="the without synthetic model answered sets that Prepare did not write"):
        run.evaluate()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("train", "the train split: the target of record 0000000000000001 is not Adverse_Event or Not_AE"),
        ("validation", "the validation split: the target of record 0000000000000001 is not"),
        ("eval/dev1", "evaluation set dev1: the target of record 0000000000000001 is not"),
    ],
)
def test_a_target_that_is_no_label_is_named_by_its_record(run: Run, where: str, said: str) -> None:
    records = run.add_set("dev1", 20, 40)
    wrong = records[0] | {"id": f"{1:016x}", "target": "secret"}
    write_lines(run.prepared / where / "part-00000.jsonl", [wrong, *records[1:]])
    for model in ("base", "fine-tuned"):
        if where == "eval/dev1":
            run.answer_with(model, "dev1", {r["id"]: 0.5 for r in [wrong, *records[1:]]})
    with pytest.raises(EvaluationError, match=f"{said}.*run Prepare again") as caught:
        run.evaluate()
    assert "secret" not in str(caught.value)


def test_splits_that_cannot_teach_the_floor_are_named(run: Run) -> None:
    run.add_set("dev1", 20, 40)
    write_lines(run.prepared / "validation" / "part-00000.jsonl", [record(1, positive=False)])
    with pytest.raises(EvaluationError, match="the validation split holds no text labelled Adverse_Event"):
        run.evaluate()
    write_lines(run.prepared / "validation" / "part-00000.jsonl", [record(3, positive=True)])
    write_lines(run.prepared / "train" / "part-00000.jsonl", [record(1, positive=False)])
    with pytest.raises(EvaluationError, match="the TF-IDF floor needs training texts of both labels"):
        run.evaluate()


def test_labels_are_two(run: Run) -> None:
    with pytest.raises(ArgumentError, match="two labels of different names"):
        parse_arguments(Arguments, run.command_line(**{"negative-label": POSITIVE}))


def test_synthetic_texts_are_rows_and_counts(finished: tuple[Run, str]) -> None:
    run, _ = finished
    rows = run.rows("synthetic_examples", PART)
    assert [(row["text"], row["kept"], row["reason"]) for row in rows] == [
        (GENERATED["text"], True, None),
        (GENERATED["text"], False, "too short"),
    ]
    assert run.evaluation["synthetic"] == {"asked": 3, "kept": 1, "dropped": {"too short": 1}}
    assert "Of 3 asked for 1 could be kept." in run.evaluation["warnings"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("examples.jsonl", '{"text": "x"}\n', "examples.jsonl, line 1: not a generated example"),
        ("examples.jsonl", "{\n", "examples.jsonl of GenerateExamples cannot be read: JSONDecodeError"),
        ("report.json", "{}", "report.json of GenerateExamples cannot be read: KeyError"),
    ],
)
def test_what_is_no_output_of_generate_examples_is_named(run: Run, file: str, content: str, said: str) -> None:
    run.use_synthetic()
    run.add_set("dev1", 12, 20)
    run.answer("without-synthetic", "dev1", {})
    (run.folder / "synthetic" / file).write_text(content, encoding="utf-8")
    with pytest.raises(EvaluationError, match=said):
        run.evaluate()
