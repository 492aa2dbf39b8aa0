"""Which of several candidate answers is given: the one that is expected to be closest to the truth.

Nobody knows the truth, but four views say something of it: what was written of similar reports, which words and which
word pairs answers to such inputs hold (training/expected_words.py), and what the model itself says when it is asked
several times. Each view gives every candidate an expected F1. How much each counts is learnt on validation records
after training, by least squares: the weighted sum is to be the candidate's ROUGE-L against what the doctor wrote.

So a model that has learnt little has little say, and then the answer is at least the best that can be looked up.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.consensus import weights
from training.errors import RetrievalError
from training.expected_words import Expectation, ExpectedWords
from training.minimum_bayes_risk import expected_rouge_l
from training.retrieval import Similar

VIEWS = ("similar", "words", "pairs", "samples")
EQUAL = (0.25, 0.25, 0.25, 0.25)
_WEIGHTS = "answer_choice.json"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What is known of one input: what the model gave (the greedy answer, then samples), what is `similar`, most
    similar first, and which words are `expected`; None where nothing was learnt about words."""

    drawn: Sequence[str]
    similar: Sequence[Similar]
    expected: Expectation | None

    @property
    def candidates(self) -> list[str]:
        """Each once."""
        return list(dict.fromkeys([*self.drawn, *(report.target for report in self.similar)]))


@dataclass(frozen=True)
class AnswerChoice:
    """`shares` are the weights of VIEWS, not negative; `expected` is None where nothing was learnt about words."""

    shares: tuple[float, ...] = EQUAL
    expected: ExpectedWords | None = None

    @property
    def description(self) -> str:
        """The weights, for a log."""
        return "weights of answers: " + ", ".join(
            f"{view} {share:.2f}" for view, share in zip(VIEWS, self.shares, strict=True)
        )

    def best(self, asked: Asked) -> str:
        """The candidate with the highest weighted sum; of equals the first."""
        candidates = asked.candidates
        return candidates[int(np.argmax(views(candidates, asked) @ np.array(self.shares)))]

    def expectations(self, texts: Sequence[str]) -> list[Expectation] | list[None]:
        """Which words to expect in the answer to each text."""
        return self.expected.of(texts) if self.expected is not None else [None] * len(texts)

    def save(self, folder: Path) -> None:
        """Write it into `folder`, which is created. Holds words of training targets as plain text."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.expected is not None:
            self.expected.save(folder)
        (folder / _WEIGHTS).write_text(json.dumps(dict(zip(VIEWS, self.shares, strict=True))) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote for a model with expected words.

        Raises:
            RetrievalError: it is missing or damaged.
        """
        try:
            shares = json.loads((folder / _WEIGHTS).read_text(encoding="utf-8"))
            return cls(tuple(float(shares[view]) for view in VIEWS), ExpectedWords.load(folder))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RetrievalError(
                f"the weights of answers in {folder.name} are missing or damaged ({type(error).__name__})"
            ) from error


def views(candidates: Sequence[str], asked: Asked) -> FloatArray:
    """(candidates, VIEWS) expected F1 in [0, 1]; 0 in a column whose view has nothing to say."""
    table = np.zeros((len(candidates), len(VIEWS)))
    if asked.similar:
        targets = [report.target for report in asked.similar]
        table[:, 0] = expected_rouge_l(candidates, targets, weights(asked.similar))
    if asked.expected is not None:
        table[:, 1:3] = [asked.expected.agreement(candidate) for candidate in candidates]
    if samples := asked.drawn[1:]:
        table[:, 3] = expected_rouge_l(candidates, samples, [1 / len(samples)] * len(samples))
    return table
