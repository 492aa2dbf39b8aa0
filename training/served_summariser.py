"""A model that writes text, at the endpoint."""

from dataclasses import dataclass
from typing import Any

from training.errors import ArgumentError, RequestError
from training.generation import SPLIT, GenerationParameters, TextGenerator
from training.summariser import Reading, Summariser
from training.summary_request import Explain, format_answer, parse_request


@dataclass(frozen=True)
class ServedSummariser:
    """A loaded model, and whether its answers may hold what was written of training reports."""

    generator: TextGenerator
    similar_text: bool

    def answer(self, content: dict[str, Any]) -> Any:
        """Answer a request. A text longer than the model reads is split, or refused with its length.

        Raises:
            RequestError: the request is refused.
        """
        request = parse_request(content)
        generator = self.generator
        parameters = request.generation_parameters(generator.defaults)
        self._check_explain(request.explain)
        summariser = self._summariser(parameters)
        readings = summariser.read(request.texts)
        _check_lengths(readings, summariser.limit)
        summaries = summariser.answer(readings)
        return format_answer([one.answers for one in summaries], [one.similar for one in summaries], request)

    def _summariser(self, parameters: GenerationParameters) -> Summariser:
        sequences = max(parameters.num_beams, parameters.num_return_sequences)
        try:
            return Summariser(self.generator, parameters, max(1, self.generator.sequences_a_call // sequences))
        except ArgumentError as error:
            raise RequestError(400, str(error)) from error

    def _check_explain(self, explain: Explain) -> None:
        """Raises RequestError: the model has no similar reports to name, or may not show their text."""
        if explain is Explain.NO:
            return
        if self.generator.similar is None:
            raise RequestError(
                400,
                "explain: this model answers without similar reports; leave the parameter out (a task has them with "
                "retrieval: true)",
            )
        if explain is Explain.TEXT and not self.similar_text:
            raise RequestError(
                403,
                "explain: this endpoint may not show the text of training reports; ask with true for ids and "
                "similarity, or deploy the task with serving.similar_text: true",
            )


def _check_lengths(readings: list[Reading], limit: int) -> None:
    """Raises RequestError: a text is refused for its length."""
    for number, reading in enumerate(readings):
        if reading.refused:
            raise RequestError(
                400,
                f"text {number} is too long: {reading.tokens} tokens with the prompt, this model reads {limit}; with "
                f"long_inputs {SPLIT} it is summarised in pieces",
            )
