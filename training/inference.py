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
from typing import Any, Protocol

import torch

from training.errors import RequestError
from training.generation import TextGenerator
from training.inference_request import JSON, media_type, parse_body
from training.model_directory import read_model_card
from training.served_classifier import ServedClassifier
from training.served_summariser import ServedSummariser
from training.text_classifier import TextClassifier

# Environment variable: "true" permits answers to hold impressions of training reports. Whoever deploys the endpoint
# decides it (`serving.similar_text` of the task file), not whoever trained the model.
SIMILAR_TEXT = "SIMILAR_TEXT"
# Environment variable: what a classifier signs its answers with, the version of its model package. Without it, the
# answers bear the beginning of the checksum of its weights.
MODEL_VERSION = "MODEL_VERSION"
CHECKSUM_DIGITS = 12


class ServedModel(Protocol):
    """A loaded model of any kind."""

    def answer(self, content: dict[str, Any]) -> Any:
        """The JSON value of the answer to a request's JSON object.

        Raises:
            RequestError: the request is refused.
        """


@dataclass(frozen=True)
class Refusal:
    """A request that gets no answer: an HTTP status in 400..499 and the reason."""

    status: int
    reason: str


@dataclass(frozen=True)
class Answer:
    """The JSON value of an answer."""

    value: Any


def model_fn(model_dir: str, context: Any = None) -> ServedModel:
    """Load the model directory, whose card says of which kind it is, onto the GPU that the server gave, if any."""
    gpu = context.system_properties.get("gpu_id") if context is not None else None
    device = f"cuda:{gpu or 0}" if torch.cuda.is_available() else "cpu"
    directory = Path(model_dir)
    card = read_model_card(directory)
    if card.decision is None:
        return ServedSummariser(TextGenerator.load(directory, device), os.environ.get(SIMILAR_TEXT) == "true")
    version = os.environ.get(MODEL_VERSION) or card.weights_sha256[:CHECKSUM_DIGITS]
    return ServedClassifier(TextClassifier.load(directory, device), version)


def input_fn(body: str | bytes | None, content_type: str | None, context: Any = None) -> dict[str, Any] | Refusal:  # noqa: ARG001  # theirs
    """Read the JSON object of a request."""
    try:
        return parse_body(body, content_type)
    except RequestError as error:
        return Refusal(error.status, error.reason)


def predict_fn(request: dict[str, Any] | Refusal, model: ServedModel, context: Any = None) -> Answer | Refusal:  # noqa: ARG001  # theirs
    """Answer a request."""
    if isinstance(request, Refusal):
        return request
    try:
        return Answer(model.answer(request))
    except RequestError as error:
        return Refusal(error.status, error.reason)


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
