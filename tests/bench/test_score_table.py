"""Rows beside each other: what each is compared with, and how scores that are not defined are shown."""

import numpy as np
import pytest

from bench.score_table import Row, scored, table_lines
from training.classification_metrics import paired_differences, score

TRUTH = np.arange(60) % 3 == 0


def row(name: str, goes_on_from: str | None, noise: float) -> Row:
    """The truth with more or less noise."""
    drawn = np.random.default_rng(7).random(len(TRUTH))
    return Row(name, goes_on_from, np.clip((1 - noise) * TRUTH + noise * drawn, 0, 1), 0.5, 1.0)


def test_rows_are_compared_with_the_floor_and_what_they_go_on_from() -> None:
    rows = [row("floor", None, 0.9), row("encoder", "floor", 0.8), row("search", "encoder", 0.2)]
    floor, encoder, search = scored(rows, TRUTH, seed=1)
    assert [list(one.differences) for one in (floor, encoder, search)] == [[], ["floor"], ["floor", "encoder"]]
    assert search.scores == score(TRUTH, rows[2].probabilities, 0.5, 1)
    new, old = ((one.probabilities, one.threshold) for one in rows[2:0:-1])
    assert search.differences["encoder"] == paired_differences(TRUTH, new, old, 1)
    lines = list(table_lines([floor, encoder, search]))
    assert lines[0].split("  ")[-1].strip() == "AUROC" and len(lines) == 1 + 2 * 3 + 3
    f1 = search.scores["f1"]
    assert f"{f1.value:.3f}" in lines[5] and f"{f1.low:.3f}-{f1.high:.3f}" in lines[6]
    assert lines[-1].startswith("search minus encoder: F1 +") and "average precision +" in lines[-1]
    assert search.as_json(TRUTH)["confusion"]["true_positives"] <= 20


def test_scores_that_are_not_defined_are_marked() -> None:
    nothing = np.zeros(5, dtype=bool)
    rows = [Row(name, before, np.full(5, 0.3), 0.5, 0.0) for name, before in (("floor", None), ("other", "floor"))]
    lines = list(table_lines(scored(rows, nothing, seed=1)))
    assert lines[1].split() == ["floor", "0.000", "?", "?", "?", "?"]
    assert lines[-1] == "other minus floor: not defined"


def test_rows_of_other_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="must be of the same records"):
        scored([row("floor", None, 0.5)], TRUTH[:5], seed=1)
