"""Distributions of scores, and seeded bootstrap intervals (Efron and Tibshirani 1993, percentile method).

Score arrays are (records,) or (records, columns) of float64. Two systems are compared on the same records: the
interval of the mean of their differences, record by record (a paired bootstrap), so that what makes a record hard for
both does not blur which is better.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

RESAMPLES = 2_000
# Ends of a two-sided 95 % interval, as quantiles.
INTERVAL = (0.025, 0.975)
# Resampled records held at a time; bounds memory to about 100 MB whatever the number of records.
_RECORDS_AT_A_TIME = 2_000_000


@dataclass(frozen=True)
class Distribution:
    """What a box plot needs, in the scores' own unit. `std` is the sample's (n - 1); None for one record."""

    count: int
    mean: float
    std: float | None
    min: float
    q1: float
    median: float
    q3: float
    max: float


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences, and the ends of its 95 % interval."""

    count: int
    mean: float
    low: float
    high: float


def describe(values: FloatArray) -> Distribution:
    """Describe scores (records,), at least one. Quantiles by linear interpolation.

    Raises:
        ValueError: there are no scores.
    """
    if values.size == 0:
        raise ValueError("no scores to describe")
    low, q1, median, q3, high = (float(q) for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    std = float(np.std(values, ddof=1)) if values.size > 1 else None
    return Distribution(int(values.size), float(np.mean(values)), std, low, q1, median, q3, high)


def mean_intervals(values: FloatArray, seed: int) -> tuple[FloatArray, FloatArray]:
    """95 % bootstrap interval of each column's mean: `values` (records, columns) -> low (columns,), high (columns,).

    All columns share the same resamples. The result depends on `values` and `seed` alone.

    Raises:
        ValueError: there are no records.
    """
    records = len(values)
    if records == 0:
        raise ValueError("no records to resample")
    means = np.concatenate([times @ values / records for times in resamples(records, seed)])
    low, high = np.quantile(means, INTERVAL, axis=0)
    return low, high


def resamples(records: int, seed: int) -> Iterator[FloatArray]:
    """How often each of `RESAMPLES` resamples holds each record, in blocks (resamples, records) that bound memory."""
    generator = np.random.default_rng(seed)
    at_a_time = max(1, _RECORDS_AT_A_TIME // records)
    for first in range(0, RESAMPLES, at_a_time):
        size = min(at_a_time, RESAMPLES - first)
        drawn = generator.integers(records, size=(size, records))
        cells = (drawn + np.arange(size)[:, None] * records).ravel()
        yield np.bincount(cells, minlength=size * records).reshape(size, records).astype(np.float64)


def paired_difference(new: FloatArray, old: FloatArray, seed: int) -> Difference:
    """Mean of `new` - `old` over the same records (records,), with its 95 % paired bootstrap interval.

    Raises:
        ValueError: the two are not of the same records, or there are none.
    """
    if new.shape != old.shape:
        raise ValueError(f"paired scores must be of the same records, got {new.shape} and {old.shape}")
    differences = new - old
    low, high = mean_intervals(differences[:, None], seed)
    return Difference(len(differences), float(np.mean(differences)), float(low[0]), float(high[0]))
