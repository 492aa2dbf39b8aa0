"""Models of other makers (the Hugging Face hub, JumpStart, one's own bucket) as the files of a model directory."""

import shutil
from pathlib import Path

import torch

from training.model_directory import MODEL_CARD, check_model_files, unpacked_model
from training.model_loading import load_model

# What a model directory needs of theirs; code that comes with a model is never among it.
TEXT_FILES = ("*.json", "*.model", "*.txt")
SAFE_WEIGHTS, PICKLED_WEIGHTS = "*.safetensors", "pytorch_model*.bin"


def import_model(source: Path, output: Path) -> None:
    """Copy model and tokenizer to `output`, weights as safetensors. `source` is anything that `unpacked_model` takes.

    Raises:
        ModelError: `source` holds no usable sequence-to-sequence model.
    """
    with unpacked_model(source) as directory:
        for pattern in (*TEXT_FILES, SAFE_WEIGHTS):
            for path in directory.glob(pattern):
                if path.name != MODEL_CARD:
                    shutil.copyfile(path, output / path.name)
        convert_to_safetensors(directory, output)


def convert_to_safetensors(source: Path, output: Path) -> None:
    """Make safetensors of pickled weights (loaded as weights only), where there is nothing else.

    Raises:
        ModelError: `output` then is no complete model.
    """
    if not list(output.glob(SAFE_WEIGHTS)) and list(source.glob(PICKLED_WEIGHTS)):
        model, _ = load_model(source, torch.float32)
        model.save_pretrained(output)
        for path in output.glob(PICKLED_WEIGHTS):
            path.unlink()
        (output / "pytorch_model.bin.index.json").unlink(missing_ok=True)
    check_model_files(output)
