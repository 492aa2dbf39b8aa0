"""A classifier at the endpoint. Two forms of request are understood, each answered in kind and in order:

    {"inputs": str | [str]}                        -> [{"label", "probability", "model_version"}, ...]
    {"inputs": [{"id": str, "text": str}, ...]}    -> [{"id", "label", "probability", "model_version"}, ...]

`probability` is that of the positive label, in [0, 1], whatever the label. There are no parameters: the threshold is
the model's own. A text may be longer than the model reads at once, up to MAX_CHARACTERS (training/text_classifier.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.errors import RequestError
from training.inference_request import checked_text, field_inputs, one_or_more, refuse_unknown
from training.summary_request import PARAMETER_NAMES
from training.text_classifier import TextClassifier

MAX_CHARACTERS = 50_000
_ITEM_FIELDS = {"id", "text"}


@dataclass(frozen=True)
class ServedClassifier:
    """A loaded classifier; `version` is what its answers are signed with."""

    classifier: TextClassifier
    version: str

    def answer(self, content: dict[str, Any]) -> Any:
        """Answer a request.

        Raises:
            RequestError: the request is refused.
        """
        inputs, parameters = field_inputs(content)
        _refuse_parameters(parameters)
        items = one_or_more("inputs", inputs)
        with_ids = isinstance(items[0], dict)
        ids = _checked_ids(items) if with_ids else []
        texts = [_checked(number, item["text"] if with_ids else item) for number, item in enumerate(items)]
        answers = self.classifier.classify(self.classifier.read(texts))
        entries = [
            {"label": answer.label, "probability": answer.probability, "model_version": self.version}
            for answer in answers
        ]
        return [{"id": one, **entry} for one, entry in zip(ids, entries, strict=True)] if with_ids else entries


def _refuse_parameters(parameters: dict[str, Any]) -> None:
    if parameters:
        # By name only those that another kind of model has: any other name may be anything.
        known = sorted(parameters.keys() & PARAMETER_NAMES)
        others = [f"{len(parameters) - len(known)} unknown"] if len(parameters) > len(known) else []
        raise RequestError(
            400, f"this model classifies texts and takes no parameters; leave out {', '.join([*known, *others])}"
        )


def _checked(number: int, text: Any) -> str:
    what = f"inputs: text {number}"
    if len(checked_text(what, text)) > MAX_CHARACTERS:
        raise RequestError(400, f"{what} is too long: {len(text)} characters, at most {MAX_CHARACTERS} are read")
    return str(text)


def _checked_ids(items: Sequence[Any]) -> list[str]:
    """The ids of items {"id", "text"}.

    Raises:
        RequestError: 400, an item has another form, or two have the same id. Ids are not quoted.
    """
    places: dict[str, int] = {}
    for number, item in enumerate(items):
        if not isinstance(item, dict) or not item.keys() >= _ITEM_FIELDS:
            raise RequestError(400, f"inputs: entry {number} must be an object with id and text, as all others")
        refuse_unknown("field", item.keys() - _ITEM_FIELDS, _ITEM_FIELDS)
        name = checked_text(f"inputs: the id of entry {number}", item["id"])
        if name in places:
            raise RequestError(400, f"inputs: entries {places[name]} and {number} have the same id")
        places[name] = number
    return list(places)
