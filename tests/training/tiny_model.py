"""Invented report pairs, and a T5 of two layers and width 32 that can be loaded, trained and served in seconds."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, T5Config, T5ForConditionalGeneration

from training.generation import GenerationParameters
from training.model_directory import ModelCard, finish_model_directory
from training.stand_in import train_tokenizer

FINDINGS = ("effusion", "nodule", "fracture", "clear lung", "calcification", "hernia", "cardiomegaly")
SIDES = ("left", "right")


def invented_pairs(count: int, start: int = 0) -> list[dict[str, object]]:
    """Records as Prepare writes them, of varying length, in which the input decides the target."""
    records: list[dict[str, object]] = []
    for number in range(start, start + count):
        finding, side = FINDINGS[number % len(FINDINGS)], SIDES[number // len(FINDINGS) % 2]
        filler = "The bones are unremarkable. " * (number % 4)
        records.append(
            {
                "id": f"{number:016x}",
                "input": f"{filler}There is a {finding} on the {side}, seen in view {number}.",
                "target": f"Known {finding} on the {side}." + " No change." * (number % 3),
                "patient": None,
                "normal": None,
            }
        )
    return records


def write_part(folder: Path, records: list[dict[str, object]], number: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"part-{number:05d}.jsonl"
    part.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return part


def write_splits(folder: Path, train: int = 48, validation: int = 12) -> Path:
    """`train/` and `validation/` as Prepare writes them."""
    write_part(folder / "train", invented_pairs(train))
    write_part(folder / "validation", invented_pairs(validation, start=1000))
    return folder


def tiny_tokenizer() -> Any:
    texts = [str(record[name]) for record in invented_pairs(60) for name in ("input", "target")]
    return train_tokenizer(texts, vocabulary=500)


def build_tiny_model(
    directory: Path, *, steps: int = 0, max_input_tokens: int = 128, prompt_template: str = "{input}"
) -> Path:
    """A complete model directory without dropout; greedy decoding of at most 16 tokens.

    The weights are random, which answers every text alike; after some 60 `steps` answers differ.
    """
    tokenizer = tiny_tokenizer()
    model = _tiny_t5(tokenizer)
    _train(model, tokenizer, steps)
    model.config.dropout_rate = 0.0  # takes effect when the directory is loaded
    model.generation_config = GenerationParameters(max_new_tokens=16).generation_config(model.generation_config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    card = ModelCard(
        source="stand_in",
        description="tiny random T5 for tests",
        stand_in=True,
        prompt_template=prompt_template,
        max_input_tokens=max_input_tokens,
    )
    finish_model_directory(directory, card)
    return directory


def _tiny_t5(tokenizer: Any) -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_heads=2,
        num_layers=2,
        num_decoder_layers=2,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    model = T5ForConditionalGeneration(config)
    model.generation_config = GenerationConfig.from_model_config(config)
    return model


def _train(model: Any, tokenizer: Any, steps: int) -> None:
    records = invented_pairs(28)
    inputs = tokenizer([str(record["input"]) for record in records], padding=True, return_tensors="pt")
    labels = tokenizer([str(record["target"]) for record in records], padding=True, return_tensors="pt")["input_ids"]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    model.eval()
    for _ in range(steps):
        loss = model(**inputs, labels=labels.masked_fill(labels == tokenizer.pad_token_id, -100)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def training_folders(folder: Path, model: Path) -> dict[str, Any]:
    """The arguments that every script which fine-tunes has in common, for the splits in `folder`."""
    return {
        "train": folder / "train",
        "validation": folder / "validation",
        "model": model,
        "model_dir": folder / "model",
        "output_data_dir": folder / "data",
        "checkpoints": folder / "checkpoints",
        "processes": 1,
    }
