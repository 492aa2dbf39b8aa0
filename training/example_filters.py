"""Which of the texts that a model wrote are taken as examples. The first reason in REASONS that holds is the one told.

A model copies: what it was shown, what it learnt long ago, itself. A text that is close to one that is evaluated on
would make the scores a little better than they are, so there the bound is lower than for training texts. And it drifts,
the smaller the sooner: the first model, which knows the real examples, decides whether a text is of the label at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.example_prompts import ExamplePrompt
from training.known_texts import KnownTexts, sequences_of, shared, words_of
from training.phi import suspected_phi
from training.tfidf_floor import TfidfFloor

FEWEST_WORDS, MOST_WORDS = 4, 100
# Shares of sequences of words in common (training/known_texts.py) from which on a text is nearly a copy.
NEAR_EVALUATED, NEAR_TRAINING = 0.3, 0.5

EMPTY, SHORT, LONG, UNFINISHED = "empty", "too short", "too long", "cut off at the end"
SHOWN, DUPLICATE = "copy of a text in the prompt", "duplicate of a training or generated text"
EVALUATED_COPY = "near-copy of an evaluation or validation text"
TRAINING_COPY = "near-copy of a training or kept text"
PERSONAL, OTHER_CLASS = "signs of personal data", "another label by the first model"
REASONS = (
    *(EMPTY, SHORT, LONG, UNFINISHED, SHOWN, DUPLICATE),
    *(EVALUATED_COPY, TRAINING_COPY, PERSONAL, OTHER_CLASS),
)
_ENDS = (".", "!", "?", ")", '"', "”", "'", "’", "»", "…")


@dataclass(frozen=True)
class Judged:
    """A text, why it was dropped (None: it is kept), and the first model's probability of the label in [0, 1]."""

    text: str
    reason: str | None
    probability: float


class ExampleFilter:
    """Judges texts one after the other, and remembers them: the second of two equal ones is dropped."""

    def __init__(self, training: KnownTexts, evaluated: KnownTexts, first_model: TfidfFloor) -> None:
        self._training = training
        self._evaluated = evaluated
        self._first_model = first_model
        self._generated: set[tuple[str, ...]] = set()
        self._kept: list[frozenset[int]] = []

    def judge(self, texts: Sequence[str], prompt: ExamplePrompt, cut_off: bool) -> list[Judged]:
        """Judge the texts of one answer; the last of one that was `cut_off` must end as a sentence does."""
        probabilities = self._first_model.probabilities(texts).tolist()
        shown = [example.input for example in prompt.examples]
        judged = []
        for place, (text, probability) in enumerate(zip(texts, probabilities, strict=True)):
            may_be_cut = cut_off and place == len(texts) - 1
            reason = self._reason(text, shown, may_be_cut, probability)
            self._generated.add(tuple(words_of(text)))
            if reason is None:
                self._kept.append(sequences_of(text))
            judged.append(Judged(text, reason, probability))
        return judged

    def _reason(self, text: str, shown: Sequence[str], may_be_cut: bool, probability: float) -> str | None:
        return (
            _unusable(text, may_be_cut)
            or self._copied(text, shown)
            or (PERSONAL if suspected_phi(text) else None)
            or (OTHER_CLASS if probability < self._first_model.threshold else None)
        )

    def _copied(self, text: str, shown: Sequence[str]) -> str | None:
        sequences = sequences_of(text)
        if any(shared(sequences, sequences_of(other)) >= NEAR_TRAINING for other in shown):
            return SHOWN
        if tuple(words_of(text)) in self._generated or self._training.holds(text):
            return DUPLICATE
        if self._evaluated.largest_share(sequences) >= NEAR_EVALUATED:
            return EVALUATED_COPY
        near_kept = any(shared(sequences, other) >= NEAR_TRAINING for other in self._kept)
        if near_kept or self._training.largest_share(sequences) >= NEAR_TRAINING:
            return TRAINING_COPY
        return None


def _unusable(text: str, may_be_cut: bool) -> str | None:
    words = len(words_of(text))
    if not words:
        return EMPTY
    if words < FEWEST_WORDS:
        return SHORT
    if words > MOST_WORDS:
        return LONG
    return UNFINISHED if may_be_cut and not text.endswith(_ENDS) else None
