"""Invented labelled texts, and a BERT of two layers and width 32 that is fine-tuned and served in seconds."""

import contextlib
import io
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

from tests.training.tiny_model import training_folders, write_part
from training.fine_tune_classifier import Arguments, main
from training.labels import Decision
from training.model_directory import ModelCard, finish_model_directory

DRUGS = ("mirzapine", "tolvex", "aldoran", "cefimol")
EVENTS = ("a rash", "severe nausea 🤢", "liver failure", "сыпь", "dizziness")
NOTHING = ("no complaints", "good control of pain", "a stable course 🙂", "a normal scan")
POSITIVE, NEGATIVE = "AE", "none"


def labelled_texts(count: int, start: int = 0) -> list[dict[str, object]]:
    """Records as Prepare writes them, a third of them positive, of varying length; the words decide the label."""
    records: list[dict[str, object]] = []
    for number in range(start, start + count):
        positive = number % 3 == 0
        outcome = EVENTS[number // 3 % len(EVENTS)] if positive else NOTHING[number % len(NOTHING)]
        drug = DRUGS[number // 2 % len(DRUGS)]
        filler = "He was seen in the clinic. " * (number % 4)
        records.append(
            {
                "id": f"{number:016x}",
                "input": f"{filler}After {number} doses of {drug} the patient had {outcome}.",
                "target": POSITIVE if positive else NEGATIVE,
                "patient": f"article {number // 2}",
                "normal": None,
            }
        )
    return records


def write_labelled_splits(folder: Path, train: int = 48, validation: int = 24) -> Path:
    """`train/` and `validation/` as Prepare writes them."""
    write_part(folder / "train", labelled_texts(train))
    write_part(folder / "validation", labelled_texts(validation, start=3000))
    return folder


def build_tiny_encoder(directory: Path, *, max_input_tokens: int = 64) -> Path:
    """A model directory of a random BERT with a head for masked words, as pre-trained encoders are published."""
    directory.mkdir(parents=True)
    words = {word for record in labelled_texts(120) for word in str(record["input"]).lower().replace(".", " .").split()}
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    pieces = [*special, *sorted(words), *"0123456789", *(f"##{digit}" for digit in range(10))]
    (directory / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(directory / "vocab.txt"), strip_accents=False)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        hidden_dropout_prob=0.0,  # so small a network learns little with it
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
    )
    BertForMaskedLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    card = ModelCard(
        source="stand_in",
        description="tiny random BERT for tests",
        stand_in=True,
        prompt_template="{input}",
        max_input_tokens=max_input_tokens,
        decision=Decision(positive=POSITIVE, negative=NEGATIVE),
    )
    finish_model_directory(directory, card)
    return directory


def fine_tune_tiny_encoder(folder: Path, model: Path, **more: Any) -> str:
    """Run FineTune on the splits in `folder`; returns what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(classifier_arguments(folder, model, **more))
    return printed.getvalue()


def classifier_arguments(folder: Path, model: Path, **more: Any) -> Arguments:
    given: dict[str, Any] = {
        **training_folders(folder, model),
        "positive_label": POSITIVE,
        "negative_label": NEGATIVE,
        "max_seq_length": 48,
        "learning_rate": 3e-3,
        "train_batch_size": 8,
        "epochs": 6.0,
    }
    return Arguments(**(given | more))
