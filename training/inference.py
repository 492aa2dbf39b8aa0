"""The endpoint: handler functions for the Hugging Face inference toolkit, and for local/model_server.py alike.

The toolkit turns every exception of a handler into status 400 and the exception's text. So nothing is refused by an
exception here: a refusal is passed from handler to handler as a value, and `output_fn` sets its status on the context
(multi-model-server's `mms.context.Context`) and gives the reason as the body.

Travels with each model as `code/inference.py`, with the modules it imports beside it in `code/training/`.
"""

import json
import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import torch

from training.errors import RequestError
from training.generation import CONSENSUS, TextGenerator
from training.inference_request import JSON, Explain, Request, format_answer, media_type, parse_request

# Environment variable: "true" permits answers to hold impressions of training reports. Whoever deploys the endpoint
# decides it (`serving.similar_text` of the task file), not whoever trained the model.
SIMILAR_TEXT = "SIMILAR_TEXT"


@dataclass(frozen=True)
class Refusal:
    """A request that gets no answer: an HTTP status in 400..499 and the reason."""

    status: int
    reason: str


@dataclass(frozen=True)
class Answer:
    """The JSON value of an answer."""

    value: Any


@dataclass(frozen=True)
class ServedModel:
    """A loaded model, and whether its answers may hold what was written of training reports."""

    generator: TextGenerator
    similar_text: bool


def model_fn(model_dir: str, context: Any = None) -> ServedModel:
    """Load the model directory, onto the GPU that the server gave this worker, if any."""
    gpu = context.system_properties.get("gpu_id") if context is not None else None
    device = f"cuda:{gpu or 0}" if torch.cuda.is_available() else "cpu"
    return ServedModel(TextGenerator.load(Path(model_dir), device), os.environ.get(SIMILAR_TEXT) == "true")


def input_fn(body: str | bytes | None, content_type: str | None, context: Any = None) -> Request | Refusal:  # noqa: ARG001  # theirs
    """Read a request."""
    try:
        return parse_request(body, content_type)
    except RequestError as error:
        return Refusal(error.status, error.reason)


def predict_fn(request: Request | Refusal, model: ServedModel, context: Any = None) -> Answer | Refusal:  # noqa: ARG001  # theirs
    """Answer a request. A text longer than the model was trained to read is refused: what is cut off is not read."""
    if isinstance(request, Refusal):
        return request
    generator = model.generator
    try:
        parameters = request.generation_parameters(generator.defaults)
        _check_explain(request.explain, model)
        if parameters.method == CONSENSUS and generator.similar is None:
            raise RequestError(400, f"method {CONSENSUS}: this model has no similar reports that could agree")
    except RequestError as error:
        return Refusal(error.status, error.reason)
    questions = generator.questions(request.texts)
    for number, question in enumerate(questions):
        if question.tokens > generator.card.max_input_tokens:
            return Refusal(
                400,
                f"text {number} is too long: {question.tokens} tokens with the prompt, "
                f"this model reads {generator.card.max_input_tokens}",
            )
    sequences = max(parameters.num_beams, parameters.num_return_sequences)
    answers = generator.generate(questions, parameters, batch_size=max(1, generator.sequences_a_call // sequences))
    return Answer(format_answer(answers, [question.similar for question in questions], request))


def _check_explain(explain: Explain, model: ServedModel) -> None:
    """Raises RequestError: the model has no similar reports to name, or may not show their text."""
    if explain is Explain.NO:
        return
    if model.generator.similar is None:
        raise RequestError(
            400,
            "explain: this model answers without similar reports; leave the parameter out (a task has them with "
            "retrieval: true)",
        )
    if explain is Explain.TEXT and not model.similar_text:
        raise RequestError(
            403,
            "explain: this endpoint may not show the text of training reports; ask with true for ids and "
            "similarity, or deploy the task with serving.similar_text: true",
        )


def output_fn(answer: Answer | Refusal, accept: str | None, context: Any = None) -> str:
    """The body, always JSON; a refusal also sets the response's status on `context`."""
    accepted = {media_type(part) for part in (accept or "*/*").split(",")}
    if isinstance(answer, Answer) and not accepted & {JSON, "application/*", "*/*"}:
        answer = Refusal(406, f"answers are {JSON}, which the request does not accept")
    if isinstance(answer, Answer):
        return json.dumps(answer.value, ensure_ascii=False)
    if context is not None:
        # Not the reason as the phrase: multi-model-server counts its characters and sends its bytes.
        context.set_response_status(code=answer.status, phrase=HTTPStatus(answer.status).phrase, idx=0)
    return json.dumps({"error": answer.reason})
