"""What a model that writes text may be asked: a request, read and checked, and the answer's form.

Two forms are understood, each answered in kind:

    {"inputs": str | [str], "parameters": {...}}         -> [{"generated_text": str}, ...]
    {"text_inputs": str | [str], "max_length": 50, ...}  -> {"generated_texts": [str, ...]}   (JumpStart's version 1)

With the parameter `explain` an answer says which training reports it rested on, most similar first: `similar` in each
entry, or, in JumpStart's form, a list for each text. true asks for their ids and similarity, "text" for their
impressions as well.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from training.errors import ArgumentError, RequestError
from training.generation import BEAMS, CONSENSUS, MBR, GenerationParameters
from training.inference_request import checked_text, field_inputs, one_or_more, refuse_unknown
from training.retrieval import Similar

# Parameters of decoding by the model alone.
OTHER_WAYS = frozenset({"num_beams", "num_return_sequences", "do_sample", "top_p"})
EXPLAIN = "explain"
PARAMETER_NAMES = frozenset({EXPLAIN, *(field.name for field in dataclasses.fields(GenerationParameters))})
# What a reader tells apart; float32 scores have seven digits.
SIMILARITY_DECIMALS = 4


class Explain(Enum):
    """What an answer says of the similar reports it rested on: nothing, ids and similarity, or impressions too."""

    NO = False
    SIMILAR = True
    TEXT = "text"


@dataclass(frozen=True)
class Request:
    """`texts` 1..256, none blank; `parameters` of decoding with known names, values not yet checked; `jumpstart` is its
    form."""

    texts: list[str]
    parameters: dict[str, Any]
    jumpstart: bool
    explain: Explain = Explain.NO

    def generation_parameters(self, defaults: GenerationParameters) -> GenerationParameters:
        """`defaults` overridden by the request. One that asks for another way of decoding does not get the rest of the
        model's own: to draw four answers says that minimum Bayes risk is not wanted.

        Raises:
            RequestError: 400, a value is out of its range.
        """
        own = defaults.method
        wanted = self.parameters.get(
            "method", None if own in (MBR, CONSENSUS) and self.parameters.keys() & OTHER_WAYS else own
        )
        try:
            if wanted != own:
                beams = defaults.num_beams if wanted == BEAMS else 1
                defaults = dataclasses.replace(defaults, method=None, temperature=1.0, num_beams=beams)
            return dataclasses.replace(defaults, **self.parameters)
        except ArgumentError as error:
            raise RequestError(400, str(error)) from error


def parse_request(content: dict[str, Any]) -> Request:
    """Read a request's JSON object.

    Raises:
        RequestError: 400, something is wrong in it; never quotes a text.
    """
    if "text_inputs" in content:
        return _parse_jumpstart(content)
    inputs, parameters = field_inputs(content)
    refuse_unknown("parameter", parameters.keys() - PARAMETER_NAMES, PARAMETER_NAMES)
    return _request(_checked_texts("inputs", inputs), parameters, jumpstart=False)


def format_answer(answers: Sequence[Sequence[str]], similar: Sequence[Sequence[Similar]], request: Request) -> Any:
    """The answer's JSON value, in the request's form.

    `answers` holds a list of texts for each input, `similar` the reports that they rested on, of which the answer says
    what the request asks for. All texts of one input say the same.
    """
    texts = [text for some in answers for text in some]
    if request.explain is Explain.NO:
        return {"generated_texts": texts} if request.jumpstart else [{"generated_text": text} for text in texts]
    reasons = [
        [_explained(report, request.explain) for report in reports]
        for some, reports in zip(answers, similar, strict=True)
        for _ in some
    ]
    if request.jumpstart:
        return {"generated_texts": texts, "similar": reasons}
    return [{"generated_text": text, "similar": some} for text, some in zip(texts, reasons, strict=True)]


def _explained(report: Similar, explain: Explain) -> dict[str, Any]:
    said = {"id": report.id, "similarity": round(report.similarity, SIMILARITY_DECIMALS)}
    return {**said, "impression": report.target} if explain is Explain.TEXT else said


def _parse_jumpstart(content: dict[str, Any]) -> Request:
    allowed = (PARAMETER_NAMES - {"max_new_tokens"}) | {"max_length"}
    parameters = {name: value for name, value in content.items() if name != "text_inputs"}
    refuse_unknown("parameter", parameters.keys() - allowed, allowed)
    if "max_length" in parameters:
        length = parameters.pop("max_length")
        if not isinstance(length, int) or isinstance(length, bool):
            raise RequestError(400, f"max_length must be int, got {type(length).__name__}")
        parameters["max_new_tokens"] = length - 1  # max_length counts the decoder's start token too
    return _request(_checked_texts("text_inputs", content["text_inputs"]), parameters, jumpstart=True)


def _request(texts: list[str], parameters: dict[str, Any], *, jumpstart: bool) -> Request:
    explain = parameters.get(EXPLAIN, False)
    if not isinstance(explain, bool) and explain != Explain.TEXT.value:
        # Not the value: it may be anything.
        raise RequestError(400, f'{EXPLAIN} must be true, false or "{Explain.TEXT.value}"')
    decoding = {name: value for name, value in parameters.items() if name != EXPLAIN}
    return Request(texts, decoding, jumpstart, Explain(explain))


def _checked_texts(name: str, value: Any) -> list[str]:
    return [checked_text(f"{name}: text {number}", text) for number, text in enumerate(one_or_more(name, value))]
