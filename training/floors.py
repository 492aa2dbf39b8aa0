"""Trivial answers that every score stands beside: a model that does not beat them has learnt little.

- constant: the commonest training target, whatever is asked.
- lead: the first sentences of the input, as many as a training target has on average.
- nearest: the target of the training record whose input is most similar to what is asked.
- consensus: of the targets of the most similar training records the one that agrees best with the others.

The last two are from one look into the index of similar reports (training/retrieval.py). A text that shares no word
with any training input gets the constant answer from them.

Memory: the index and one block of queries; beyond the answers themselves, and for each up to four reports that it rests
on, it does not grow with their number.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from training.consensus import NEIGHBOURS
from training.errors import EvaluationError
from training.records import normalise
from training.report_text import sentences
from training.retrieval import SimilarReports
from training.similar_impressions import ShownReport, shown_reports
from training.splits import read_split
from training.table_schemas import CONSENSUS, CONSTANT, LEAD, NEAREST


class Floors:
    """The answers of all floors, learnt from the training split."""

    def __init__(self, targets: Sequence[str], index: SimilarReports) -> None:
        self._constant = most_frequent_target(targets)
        self._lead_sentences = mean_sentences(targets)
        self._index = index

    @classmethod
    def learn(cls, train: Path, similar: Path | None = None) -> Self:
        """Learn from a training split; `similar` holds the index of its records, which is built where there is none.

        Raises:
            EvaluationError: the split holds no records, or the index is of another number of them.
            RetrievalError: there is no index in `similar`, or no training input holds a word.
        """
        targets = [record.target for record in read_split(train)]
        if not targets:
            raise EvaluationError("the training split holds no records: the floors need at least one")
        index = SimilarReports.load(similar) if similar else SimilarReports.build(read_split(train))
        if len(index) != len(targets):
            raise EvaluationError(
                f"the index of similar reports holds {len(index)} records, the training split {len(targets)}"
            )
        return cls(targets, index)

    def similar(self, inputs: Iterable[str]) -> list[list[ShownReport]]:
        """For each input the similar training reports that a prompt shows: the nearest, and the agreed one."""
        return [shown_reports(found) for found in self._index.each_similar(inputs, NEIGHBOURS)]

    def predictions(self, inputs: Sequence[str], similar: Sequence[Sequence[ShownReport]]) -> dict[str, list[str]]:
        """Floor -> its answers, in the order of `inputs`, of which `similar` is what the method of that name found."""
        return {
            CONSTANT: [self._constant] * len(inputs),
            LEAD: [lead(text, self._lead_sentences) for text in inputs],
            NEAREST: [shown[0].report.target if shown else self._constant for shown in similar],
            CONSENSUS: [next((one.report.target for one in shown if one.agreed), self._constant) for shown in similar],
        }


def most_frequent_target(targets: Sequence[str]) -> str:
    """The commonest target, letter case and white space aside, in its commonest spelling; ties by text order."""
    spellings = Counter(targets)
    forms: Counter[str] = Counter()
    for text, count in spellings.items():
        forms[normalise(text)] += count
    commonest = _first_of_commonest(forms)
    return _first_of_commonest({text: n for text, n in spellings.items() if normalise(text) == commonest})


def mean_sentences(targets: Iterable[str]) -> int:
    """How many sentences a target has on average, rounded; at least one."""
    spellings = Counter(targets)
    total = sum(len(sentences(text)) * count for text, count in spellings.items())
    return max(1, round(total / spellings.total()))


def lead(text: str, count: int) -> str:
    """The first `count` sentences of a text."""
    return " ".join(sentences(text)[:count])


def _first_of_commonest(counts: dict[str, int]) -> str:
    return min(counts, key=lambda text: (-counts[text], text))
