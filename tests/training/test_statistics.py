import numpy as np
import pytest

from training import statistics
from training.statistics import describe, mean_intervals, paired_difference


def test_distribution_of_known_numbers() -> None:
    # By hand, of 1, 2, 3 and 7: squared deviations 5.0625 + 1.5625 + 0.0625 + 14.0625.
    found = describe(np.array([3.0, 1.0, 7.0, 2.0]))
    assert (found.count, found.min, found.median, found.max) == (4, 1, 2.5, 7)
    assert found.mean == pytest.approx(13 / 4)
    assert found.std == pytest.approx((20.75 / 3) ** 0.5)
    # Linear interpolation at positions 0.75 and 2.25.
    assert (found.q1, found.q3) == (pytest.approx(1.75), pytest.approx(4.0))


def test_one_record_has_no_standard_deviation() -> None:
    found = describe(np.array([0.4]))
    assert (found.count, found.std, found.min, found.q1, found.max) == (1, None, 0.4, 0.4, 0.4)


def test_nothing_cannot_be_described() -> None:
    with pytest.raises(ValueError, match="no scores"):
        describe(np.array([]))
    with pytest.raises(ValueError, match="no records"):
        mean_intervals(np.empty((0, 2)), seed=1)


def test_interval_agrees_with_a_plain_bootstrap_and_with_theory() -> None:
    values = np.random.default_rng(5).beta(2, 3, size=300)
    (low,), (high,) = mean_intervals(values[:, None], seed=1)
    other = np.random.default_rng(99)
    means = [np.mean(other.choice(values, len(values))) for _ in range(4_000)]
    assert low == pytest.approx(np.quantile(means, 0.025), abs=0.003)
    assert high == pytest.approx(np.quantile(means, 0.975), abs=0.003)
    half_width = 1.96 * np.std(values) / len(values) ** 0.5
    assert (high - low) / 2 == pytest.approx(half_width, rel=0.06)


def test_interval_covers_the_true_mean_about_95_times_in_100() -> None:
    generator = np.random.default_rng(3)
    samples = generator.uniform(size=(60, 400))
    low, high = mean_intervals(samples, seed=1)
    covered = np.mean((low <= 0.5) & (high >= 0.5))
    assert 0.9 <= covered <= 0.99


def test_interval_depends_on_the_seed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).uniform(size=(200, 3))
    first = mean_intervals(values, seed=1)
    assert np.array_equal(first, mean_intervals(values, seed=1))
    assert not np.array_equal(first, mean_intervals(values, seed=2))
    # A column's interval is the same beside other columns, and however many resamples are held at a time.
    assert np.allclose(first[0][1], mean_intervals(values[:, 1:2], seed=1)[0][0], atol=1e-12)
    monkeypatch.setattr(statistics, "_RECORDS_AT_A_TIME", 999)
    assert np.allclose(first, mean_intervals(values, seed=1), atol=1e-12)


def test_pairing_sees_what_separate_intervals_hide() -> None:
    # Records differ much in difficulty; the new model is better by 0.02 on each, give or take a little.
    generator = np.random.default_rng(4)
    old = generator.uniform(size=100)
    new = old + 0.02 + generator.normal(scale=0.01, size=100)
    difference = paired_difference(new, old, seed=1)
    assert difference.count == 100
    assert difference.mean == pytest.approx(np.mean(new) - np.mean(old))
    assert 0 < difference.low < difference.mean < difference.high
    (low_new, _), (_, high_old) = mean_intervals(np.column_stack([new, old]), seed=1)
    assert low_new < high_old


def test_difference_of_a_model_with_itself_is_nothing() -> None:
    scores = np.random.default_rng(4).uniform(size=50)
    difference = paired_difference(scores, scores.copy(), seed=1)
    assert (difference.mean, difference.low, difference.high) == (0, 0, 0)


def test_unpaired_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="same records"):
        paired_difference(np.zeros(3), np.zeros(4), seed=1)
