"""Another model that this project fine-tuned, as a candidate: asked as its own model card says, long texts too."""

import dataclasses
from collections.abc import Sequence

from transformers.utils import logging as transformers_logging

from training.candidates.arguments import CandidateArguments
from training.candidates.outcomes import Answers, Outcome, Unanswered
from training.generation import TextGenerator
from training.model_directory import unpacked_model
from training.summariser import Summariser

TEXTS_A_CALL = 32


class FineTunedCandidate:
    """`max_new_tokens` None means the model's own."""

    def __init__(self, generator: TextGenerator, max_new_tokens: int | None, texts_a_call: int | None) -> None:
        """Raises ArgumentError: the model cannot be asked in this way."""
        self.texts_a_call = texts_a_call or TEXTS_A_CALL
        own = generator.defaults
        parameters = own if max_new_tokens is None else dataclasses.replace(own, max_new_tokens=max_new_tokens)
        self._summariser = Summariser(generator, parameters, self.texts_a_call)

    def ask(self, texts: Sequence[str]) -> Answers:
        readings = self._summariser.read(texts)
        limit = self._summariser.limit
        outcomes: list[Outcome] = [
            Unanswered(f"the prompt is {reading.tokens} tokens long, and the model reads {limit}")
            if reading.refused
            else summary.answers[0]
            for reading, summary in zip(readings, self._summariser.answer(readings), strict=True)
        ]
        return Answers(outcomes)


def load_fine_tuned(arguments: CandidateArguments) -> FineTunedCandidate:
    """Load a model directory or an archive of one.

    Raises:
        ModelError: it cannot be loaded.
        ArgumentError: it cannot be asked in this way.
    """
    assert arguments.model is not None
    transformers_logging.disable_progress_bar()
    with unpacked_model(arguments.model) as directory:
        generator = TextGenerator.load(directory)
    return FineTunedCandidate(generator, arguments.max_new_tokens, arguments.batch_size)
