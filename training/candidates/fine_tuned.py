"""Another model that this project fine-tuned, as a candidate: asked as its own model card says."""

import dataclasses
from collections.abc import Sequence

from transformers.utils import logging as transformers_logging

from training.candidates.arguments import CandidateArguments
from training.candidates.outcomes import Answers, Outcome, Unanswered
from training.generation import GenerationParameters, TextGenerator
from training.model_directory import unpacked_model

TEXTS_A_CALL = 32


class FineTunedCandidate:
    """`max_new_tokens` None means the model's own."""

    def __init__(self, generator: TextGenerator, max_new_tokens: int | None, texts_a_call: int | None) -> None:
        self.texts_a_call = texts_a_call or TEXTS_A_CALL
        self._generator = generator
        own = generator.defaults
        self._parameters: GenerationParameters = (
            own if max_new_tokens is None else dataclasses.replace(own, max_new_tokens=max_new_tokens)
        )

    def ask(self, texts: Sequence[str]) -> Answers:
        limit = self._generator.card.max_input_tokens
        questions = self._generator.questions(texts)
        fitting = [question for question in questions if question.tokens <= limit]
        written = iter(self._generator.generate(fitting, self._parameters, self.texts_a_call))
        outcomes: list[Outcome] = [
            next(written)[0]
            if question.tokens <= limit
            else Unanswered(f"the prompt is {question.tokens} tokens long, and the model reads {limit}")
            for question in questions
        ]
        return Answers(outcomes)


def load_fine_tuned(arguments: CandidateArguments) -> FineTunedCandidate:
    """Load a model directory or an archive of one.

    Raises:
        ModelError: it cannot be loaded.
    """
    assert arguments.model is not None
    transformers_logging.disable_progress_bar()
    with unpacked_model(arguments.model) as directory:
        generator = TextGenerator.load(directory)
    return FineTunedCandidate(generator, arguments.max_new_tokens, arguments.batch_size)
