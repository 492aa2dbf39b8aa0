"""The stand-in's objective: spans cut out, nothing lost, and something learnt."""

import numpy as np
import pytest

from tests.training.tiny_model import invented_pairs
from training.errors import ModelError
from training.stand_in import CopyingSize, Denoising, build_model, mask_spans, train_to_denoise, train_tokenizer

TEXTS = [str(record[name]) for record in invented_pairs(60) for name in ("input", "target")]
SIZE = CopyingSize(vocabulary=500, width=32, hidden=64, dropout=0.0)


@pytest.mark.parametrize("length", [2, 3, 10, 100])
def test_what_is_not_masked_is_the_text_in_order(length: int) -> None:
    mask, text = 1000, list(range(length))
    masked = mask_spans(text, mask, Denoising(steps=1), np.random.default_rng(0))
    assert mask in masked
    kept = [token for token in masked if token != mask]
    assert 0 < len(kept) < length and kept == sorted(set(kept))
    for left, middle, right in zip(masked, masked[1:], masked[2:], strict=False):
        if middle == mask:
            assert right - left >= 2, "a mask stands for at least one token, and never beside another mask"


def test_30_percent_in_spans_of_3_are_masked() -> None:
    masked = mask_spans(list(range(200)), 1000, Denoising(steps=1), np.random.default_rng(0))
    assert sum(token == 1000 for token in masked) == 20
    assert sum(token < 1000 for token in masked) == 140


@pytest.mark.parametrize(
    "text",
    [
        "The heart is large. No COPD; a Swan-Ganz catheter (Normal) in A B.",
        "x",
        "A",
        "\u2191 WBC, Übergewicht \U0001f600",
        "Two  spaces.\n\nNew line",
    ],
)
def test_a_text_is_decoded_as_it_was(text: str) -> None:
    tokenizer = train_tokenizer(TEXTS, SIZE.vocabulary)
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True).strip() == text


def test_a_word_is_the_same_piece_with_a_capital() -> None:
    tokenizer = train_tokenizer(TEXTS, SIZE.vocabulary)
    capital, small = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("There is", "there is"))
    assert capital[1:] == small
    assert tokenizer.decode([*small, capital[0]]).strip() == "there is", "a mark without a word is nothing"


def test_denoising_learns() -> None:
    tokenizer = train_tokenizer(TEXTS, SIZE.vocabulary)
    model = build_model(tokenizer, SIZE, seed=1)
    denoising = Denoising(steps=60, learning_rate=1e-2)
    losses = [loss for _, loss, _ in train_to_denoise(model, tokenizer, TEXTS, denoising)]
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])


def test_denoising_ends_with_its_time() -> None:
    tokenizer = train_tokenizer(TEXTS, SIZE.vocabulary)
    model = build_model(tokenizer, SIZE, seed=1)
    steps = sum(1 for _ in train_to_denoise(model, tokenizer, TEXTS, Denoising(steps=10**9, seconds=0.2)))
    assert 1 <= steps < 10**9


def test_texts_too_short_to_cut_are_refused() -> None:
    tokenizer = train_tokenizer(TEXTS, SIZE.vocabulary)
    model = build_model(tokenizer, SIZE, seed=1)
    with pytest.raises(ModelError, match="no text of two tokens"):
        next(train_to_denoise(model, tokenizer, [""], Denoising(steps=1)))
