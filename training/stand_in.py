"""A small copying model that stands in for a pre-trained one where none can be downloaded.

It has seen nothing but this task's training texts: its tokenizer is learnt from them, and its weights by restoring
texts from which spans were cut out. It never sees which input belongs to which target, nor which reports are similar,
so it knows as little of the task as a real pre-trained model does, and far less of the language.

The objective is BART's text infilling (Lewis et al. 2020: the whole text is the target), not T5's span corruption (only
the spans are): a model that can write a whole text answers with one, not with fragments. What stands in the corrupted
text it learns to copy, what was cut out it must write.
"""

import math
import string
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast

from training.copying_model import CopyingConfig, CopyingForConditionalGeneration
from training.errors import ModelError

PAD, END, UNKNOWN, MASK, SEPARATOR = "<pad>", "</s>", "<unk>", "<mask>", "<sep>"
# Stands in front of a word whose first letter is a capital and is written small behind it. Of Unicode's private use
# area: a text that holds it all the same loses it.
CAPITAL = "\ue000"


@dataclass(frozen=True, kw_only=True)
class CopyingSize:
    """Size of a copying model."""

    vocabulary: int = 2048
    width: int = 128
    hidden: int = 256
    encoder_layers: int = 1
    dropout: float = 0.3
    agreement: bool = True


@dataclass(frozen=True, kw_only=True)
class Denoising:
    """How the stand-in is trained: `steps` optimiser steps, or fewer if `seconds` end first (0: no limit; with one, the
    learning rate falls with the time, so the same seed gives another model each time). Spans of 3 tokens on average
    are cut out of a text, 30 % of it in all, each replaced by one mask token."""

    steps: int
    seconds: float = 0.0
    batch_size: int = 16
    max_tokens: int = 128
    learning_rate: float = 3e-3
    warmup_steps: int = 40
    noise_density: float = 0.3
    mean_span: float = 3.0
    seed: int = 1


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learn a byte-level BPE of at most `vocabulary` pieces.

    Byte level, so that no character of a later text is unknown. A capital at a word's beginning is a piece of its own
    in front of the word, so a word is learnt once, wherever in a sentence it stands; other capitals stay as they are.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Prepend(" "),
            *(
                normalizers.Replace(Regex(f" {letter}(?![A-Z])"), f"{CAPITAL} {letter.lower()}")
                for letter in string.ascii_uppercase
            ),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.ByteLevel(),
            *(decoders.Replace(f"{CAPITAL} {letter.lower()}", f" {letter}") for letter in string.ascii_uppercase),
            # A model may write one where no word begins, as at the end of an answer that was cut off.
            decoders.Replace(CAPITAL, ""),
        ]
    )
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[PAD, END, UNKNOWN, MASK, SEPARATOR],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    end_id = tokenizer.token_to_id(END)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", pair=f"$A {END} $B {END}", special_tokens=[(END, end_id)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        mask_token=MASK,
        sep_token=SEPARATOR,
        clean_up_tokenization_spaces=False,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, size: CopyingSize, seed: int) -> CopyingForConditionalGeneration:
    """A copying model with random weights."""
    torch.manual_seed(seed)
    config = CopyingConfig(
        vocab_size=len(tokenizer),
        width=size.width,
        hidden=size.hidden,
        encoder_layers=size.encoder_layers,
        dropout=size.dropout,
        agreement=size.agreement,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        separator_token_id=tokenizer.sep_token_id,
    )
    model = CopyingForConditionalGeneration(config)
    model.generation_config = GenerationConfig.from_model_config(config)
    return model


def mask_spans(tokens: Sequence[int], mask: int, denoising: Denoising, random: np.random.Generator) -> list[int]:
    """`tokens` with random spans replaced by one `mask` each. A text of fewer than 2 tokens cannot be cut."""
    noise = min(max(round(len(tokens) * denoising.noise_density), 1), len(tokens) - 1)
    spans = min(max(round(noise / denoising.mean_span), 1), noise, len(tokens) - noise)
    masked: list[int] = []
    position = 0
    kept_lengths = _random_parts(len(tokens) - noise, spans, random)
    for kept, cut in zip(kept_lengths, _random_parts(noise, spans, random), strict=True):
        masked += [*tokens[position : position + kept], mask]
        position += kept + cut
    return masked


def train_to_denoise(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    denoising: Denoising,
) -> Iterator[tuple[int, float, float]]:
    """Train an encoder-decoder `model` in place; yields (step, loss in nats, seconds) after each step.

    Raises:
        ModelError: no text is long enough to cut a span out of it.
    """
    encoded = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    sequences = [ids[: denoising.max_tokens] for ids in encoded if len(ids) >= 2]
    if not sequences:
        raise ModelError("the training split holds no text of two tokens or more to build a stand-in from")
    random = np.random.default_rng(denoising.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=denoising.learning_rate, weight_decay=0.01)
    model.train()
    began = time.monotonic()
    for step, batch in enumerate(_batches(sequences, denoising, random), start=1):
        seconds = time.monotonic() - began
        time_share = seconds / denoising.seconds if denoising.seconds else 0.0
        progress = max((step - 1) / denoising.steps, time_share)
        if progress >= 1:
            return
        for group in optimizer.param_groups:
            group["lr"] = denoising.learning_rate * min(1.0, step / denoising.warmup_steps) * (1 - progress)
        loss = model(**_corrupted_batch(batch, tokenizer, denoising, random)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        yield step, loss.item(), time.monotonic() - began


def _batches(
    sequences: list[list[int]], denoising: Denoising, random: np.random.Generator
) -> Iterator[list[list[int]]]:
    """Endless batches of texts of similar length, in random order."""
    order = np.argsort([len(ids) for ids in sequences], kind="stable")
    count = math.ceil(len(order) / denoising.batch_size)
    while True:
        for number in random.permutation(count):
            start = number * denoising.batch_size
            yield [sequences[index] for index in order[start : start + denoising.batch_size]]


def _corrupted_batch(
    batch: list[list[int]], tokenizer: PreTrainedTokenizerFast, denoising: Denoising, random: np.random.Generator
) -> dict[str, Any]:
    """(batch, longest source) token ids and mask, (batch, longest text) labels with -100 in place of padding."""
    end = tokenizer.eos_token_id
    masked = [[*mask_spans(ids, tokenizer.mask_token_id, denoising, random), end] for ids in batch]
    sources = tokenizer.pad({"input_ids": masked}, return_tensors="pt")
    targets = tokenizer.pad({"input_ids": [[*ids, end] for ids in batch]}, return_tensors="pt")
    labels = targets["input_ids"].masked_fill(targets["attention_mask"] == 0, -100)
    return {"input_ids": sources["input_ids"], "attention_mask": sources["attention_mask"], "labels": labels}


def _random_parts(total: int, parts: int, random: np.random.Generator) -> list[int]:
    """`parts` positive integers that add up to `total`, each split equally likely."""
    cuts = np.sort(random.choice(np.arange(1, total), size=parts - 1, replace=False))
    return [int(part) for part in np.diff(np.concatenate(([0], cuts, [total])))]
