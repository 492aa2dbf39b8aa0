"""The Evaluate job of a task that classifies, on invented texts; its scores computed a second time by scikit-learn."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics

from tests.training.evaluated_classifier import GENERATED, NEGATIVE, POSITIVE, ClassifierRun, made_up, split
from tests.training.evaluated_run import CURVE_ROW
from training import evaluate_classifier, tfidf_floor
from training.classification_metrics import CURVE_POINTS, METRICS
from training.table_schemas import COMPARED, EVALUATED
from training.tables import arrow_schema
from training.tfidf_floor import TfidfFloor

PART = "task=adverse_events/run_id=run1/part-00000.parquet"


@pytest.fixture
def run(tmp_path: Path) -> ClassifierRun:
    return ClassifierRun(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClassifierRun, str]:
    """A run on two sets with synthetic texts, started as SageMaker starts it, and what it printed."""
    run = ClassifierRun(tmp_path_factory.mktemp("run"))
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


def truth_and_probabilities(
    run: ClassifierRun, evaluation_set: str, model: str
) -> tuple[np.ndarray, np.ndarray, float]:
    rows = chosen_rows(run.rows("predictions", PART), evaluation_set, model)
    (threshold,) = {row["threshold"] for row in rows}
    truth = np.array([row["reference"] == POSITIVE for row in rows])
    return truth, np.array([row["probability"] for row in rows]), threshold


def test_scores_are_scikit_learns_at_each_models_own_threshold(finished: tuple[ClassifierRun, str]) -> None:
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


def test_predictions_stand_in_the_table_and_what_means_nothing_for_a_label_is_null(
    finished: tuple[ClassifierRun, str],
) -> None:
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


def test_the_tf_idf_floor_learns_from_train_and_decides_by_validation(finished: tuple[ClassifierRun, str]) -> None:
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


def test_scores_stand_in_the_table_as_one_number_of_all_records(finished: tuple[ClassifierRun, str]) -> None:
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


def test_the_curve_has_each_models_own_threshold_once(finished: tuple[ClassifierRun, str]) -> None:
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


def test_every_table_is_written_and_what_a_classifier_lacks_is_empty(finished: tuple[ClassifierRun, str]) -> None:
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


def test_evaluation_says_what_that_of_texts_says(run: ClassifierRun) -> None:
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


@pytest.mark.parametrize(("positives", "negatives"), [(0, 40), (40, 0)])
def test_what_one_class_leaves_undefined_is_null(run: ClassifierRun, positives: int, negatives: int) -> None:
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


def test_one_answer_to_all_and_missed_positives_are_said(run: ClassifierRun) -> None:
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


def test_what_the_floor_did_not_read_is_said(run: ClassifierRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run.add_set("dev1", 20, 40)
    assert not any("TF-IDF" in text for text in run.evaluate()["warnings"])
    for module in (tfidf_floor, evaluate_classifier):
        monkeypatch.setattr(module, "MAX_CHARACTERS", 1_500)
        monkeypatch.setattr(module, "TEXT_CHARACTERS", 40)
    warnings = run.evaluate()["warnings"]
    assert any(text.endswith("training texts: it reads at most 1,500 characters in all.") for text in warnings)
    assert any(text.endswith("training texts the TF-IDF floor read only the first 40 characters.") for text in warnings)


def test_without_the_training_job_s_output_the_curve_is_empty_and_that_is_said(run: ClassifierRun) -> None:
    run.add_set("dev1", 20, 40)
    assert evaluate_classifier.NO_CURVE in run.evaluate(**{"training-output": ""})["warnings"]
    assert run.rows("training_curve", PART) == []


def test_synthetic_texts_are_rows_and_counts(finished: tuple[ClassifierRun, str]) -> None:
    run, _ = finished
    rows = run.rows("synthetic_examples", PART)
    assert [(row["text"], row["kept"], row["reason"]) for row in rows] == [
        (GENERATED["text"], True, None),
        (GENERATED["text"], False, "too short"),
    ]
    assert run.evaluation["synthetic"] == {"asked": 3, "kept": 1, "dropped": {"too short": 1}}
    assert "Of 3 asked for 1 could be kept." in run.evaluation["warnings"]
