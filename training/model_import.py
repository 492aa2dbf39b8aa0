"""Models of other makers (the Hugging Face hub, JumpStart, one's own bucket) as the files of a model directory."""

import shutil
from pathlib import Path
from typing import Any

import torch

from training.labels import Labels
from training.model_directory import MODEL_CARD, check_model_files, unpacked_model
from training.model_loading import load_model
from training.text_classifier import load_encoder

# What a model directory needs of theirs; code that comes with a model is never among it.
TEXT_FILES = ("*.json", "*.model", "*.txt")
SAFE_WEIGHTS, PICKLED_WEIGHTS = "*.safetensors", "pytorch_model*.bin"


def import_model(source: Path, output: Path, labels: Labels | None = None) -> None:
    """Copy model and tokenizer to `output`, weights as safetensors. `source` is anything that `unpacked_model` takes.
    With `labels` the model is an encoder to tell these apart, otherwise it writes text.

    Raises:
        ModelError: `source` holds no usable model of that kind.
    """
    with unpacked_model(source) as directory:
        for pattern in (*TEXT_FILES, SAFE_WEIGHTS):
            for path in directory.glob(pattern):
                if path.name != MODEL_CARD:
                    shutil.copyfile(path, output / path.name)
        convert_to_safetensors(directory, output, labels)


def convert_to_safetensors(source: Path, output: Path, labels: Labels | None = None) -> None:
    """Make safetensors of pickled weights (loaded as weights only), where there is nothing else.

    Raises:
        ModelError: `output` then is no complete model.
    """
    if not list(output.glob(SAFE_WEIGHTS)) and list(source.glob(PICKLED_WEIGHTS)):
        model, weights = _loaded(source, labels)
        model.save_pretrained(output, state_dict=weights)
        for path in output.glob(PICKLED_WEIGHTS):
            path.unlink()
        (output / "pytorch_model.bin.index.json").unlink(missing_ok=True)
    check_model_files(output, classifier=labels is not None)


def _loaded(source: Path, labels: Labels | None) -> tuple[Any, dict[str, torch.Tensor] | None]:
    """A model, and which of its weights are to be saved; None for all of them."""
    if labels is None:
        return load_model(source, torch.float32)[0], None
    model, _, untrained = load_encoder(source, torch.float32, labels)
    # A head that was made for these labels just now holds random numbers: saved, it would pass for a trained one.
    return model, {name: weight for name, weight in model.state_dict().items() if name not in untrained}
