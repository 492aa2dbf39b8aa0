"""Scores against scikit-learn's, on made-up probabilities; intervals against a plain bootstrap."""

import numpy as np
import pytest
from sklearn import metrics

from training import classification_metrics as ours
from training.classification_metrics import (
    AUROC,
    AVERAGE_PRECISION,
    BRIER,
    CALIBRATION_ERROR,
    F1,
    METRICS,
    PRECISION,
    RECALL,
    choose_threshold,
    confusion,
    paired_differences,
    precision_recall_curve,
    score,
)


def made_up(count: int, seed: int, decimals: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probabilities that tell something of it; few `decimals` make many of them equal."""
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.2
    logits = random.normal(size=count) + 1.5 * truth - 1
    return truth, np.round(1 / (1 + np.exp(-logits)), decimals)


@pytest.mark.parametrize("decimals", [12, 1])
@pytest.mark.parametrize("count", [7, 400])
def test_scores_are_scikit_learns(count: int, decimals: int) -> None:
    for seed in range(5):
        truth, probabilities = made_up(count, seed, decimals)
        truth[:2] = True, False
        found = {name: one.value for name, one in score(truth, probabilities, 0.3, seed=1).items()}
        called = probabilities >= 0.3
        expected = {
            PRECISION: metrics.precision_score(truth, called, zero_division=0),
            RECALL: metrics.recall_score(truth, called),
            F1: metrics.f1_score(truth, called),
            AUROC: metrics.roc_auc_score(truth, probabilities),
            AVERAGE_PRECISION: metrics.average_precision_score(truth, probabilities),
            BRIER: metrics.brier_score_loss(truth, probabilities),
        }
        assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
        (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, called)
        assert confusion(truth, probabilities, 0.3) == ours.Confusion(tp, fp, fn, tn)


def test_calibration_error_as_its_definition_says() -> None:
    truth, probabilities = made_up(500, seed=3)
    expected = 0.0
    for number in range(10):
        inside = (probabilities >= number / 10) & (probabilities < (number + 1) / 10)
        if inside.any():
            expected += inside.mean() * abs(probabilities[inside].mean() - truth[inside].mean())
    assert score(truth, probabilities, 0.5, seed=1)[CALIBRATION_ERROR].value == pytest.approx(expected)
    certain = truth.astype(float)
    assert score(truth, certain, 0.5, seed=1)[CALIBRATION_ERROR].value == 0


def test_intervals_are_those_of_a_plain_bootstrap() -> None:
    truth, probabilities = made_up(300, seed=1, decimals=2)
    found = score(truth, probabilities, 0.4, seed=7)
    random = np.random.default_rng(99)
    f1, average = [], []
    for _ in range(1500):
        drawn = random.integers(300, size=300)
        f1.append(metrics.f1_score(truth[drawn], probabilities[drawn] >= 0.4))
        average.append(metrics.average_precision_score(truth[drawn], probabilities[drawn]))
    for name, plain in ((F1, f1), (AVERAGE_PRECISION, average)):
        assert (found[name].low, found[name].high) == pytest.approx(np.quantile(plain, (0.025, 0.975)), abs=0.01)
    assert found == score(truth, probabilities, 0.4, seed=7)
    assert found[F1] != score(truth, probabilities, 0.4, seed=8)[F1]


def test_what_needs_two_classes_is_not_made_up() -> None:
    probabilities = np.array([0.1, 0.6, 0.7])
    for truth in (np.zeros(3, bool), np.ones(3, bool)):
        found = score(truth, probabilities, 0.5, seed=1)
        assert found[AUROC] == ours.Score(None, None, None)
        assert found[AVERAGE_PRECISION].value is None
    without_positives = score(np.zeros(3, bool), probabilities, 0.5, seed=1)
    assert without_positives[RECALL] == without_positives[F1] == ours.Score(None, None, None)
    assert without_positives[PRECISION].value == 0
    none_called = score(np.array([True, False]), np.array([0.2, 0.1]), 0.9, seed=1)
    assert (none_called[PRECISION].value, none_called[RECALL].value, none_called[F1].value) == (0, 0, 0)


def test_the_threshold_has_the_best_f1_and_of_equal_ones_the_better_recall() -> None:
    for seed in range(8):
        truth, probabilities = made_up(60, seed, decimals=2)
        truth[0] = True
        threshold = choose_threshold(truth, probabilities)
        best = max(metrics.f1_score(truth, probabilities >= level) for level in np.unique(probabilities))
        assert metrics.f1_score(truth, probabilities >= threshold) == pytest.approx(best)
    # 0.9 alone: precision 1, recall 1/2. From 0.3 on: precision 1/2, recall 1. F1 is 2/3 for both.
    truth = np.array([True, False, False, True, False])
    probabilities = np.array([0.9, 0.5, 0.4, 0.3, 0.1])
    assert choose_threshold(truth, probabilities) == pytest.approx(0.2)


def test_a_threshold_does_not_hang_on_the_last_digit() -> None:
    truth, probabilities = np.array([True, True, False]), np.array([0.8, 0.6, 0.2])
    assert choose_threshold(truth, probabilities) == pytest.approx(0.4)
    assert choose_threshold(truth, np.array([0.5, 0.5, 0.5])) <= 0.5
    with pytest.raises(ValueError, match="without a positive record"):
        choose_threshold(np.zeros(2, bool), np.array([0.1, 0.2]))


def test_the_curve_is_scikit_learns_where_all_its_points_are_shown() -> None:
    truth, probabilities = made_up(80, seed=2, decimals=2)
    precision, recall, thresholds = metrics.precision_recall_curve(truth, probabilities)
    shown = precision_recall_curve(truth, probabilities, points=10_000)
    expected = list(zip(thresholds, precision, recall, strict=False))[::-1]
    assert np.allclose([(p.threshold, p.precision, p.recall) for p in shown], expected)
    few = precision_recall_curve(truth, probabilities, points=5)
    assert len(few) == 5 and few[0] == shown[0] and few[-1] == shown[-1]
    assert precision_recall_curve(np.zeros(2, bool), np.array([0.1, 0.2])) == []


def test_pairing_sees_what_separate_intervals_hide() -> None:
    truth, probabilities = made_up(600, seed=5)
    better = np.clip(probabilities + 0.05 * (2 * truth - 1), 0, 1)
    differences = paired_differences(truth, (better, 0.4), (probabilities, 0.4), seed=1)
    one, other = score(truth, better, 0.4, seed=1), score(truth, probabilities, 0.4, seed=1)
    assert set(differences) == set(METRICS)
    for name in (F1, AVERAGE_PRECISION):
        assert differences[name].mean == pytest.approx(one[name].value - other[name].value)
        assert 0 < differences[name].low < differences[name].mean < differences[name].high
        assert one[name].low < other[name].high
    same = paired_differences(truth, (better, 0.4), (better, 0.4), seed=1)
    assert {(d.mean, d.low, d.high) for d in same.values()} == {(0, 0, 0)}


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="no records"):
        score(np.zeros(0, bool), np.zeros(0), 0.5, seed=1)
    with pytest.raises(ValueError, match="same records"):
        score(np.zeros(2, bool), np.zeros(3), 0.5, seed=1)
    for wrong in (1.2, float("nan")):
        with pytest.raises(ValueError, match=r"in \[0, 1\]"):
            score(np.zeros(1, bool), np.array([wrong]), 0.5, seed=1)
