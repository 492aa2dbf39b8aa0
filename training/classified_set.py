"""One evaluation set with every classifier's answers and scores, and its rows in the tables `predictions`, `scores` and
`precision_recall`."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from training.classification_metrics import (
    CURVE_POINTS,
    F1,
    METRICS,
    PRECISION,
    RECALL,
    CurvePoint,
    Score,
    confusion,
    paired_differences,
    precision_recall_curve,
    score,
    scores,
)
from training.evaluation_inputs import EvaluationRecord
from training.gate import Measured
from training.labels import NEGATIVE, POSITIVE, Decision, Labels
from training.statistics import BoolArray, FloatArray
from training.table_schemas import ALL, PREDICTIONS, SCORES


@dataclass(frozen=True)
class Answers:
    """What one model answered: `probabilities` (records,) of the positive label, in [0, 1], and the `threshold` in
    (0, 1] from which on it says that label."""

    probabilities: FloatArray
    threshold: float

    @property
    def called(self) -> BoolArray:
        """Which records it calls positive (records,)."""
        return self.probabilities >= self.threshold

    def at(self, places: Sequence[int]) -> "Answers":
        """Its answers to some of the records."""
        return Answers(self.probabilities[list(places)], self.threshold)


@dataclass(frozen=True)
class ClassifiedSet:
    """`truth` (records,) is which records are positive; `models` and `scores` are by model."""

    name: str
    records: Sequence[EvaluationRecord]
    labels: Labels
    truth: BoolArray
    models: Mapping[str, Answers]
    scores: Mapping[str, Mapping[str, Score]]

    @property
    def classes(self) -> dict[str, int]:
        """Label -> records of it."""
        counts = np.bincount(self.truth, minlength=2).tolist()
        return {self.labels.positive: counts[POSITIVE], self.labels.negative: counts[NEGATIVE]}


def score_set(
    name: str,
    records: Sequence[EvaluationRecord],
    truth: BoolArray,
    labels: Labels,
    models: Mapping[str, Answers],
    seed: int,
) -> ClassifiedSet:
    """Score every model's answers, each in the order of `records`; `seed` is that of the intervals."""
    found = {model: score(truth, each.probabilities, each.threshold, seed) for model, each in models.items()}
    return ClassifiedSet(name, records, labels, truth, models, found)


def measured_f1(truth: BoolArray, ours: Answers, other: Answers, seed: int) -> Measured | None:
    """F1 of both on the same records (records,), each at its own threshold; None where no record is positive."""
    if not truth.any():
        return None
    pairs = [(each.probabilities, each.threshold) for each in (ours, other)]
    values = [scores(truth, *pair)[METRICS.index(F1)] for pair in pairs]
    difference = paired_differences(truth, pairs[0], pairs[1], seed)[F1]
    return Measured(values[0], values[1], difference, int(truth.sum()))


def score_values(classified: ClassifiedSet) -> dict[str, dict[str, float | None]]:
    """Model -> metric -> its value; None where it is not defined."""
    return {model: {name: one.value for name, one in found.items()} for model, found in classified.scores.items()}


def score_intervals(classified: ClassifiedSet) -> dict[str, dict[str, tuple[float, float] | None]]:
    """Model -> metric -> the ends of its 95 % interval; None where it is not defined."""
    return {
        model: {name: None if one.low is None or one.high is None else (one.low, one.high) for name, one in of.items()}
        for model, of in classified.scores.items()
    }


def confusions(classified: ClassifiedSet) -> dict[str, dict[str, int]]:
    """Model -> outcome -> records."""
    return {
        model: dataclasses.asdict(confusion(classified.truth, answers.probabilities, answers.threshold))
        for model, answers in classified.models.items()
    }


def prediction_rows(classified: ClassifiedSet) -> Iterator[dict[str, Any]]:
    """Rows of the table `predictions`, model by model; what describes a text that was written is null."""
    nothing = dict.fromkeys(PREDICTIONS.column_names)
    words = [len(record.input.split()) for record in classified.records]
    for model, answers in classified.models.items():
        decision = Decision(
            positive=classified.labels.positive, negative=classified.labels.negative, threshold=answers.threshold
        )
        for i, record in enumerate(classified.records):
            probability = float(answers.probabilities[i])
            yield nothing | {
                "record_id": record.id,
                "evaluation_set": classified.name,
                "model": model,
                "input": record.input,
                "reference": record.target,
                "prediction": decision.label(probability),
                "slice": ALL,
                "input_words": words[i],
                "probability": probability,
                "threshold": answers.threshold,
            }


def score_rows(classified: ClassifiedSet, run_id: str, started_at: datetime) -> Iterator[dict[str, Any]]:
    """Rows of the table `scores`: each model and each metric that is defined."""
    nothing = dict.fromkeys(SCORES.column_names)
    for model, found in classified.scores.items():
        distinct = len(np.unique(classified.models[model].called))
        for metric, one in found.items():
            if one.value is None:
                continue
            yield nothing | {
                "run_id": run_id,
                "started_at": started_at,
                "evaluation_set": classified.name,
                "slice": ALL,
                "model": model,
                "metric": metric,
                "count": len(classified.records),
                "mean": one.value,
                "low": one.low,
                "high": one.high,
                "distinct_predictions": distinct,
            }


def curve_rows(classified: ClassifiedSet) -> Iterator[dict[str, Any]]:
    """Rows of the table `precision_recall`: at most CURVE_POINTS of each model, from its highest threshold to its
    lowest, its own among them. None where no record is positive."""
    for model, answers in classified.models.items():
        precision, recall = (classified.scores[model][name].value for name in (PRECISION, RECALL))
        if precision is None or recall is None:
            continue
        own = CurvePoint(answers.threshold, precision, recall)
        curve = precision_recall_curve(classified.truth, answers.probabilities, CURVE_POINTS - 1)
        points = [own, *(point for point in curve if point.threshold != own.threshold)]
        for point in sorted(points, key=lambda point: -point.threshold):
            yield {
                "evaluation_set": classified.name,
                "model": model,
                **dataclasses.asdict(point),
                "chosen": point is own,
            }
