"""Scores of a classifier that tells two classes apart, with seeded bootstrap intervals.

Everything is asked of three arrays: `truth` (records,) is true where the record is of the positive class,
`probabilities` (records,) in [0, 1] are the model's for that class, and a record is called positive when its
probability is at least `threshold`. Every score is in [0, 1]. Accuracy is not among them: where a fifth of the texts
report an adverse event, who answers "none" to every text is right four times in five and has found nothing.

- precision, recall, f1: of the positive class, at the threshold. Where nothing is called positive, precision is 0.
- auroc: the share of pairs of a positive and a negative record in which the positive one has the higher probability.
- average_precision: sum over thresholds of (recall - recall before) * precision (as scikit-learn; not interpolated).
- brier: mean squared distance of probability and truth; lower is better.
- calibration_error: expected calibration error (Naeini et al. 2015) of the positive class's probability over
  CALIBRATION_BINS bins of equal width; lower is better.

recall and f1 are not defined without a positive record, auroc and average_precision not where either class is missing:
they are None then.

A bootstrap is over weights: how often a resample holds each record. So the records are sorted once, and a score of all
resamples is a few cumulative sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.statistics import INTERVAL, BoolArray, Difference, FloatArray, resamples

PRECISION, RECALL, F1 = "precision", "recall", "f1"
AUROC, AVERAGE_PRECISION = "auroc", "average_precision"
BRIER, CALIBRATION_ERROR = "brier", "calibration_error"
METRICS = (PRECISION, RECALL, F1, AUROC, AVERAGE_PRECISION, BRIER, CALIBRATION_ERROR)
LOWER_IS_BETTER = (BRIER, CALIBRATION_ERROR)
CALIBRATION_BINS = 10
CURVE_POINTS = 200


@dataclass(frozen=True)
class Confusion:
    """Records by what they are and what they were called."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


@dataclass(frozen=True)
class Score:
    """One score, and the ends of its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CurvePoint:
    """What calling positive from `threshold` on gives."""

    threshold: float
    precision: float
    recall: float


def confusion(truth: BoolArray, probabilities: FloatArray, threshold: float) -> Confusion:
    """Count the four outcomes.

    Raises:
        ValueError: the arrays are not of the same records, or a probability is outside of [0, 1].
    """
    _check(truth, probabilities)
    called = probabilities >= threshold
    return Confusion(
        int((truth & called).sum()),
        int((~truth & called).sum()),
        int((truth & ~called).sum()),
        int((~truth & ~called).sum()),
    )


def score(truth: BoolArray, probabilities: FloatArray, threshold: float, seed: int) -> dict[str, Score]:
    """Each of METRICS with its bootstrap interval, which depends on the arguments alone.

    Raises:
        ValueError: there are no records, they do not match, or a probability is outside of [0, 1].
    """
    system = _System(truth, probabilities, threshold)
    values = system.scores(np.ones((1, len(truth))))[0]
    resampled = np.concatenate([system.scores(times) for times in resamples(len(truth), seed)])
    ends = [_interval(resampled[:, column]) for column in range(len(METRICS))]
    return {
        name: Score(_defined(value), low, high) for name, value, (low, high) in zip(METRICS, values, ends, strict=True)
    }


def scores(truth: BoolArray, probabilities: FloatArray, threshold: float) -> list[float]:
    """Each of METRICS without its interval; NaN where it is not defined.

    Raises:
        ValueError: as of `score`.
    """
    values: list[float] = _System(truth, probabilities, threshold).scores(np.ones((1, len(truth))))[0].tolist()
    return values


def paired_differences(
    truth: BoolArray, new: tuple[FloatArray, float], old: tuple[FloatArray, float], seed: int
) -> dict[str, Difference]:
    """Each score of `new` minus that of `old` (probabilities, threshold) on the same resamples of the same records.

    Only scores that are defined for both are in the result.

    Raises:
        ValueError: as of `score`.
    """
    systems = [_System(truth, *each) for each in (new, old)]
    everything = np.ones((1, len(truth)))
    values = (systems[0].scores(everything) - systems[1].scores(everything))[0]
    resampled = np.concatenate(
        [systems[0].scores(times) - systems[1].scores(times) for times in resamples(len(truth), seed)]
    )
    differences = {}
    for column, name in enumerate(METRICS):
        low, high = _interval(resampled[:, column])
        if low is not None and high is not None and np.isfinite(values[column]):
            differences[name] = Difference(len(truth), float(values[column]), low, high)
    return differences


def choose_threshold(truth: BoolArray, probabilities: FloatArray) -> float:
    """The threshold in (0, 1] at which F1 is largest; of several such the lowest, which finds most of the positives.

    To be chosen on validation records, never on those that are scored. It lies half-way between the probabilities at
    either side, since the last digits of a probability depend on the batch it is computed in.

    Raises:
        ValueError: there is no positive record.
    """
    _check(truth, probabilities)
    if not truth.any():
        raise ValueError("a threshold cannot be chosen without a positive record")
    found, called, levels = _by_level(truth, probabilities)
    f1 = 2 * found / (called + truth.sum())
    # Ascending by recall: the last of the best is the one with the lowest threshold.
    best = len(f1) - 1 - int(np.argmax(f1[::-1]))
    below = levels[best + 1] if best + 1 < len(levels) else 0.0
    middle = float((levels[best] + below) / 2)
    return middle if middle > below else float(levels[best])


def precision_recall_curve(
    truth: BoolArray, probabilities: FloatArray, points: int = CURVE_POINTS
) -> Sequence[CurvePoint]:
    """At most `points` points from the highest threshold to the lowest, evenly spaced by rank; empty without positives.

    Raises:
        ValueError: the arrays are not of the same records, or a probability is outside of [0, 1].
    """
    _check(truth, probabilities)
    if not truth.any():
        return []
    found, called, levels = _by_level(truth, probabilities)
    shown = np.unique(np.linspace(0, len(levels) - 1, min(points, len(levels))).round().astype(int))
    return [
        CurvePoint(float(levels[at]), float(found[at] / called[at]), float(found[at] / truth.sum())) for at in shown
    ]


def _by_level(truth: BoolArray, probabilities: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of each different probability, highest first: positives and records from it on, and the probability itself."""
    order = np.argsort(-probabilities, kind="stable")
    ends = _level_ends(probabilities[order])
    found = np.cumsum(truth[order], dtype=np.float64)[ends]
    return found, (ends + 1).astype(np.float64), probabilities[order][ends]


def _level_ends(descending: FloatArray) -> NDArray[np.int64]:
    """Places of the last record of each different value."""
    return np.flatnonzero(np.append(np.diff(descending) != 0, True))


class _System:
    """The records of one system, sorted once, to be scored under many weightings."""

    def __init__(self, truth: BoolArray, probabilities: FloatArray, threshold: float) -> None:
        _check(truth, probabilities)
        if len(truth) == 0:
            raise ValueError("no records to score")
        self._order = np.argsort(-probabilities, kind="stable")
        self._truth = truth[self._order].astype(np.float64)
        probabilities = probabilities[self._order]
        self._ends = _level_ends(probabilities)
        self._called = int((probabilities >= threshold).sum())
        self._squares = (probabilities - self._truth) ** 2
        bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        # What each record adds to the distance of mean probability and share of positives in its bin (records, bins).
        self._distances = np.zeros((len(truth), CALIBRATION_BINS))
        self._distances[np.arange(len(truth)), bins] = probabilities - self._truth

    def scores(self, weights: FloatArray) -> FloatArray:
        """`weights` (weightings, records) in the order of `truth` -> (weightings, metrics); NaN where not defined."""
        weights = weights[:, self._order]
        total = weights.sum(axis=1)
        found = np.cumsum(weights * self._truth, axis=1)
        called = np.cumsum(weights, axis=1)
        positives = found[:, -1]
        hits, calls = (
            (found[:, self._called - 1], called[:, self._called - 1]) if self._called else (0 * total, 0 * total)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = [
                np.where(calls > 0, hits / calls, 0.0),
                hits / positives,
                np.where(positives > 0, 2 * hits / (calls + positives), np.nan),
                *self._ranking(found[:, self._ends], called[:, self._ends]),
                weights @ self._squares / total,
                np.abs(weights @ self._distances).sum(axis=1) / total,
            ]
        return np.column_stack(columns)

    @staticmethod
    def _ranking(found: FloatArray, called: FloatArray) -> tuple[FloatArray, FloatArray]:
        """AUROC and average precision of positives and records (weightings, levels) counted from the highest level."""
        positives, negatives = found[:, -1], called[:, -1] - found[:, -1]
        new_found = np.diff(found, axis=1, prepend=0)
        missed = called - found
        # A positive record wins against the negative ones of lower levels, and half against those of its own.
        lower = negatives[:, None] - (missed + np.diff(missed, axis=1, prepend=0) * -0.5)
        auroc = (new_found * lower).sum(axis=1) / (positives * negatives)
        precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
        average = (new_found * precision).sum(axis=1) / positives
        return auroc, np.where(negatives > 0, average, np.nan)


def _check(truth: BoolArray, probabilities: FloatArray) -> None:
    if truth.shape != probabilities.shape:
        raise ValueError(
            f"labels and probabilities must be of the same records, got {truth.shape}, {probabilities.shape}"
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be in [0, 1]")


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _interval(values: FloatArray) -> tuple[float | None, float | None]:
    """Of the resamples for which the score is defined: a rare class may be missing from some."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return None, None
    low, high = np.quantile(values, INTERVAL)
    return float(low), float(high)
