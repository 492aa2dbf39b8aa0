"""A candidate of one's own: the first sentences of a note are its summary.

The least that a handler can be, and a summary that a model must beat. A handler is asked as the Hugging Face inference
toolkit asks one: `model_fn` once, then `predict_fn` for each batch.
"""

import re
from typing import Any

SENTENCES = 2
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])|\n\s*\n")


def model_fn(_model_dir: str) -> int:
    """How many sentences a summary has."""
    return SENTENCES


def predict_fn(data: dict[str, Any], model: int) -> list[dict[str, str]]:
    """`data` is {"inputs": [str, ...]}; the answers come in the same order."""
    return [{"generated_text": lead(text, model)} for text in data["inputs"]]


def lead(text: str, sentences: int) -> str:
    """The first sentences of a text, on one line; those of headings and empty lines count too."""
    found = [sentence for part in _BETWEEN_SENTENCES.split(text.strip()) if (sentence := " ".join(part.split()))]
    return " ".join(found[:sentences])
