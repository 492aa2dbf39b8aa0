"""How much say the similar reports have in the answer, chosen on validation records after training.

With all of it the answer is the consensus of the similar reports whatever the model says; with none it is the model's
alone. So a model that has learnt little serves at least what can be looked up.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from training.generation import MBR, NEIGHBOUR_WEIGHT, GenerationParameters, TextGenerator, least_risk
from training.rouge import ROUGE_L, rouge_scores
from training.splits import Record
from training.statistics import FloatArray

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Enough to tell the weights apart; the first records of a split are as good as any, since Prepare draws it by hash.
RECORDS = 400
BATCH_SEQUENCES = 256


@dataclass(frozen=True)
class Choice:
    """`scores` is each weight's mean ROUGE-L in [0, 1] over `records`; `decoding` goes into the model card."""

    records: int
    scores: dict[float, float]
    decoding: dict[str, Any]

    @property
    def message(self) -> str:
        scores = ", ".join(f"{weight}: {100 * score:.1f}" for weight, score in self.scores.items())
        return f"weight of similar reports {self.decoding[NEIGHBOUR_WEIGHT]} (ROUGE-L of {self.records}: {scores})"


def choose_neighbour_weight(
    generator: TextGenerator, validation: Iterable[Record], parameters: GenerationParameters
) -> Choice:
    """Score every weight on the same samples, and choose as `most_even` does."""
    records = list(islice(validation, RECORDS))
    questions = generator.questions([record.input for record in records])
    drawn = generator.draw(questions, parameters, BATCH_SEQUENCES)
    scores = np.empty((len(WEIGHTS), len(records)))
    for row, weight in enumerate(WEIGHTS):
        answers = [least_risk(some, question.similar, weight) for some, question in zip(drawn, questions, strict=True)]
        pairs = [(answer, record.target) for answer, record in zip(answers, records, strict=True)]
        scores[row] = rouge_scores(pairs)[:, ROUGE_L]
    best = most_even(scores)
    chosen = dataclasses.replace(parameters, method=MBR, neighbour_weight=best)
    names = ("method", "samples", "temperature", NEIGHBOUR_WEIGHT)
    means = {weight: float(mean) for weight, mean in zip(WEIGHTS, scores.mean(axis=1), strict=True)}
    return Choice(len(records), means, {name: getattr(chosen, name) for name in names})


def most_even(scores: FloatArray) -> float:
    """The weight nearest to an even share that is not clearly worse than the best one.

    `scores` (weights, records). Not clearly: by no more than one standard error of their difference, record by record
    (Breiman et al. 1984), since a validation split of a few hundred records does not tell the middle weights apart.
    """
    differences = scores[scores.mean(axis=1).argmax()] - scores
    errors = differences.std(axis=1) / np.sqrt(scores.shape[1])
    good = [weight for weight, row, error in zip(WEIGHTS, differences, errors, strict=True) if row.mean() <= error]
    return min(good, key=lambda weight: (abs(weight - 0.5), weight))
