"""Minimum Bayes risk: of several answers, the one that is closest to what the right one may be.

Candidates are compared with weighted references, which stand for the unknown right answer: samples of a model, targets
of similar training records, or both. The chosen one has the highest expected ROUGE-L F1 (Kumar and Byrne 2004; with
samples as candidates and references, Eikema and Aziz 2020).
"""

from collections.abc import Sequence

from training.rouge_l import rouge_l_of_stems, stems


def choose(candidates: Sequence[str], references: Sequence[str], weights: Sequence[float]) -> int:
    """Index of the candidate with the highest `expected_rouge_l`; of equals the first.

    Raises:
        ValueError: there is no candidate, or references and weights differ in number.
    """
    if not candidates:
        raise ValueError("there is no candidate to choose")
    expected = expected_rouge_l(candidates, references, weights)
    return max(range(len(candidates)), key=expected.__getitem__)


def expected_rouge_l(candidates: Sequence[str], references: Sequence[str], weights: Sequence[float]) -> list[float]:
    """The weighted sum of each candidate's ROUGE-L F1 against `references`.

    `weights` (references,) are not negative; they need not add up to 1. What costs time is each different candidate
    with each different reference.

    Raises:
        ValueError: references and weights differ in number.
    """
    likely: dict[tuple[str, ...], float] = {}
    for reference, weight in zip(references, weights, strict=True):
        words = stems(reference)
        likely[words] = likely.get(words, 0.0) + weight
    expected: dict[tuple[str, ...], float] = {}
    for candidate in candidates:
        words = stems(candidate)
        if words not in expected:
            expected[words] = sum(weight * rouge_l_of_stems(words, other) for other, weight in likely.items())
    return [expected[stems(candidate)] for candidate in candidates]
