"""A tiny model directory of the copying model, and the reports among which it finds similar ones."""

from pathlib import Path
from typing import Any

from tests.training.tiny_model import invented_pairs
from training.model_directory import ModelCard, finish_model_directory
from training.retrieval import SimilarReports
from training.splits import read_split
from training.stand_in import CopyingSize, Denoising, build_model, train_to_denoise, train_tokenizer

SIMILAR_PROMPT = "{input}{similar}"


def build_tiny_copying_model(directory: Path, steps: int = 0, **card: Any) -> Path:
    """After some `steps` of denoising different texts get different answers."""
    texts = [str(record[name]) for record in invented_pairs(60) for name in ("input", "target")]
    tokenizer = train_tokenizer(texts, vocabulary=500)
    model = build_model(tokenizer, CopyingSize(vocabulary=500, width=32, hidden=64, dropout=0.1), seed=1)
    for _ in train_to_denoise(model, tokenizer, texts, Denoising(steps=steps, learning_rate=1e-2)):
        pass
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    given = {"source": "stand_in", "description": "tiny copying model for tests", "stand_in": True}
    finish_model_directory(
        directory, ModelCard(**(given | {"prompt_template": SIMILAR_PROMPT, "max_input_tokens": 128} | card))
    )
    return directory


def write_similar(folder: Path, split: Path) -> Path:
    SimilarReports.build(read_split(split)).save(folder)
    return folder
