"""A model that writes text, at the endpoint."""

from dataclasses import dataclass
from typing import Any

from training.errors import RequestError
from training.generation import CONSENSUS, Question, TextGenerator
from training.summary_request import Explain, format_answer, parse_request


@dataclass(frozen=True)
class ServedSummariser:
    """A loaded model, and whether its answers may hold what was written of training reports."""

    generator: TextGenerator
    similar_text: bool

    def answer(self, content: dict[str, Any]) -> Any:
        """Answer a request. A text longer than the model was trained to read is refused: what is cut off is not read.

        Raises:
            RequestError: the request is refused.
        """
        request = parse_request(content)
        generator = self.generator
        parameters = request.generation_parameters(generator.defaults)
        self._check_explain(request.explain)
        if parameters.method == CONSENSUS and generator.similar is None:
            raise RequestError(400, f"method {CONSENSUS}: this model has no similar reports that could agree")
        questions = generator.questions(request.texts)
        self._check_lengths(questions)
        sequences = max(parameters.num_beams, parameters.num_return_sequences)
        answers = generator.generate(questions, parameters, batch_size=max(1, generator.sequences_a_call // sequences))
        return format_answer(answers, [question.similar for question in questions], request)

    def _check_lengths(self, questions: list[Question]) -> None:
        limit = self.generator.card.max_input_tokens
        for number, question in enumerate(questions):
            if question.tokens > limit:
                raise RequestError(
                    400,
                    f"text {number} is too long: {question.tokens} tokens with the prompt, this model reads {limit}",
                )

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
