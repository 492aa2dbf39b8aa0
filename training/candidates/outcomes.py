"""What becomes of records that a candidate is asked about: a text, or a reason why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from training.errors import GenerationError


@dataclass(frozen=True)
class Unanswered:
    """Why a record has no answer, without any clinical text. `lasting`: what is wrong may be wrong for every record."""

    reason: str
    lasting: bool = False


Outcome = str | Unanswered


class UnansweredError(GenerationError):
    """One call brought no answer; the candidate may still be asked other things."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.outcome = Unanswered(reason, lasting)


@dataclass(frozen=True)
class Answers:
    """An outcome for each text of a call, in order, and the tokens that a service billed for all of them."""

    outcomes: Sequence[Outcome]
    input_tokens: int = 0
    output_tokens: int = 0


class Asker(Protocol):
    """A candidate, ready to be asked; `texts_a_call` is how many texts it is given at once."""

    @property
    def texts_a_call(self) -> int: ...

    def ask(self, texts: Sequence[str]) -> Answers:
        """Answer at most `texts_a_call` texts.

        Raises:
            GenerationError: the candidate cannot be asked at all.
        """
        ...


def each_alone(ask: Callable[[Sequence[str]], Sequence[Outcome]], texts: Sequence[str]) -> list[Outcome]:
    """Ask about all texts at once. Where that brings no answer, about each alone, so that only the bad ones have none;
    but not where what is wrong is none of theirs."""
    try:
        return list(ask(texts))
    except UnansweredError as error:
        if len(texts) == 1 or error.outcome.lasting:
            return [error.outcome for _ in texts]
    return [outcome for text in texts for outcome in each_alone(ask, [text])]
