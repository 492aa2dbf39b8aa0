"""Asking a classifier: used by evaluation and by the endpoint alike, with what the model itself was trained with.

Tokenizer, longest input, labels and threshold all come from the model directory, so a score in a report is a score of
what the endpoint answers. A text that is longer than the model reads is read in windows (training/text_windows.py), and
its probability is the largest of theirs: one passage that reports an event makes a text that reports one. Training
reads the first window only; the threshold is chosen by whole texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification

import training.mean_pooled  # noqa: F401  # registers itself, so that the class above loads it too
from training.errors import ModelError
from training.labels import POSITIVE, Decision, Labels
from training.model_directory import ModelCard, read_model_card
from training.model_loading import FILES_ALONE, check_position_limit, load_files
from training.statistics import FloatArray
from training.text_windows import Reading, TextWindows

# Parameters outside of the encoder proper, which a pre-trained encoder need not have: they begin untrained.
_HEAD = ("classifier.", "pre_classifier.", "score.", "pooler.", "sequence_summary.")


@dataclass(frozen=True, slots=True)
class Classified:
    """The label of a text, and the probability of the positive one in [0, 1]."""

    label: str
    probability: float


class TextClassifier:
    """A loaded classifier with its tokenizer and card, which holds labels and threshold."""

    def __init__(self, model: Any, tokenizer: Any, card: ModelCard) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.card = card
        self.decision = _decision(card)
        self._windows = TextWindows(tokenizer, card.max_input_tokens)

    @classmethod
    def load(cls, directory: Path, device: str | None = None) -> "TextClassifier":
        """Load a model directory onto `device` (default: the first GPU, or the CPU).

        Raises:
            ModelError: the directory is incomplete, its files do not fit together, or it holds no trained classifier.
        """
        card = read_model_card(directory)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        # In fp32 on a GPU too: an encoder is small, and a threshold tells apart what bf16 makes equal.
        model, tokenizer, untrained = load_encoder(directory, torch.float32, _decision(card).labels)
        if untrained:
            raise ModelError(f"this is an encoder that was not trained to classify: it lacks {', '.join(untrained)}")
        check_length(model, tokenizer, card.max_input_tokens)
        return cls(model.to(device).eval(), tokenizer, card)

    @property
    def max_input_tokens(self) -> int:
        """How much of a text is read at once."""
        return self.card.max_input_tokens

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as token ids, in their order, whole."""
        return self._windows.read(texts)

    def probabilities(self, readings: Sequence[Reading], batch_size: int = 32) -> FloatArray:
        """Probability of the positive label of each text (texts,), in their order. `batch_size` counts windows.

        Raises:
            ModelError: the model answers with something that is no number.
        """
        found = np.zeros(len(readings))
        with torch.inference_mode():
            for batch in self._windows.batches(readings, batch_size, self.model.device):
                told = positive_probabilities(self.model(**batch.inputs).logits)
                if not np.isfinite(told).all():
                    raise ModelError(
                        "the model's answer is not a number: its weights are damaged or its training diverged"
                    )
                np.maximum.at(found, batch.texts, told)
        return found

    def classify(self, readings: Sequence[Reading], batch_size: int = 32) -> list[Classified]:
        """Label and probability of each text, in their order."""
        probabilities = self.probabilities(readings, batch_size).tolist()
        return [Classified(self.decision.label(probability), probability) for probability in probabilities]


def _decision(card: ModelCard) -> Decision:
    if card.decision is None:
        raise ModelError("this model writes text: its model card names no labels to decide between")
    return card.decision


def positive_probabilities(logits: torch.Tensor) -> FloatArray:
    """Of logits (texts, 2), in fp64: in fp32 all texts that the model is very sure of would be equal."""
    probabilities: FloatArray = torch.softmax(logits.double(), dim=1)[:, POSITIVE].cpu().numpy()
    return probabilities


def load_encoder(directory: Path, dtype: torch.dtype, labels: Labels) -> tuple[Any, Any, list[str]]:
    """Load an encoder to tell two labels apart, its tokenizer, and the names of the parameters that begin untrained.

    Any head that it has for something else is left behind. Where its own head is missing, the new one depends on the
    seed of torch.

    Raises:
        ModelError: the files cannot be loaded, or parameters of the encoder itself are missing.
    """
    names = dict(enumerate(labels.names))
    info: dict[str, Any] = {}

    def load() -> Any:
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            directory,
            dtype=dtype,
            num_labels=2,
            id2label=names,
            label2id={name: number for number, name in names.items()},
            ignore_mismatched_sizes=True,  # a head for other labels; what else does not fit is refused below
            output_loading_info=True,
            **FILES_ALONE,
        )
        info.update(loading)
        return model

    model, tokenizer = load_files(directory, load)
    mismatched = [name if isinstance(name, str) else name[0] for name in info["mismatched_keys"]]
    untrained = sorted({*info["missing_keys"], *mismatched})
    inside = [name for name in untrained if not name.removeprefix(f"{model.base_model_prefix}.").startswith(_HEAD)]
    if inside:
        raise ModelError(f"the encoder's own weights are missing or of other sizes: {', '.join(inside[:3])} ...")
    if tokenizer.pad_token_id is None:
        raise ModelError("the tokenizer has no padding token: an encoder (BERT and its kin) is needed")
    return model, tokenizer, untrained


def check_length(model: Any, tokenizer: Any, max_input_tokens: int) -> None:
    """Refuse to read longer texts than the encoder was made for.

    Raises:
        ModelError: `max_input_tokens` is beyond the model's limit, or beyond the tokenizer's, which is the smaller one
            for RoBERTa and its kin: some of their positions are never used.
    """
    check_position_limit(model.config, max_input_tokens)
    if max_input_tokens > tokenizer.model_max_length:
        raise ModelError(
            f"max_input_tokens must be <= {tokenizer.model_max_length} for this model, got {max_input_tokens}"
        )
