"""A table of classifiers that were asked the same texts: scores with 95 % intervals, and paired differences."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from training.classification_metrics import (
    AUROC,
    AVERAGE_PRECISION,
    F1,
    PRECISION,
    RECALL,
    Score,
    confusion,
    paired_differences,
    score,
)
from training.statistics import BoolArray, Difference, FloatArray

_HEADINGS = {PRECISION: "precision", RECALL: "recall", F1: "F1", AVERAGE_PRECISION: "avg. prec.", AUROC: "AUROC"}
_COMPARED = {F1: "F1", AVERAGE_PRECISION: "average precision"}
_NAME_WIDTH, _WIDTH = 36, 14


@dataclass(frozen=True)
class Row:
    """What one classifier answered to the texts (probabilities of the positive label), and how it came about.

    `goes_on_from` is the row that it adds one thing to; None for the first.
    """

    name: str
    goes_on_from: str | None
    probabilities: FloatArray
    threshold: float
    seconds: float
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredRow:
    """`differences`: name of another row -> metric -> this row's minus that one's."""

    row: Row
    scores: dict[str, Score]
    differences: dict[str, dict[str, Difference]]

    def as_json(self, truth: BoolArray) -> dict[str, Any]:
        row = self.row
        return {
            "name": row.name,
            "seconds": round(row.seconds, 1),
            "settings": row.settings,
            "threshold": row.threshold,
            "confusion": asdict(confusion(truth, row.probabilities, row.threshold)),
            "scores": {metric: asdict(found) for metric, found in self.scores.items()},
            "differences": {
                name: {metric: asdict(found) for metric, found in of_row.items()}
                for name, of_row in self.differences.items()
            },
        }


def scored(rows: Sequence[Row], truth: BoolArray, seed: int) -> list[ScoredRow]:
    """Score each row; it is compared with the first one, the floor, and with the one that it goes on from."""
    by_name = {row.name: row for row in rows}
    return [
        ScoredRow(
            row,
            score(truth, row.probabilities, row.threshold, seed),
            {
                name: paired_differences(truth, _answers(row), _answers(by_name[name]), seed)
                for name in dict.fromkeys((rows[0].name, row.goes_on_from))
                if name is not None and name != row.name
            },
        )
        for row in rows
    ]


def table_lines(rows: Sequence[ScoredRow]) -> Iterator[str]:
    """The scores, each above its interval; then what differs."""
    yield _line("", _HEADINGS.values())
    for scored_row in rows:
        found = [scored_row.scores[metric] for metric in _HEADINGS]
        yield _line(scored_row.row.name, (_number(one.value) for one in found))
        yield _line("", (f"{_number(one.low)}-{_number(one.high)}" for one in found))
    for scored_row in rows:
        for name, differences in scored_row.differences.items():
            told = [
                f"{heading} {one.mean:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
                for metric, heading in _COMPARED.items()
                if (one := differences.get(metric)) is not None
            ]
            yield f"{scored_row.row.name} minus {name}: {', '.join(told) or 'not defined'}"


def _answers(row: Row) -> tuple[FloatArray, float]:
    return row.probabilities, row.threshold


def _line(name: str, cells: Any) -> str:
    return f"{name:<{_NAME_WIDTH}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"
