"""Tokenised splits on disk, the order of training, and batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from tests.training.tiny_model import invented_pairs, write_part
from training.errors import ArgumentError, UploadError
from training.splits import read_split
from training.token_store import LengthGroupedSampler, PairCollator, TokenStore, build_token_store


@pytest.fixture(scope="module")
def tokenizer(tiny_model_directory: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model_directory)


def store_of(
    folder: Path, tokenizer: Any, count: int, max_input_tokens: int = 64, max_target_tokens: int = 64
) -> TokenStore:
    write_part(folder / "split", invented_pairs(count))
    return build_token_store(
        read_split(folder / "split"),
        tokenizer,
        folder / "tokens",
        prompt_template="Summarize: {input}",
        max_input_tokens=max_input_tokens,
        max_target_tokens=max_target_tokens,
    )


def test_records_come_back_as_their_prompt_and_target(tmp_path: Path, tokenizer: Any) -> None:
    store = store_of(tmp_path, tokenizer, 20)
    for index, record in enumerate(invented_pairs(20)):
        item = store[index]
        assert tokenizer.decode(item["input_ids"]).strip() == f"Summarize: {record['input']}</s>"
        assert tokenizer.decode(item["labels"]).strip() == f"{record['target']}</s>"
    assert (store.truncated_inputs, store.truncated_targets) == (0, 0)


def test_what_is_cut_off_is_counted_and_keeps_its_end(tmp_path: Path, tokenizer: Any) -> None:
    whole = store_of(tmp_path / "whole", tokenizer, 20)
    limit_input, limit_target = int(np.median(whole.input_lengths)), int(np.median(whole.target_lengths))
    cut = store_of(tmp_path / "cut", tokenizer, 20, limit_input, limit_target)
    assert cut.truncated_inputs == (whole.input_lengths > limit_input).sum() > 0
    assert cut.truncated_targets == (whole.target_lengths > limit_target).sum() > 0
    assert cut.input_lengths.max() == limit_input and cut.target_lengths.max() == limit_target
    assert all(cut[index]["input_ids"][-1] == tokenizer.eos_token_id for index in range(20))


def test_an_instruction_behind_the_input_is_not_cut_off(tmp_path: Path, tokenizer: Any) -> None:
    write_part(tmp_path / "split", invented_pairs(4))
    template = "There is a {input}\n\nKnown hernia:"
    limits = {"max_input_tokens": 20, "max_target_tokens": 64}
    store = build_token_store(
        read_split(tmp_path / "split"), tokenizer, tmp_path / "tokens", prompt_template=template, **limits
    )
    assert store.truncated_inputs > 0
    for index in range(4):
        text = tokenizer.decode(store[index]["input_ids"]).strip()
        assert text.startswith("There is a ") and text.endswith("Known hernia:</s>")
    with pytest.raises(ArgumentError, match="prompt_template alone fills max_input_tokens"):
        build_token_store(
            [], tokenizer, tmp_path / "none", prompt_template=template, **(limits | {"max_input_tokens": 8})
        )


def test_records_of_other_ids_are_other_data(tmp_path: Path, tokenizer: Any) -> None:
    assert store_of(tmp_path / "a", tokenizer, 5).ids_sha256 != store_of(tmp_path / "b", tokenizer, 6).ids_sha256


def test_a_line_that_is_no_record_is_named_without_its_text(tmp_path: Path, tokenizer: Any) -> None:
    part = write_part(tmp_path / "split", invented_pairs(3))
    part.write_text(part.read_text() + '{"id": "1", "input": "secret finding"}\n')
    with pytest.raises(UploadError, match=r"part-00000\.jsonl line 4") as caught:
        list(read_split(tmp_path / "split"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 7, 8, 100])
def test_each_epoch_reads_every_record_once_in_its_own_order(tmp_path: Path, tokenizer: Any, count: int) -> None:
    sampler = LengthGroupedSampler(store_of(tmp_path, tokenizer, count), batch_size=8, seed=1)
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
        assert sorted(orders[-1]) == list(range(count))
    assert orders[0] == orders[2]
    if count == 100:
        assert orders[0] != orders[1]


def test_batches_hold_little_padding(tmp_path: Path, tokenizer: Any) -> None:
    store = store_of(tmp_path, tokenizer, 400)

    def padded(order: list[int]) -> int:
        batches = [order[start : start + 8] for start in range(0, len(order), 8)]
        return sum(
            len(some) * int(store.input_lengths[some].max() + store.target_lengths[some].max()) for some in batches
        )

    text = int(store.input_lengths.sum() + store.target_lengths.sum())
    grouped = padded(list(LengthGroupedSampler(store, batch_size=8, seed=1)))
    as_uploaded = padded(list(range(400)))
    assert grouped - text < 0.3 * (as_uploaded - text)


def test_a_batch_is_padded_to_its_longest_and_padding_is_no_label(
    tmp_path: Path, tokenizer: Any, tiny_model_directory: Path
) -> None:
    model = AutoModelForSeq2SeqLM.from_pretrained(tiny_model_directory)
    store = store_of(tmp_path, tokenizer, 6)
    items = [store[index] for index in range(6)]
    batch = PairCollator(tokenizer, model)(items)
    for row, item in enumerate(items):
        source, target = item["input_ids"], item["labels"]
        assert batch["input_ids"][row, : len(source)].tolist() == source
        assert batch["attention_mask"][row].sum() == len(source)
        assert batch["labels"][row, : len(target)].tolist() == target
        assert (batch["labels"][row, len(target) :] == -100).all()
    assert batch["input_ids"].shape[1] == max(len(item["input_ids"]) for item in items)
    shifted = batch["decoder_input_ids"]
    assert (shifted[:, 0] == model.config.decoder_start_token_id).all()
    assert torch.equal(
        shifted[:, 1:][batch["labels"][:, :-1] != -100], batch["labels"][:, :-1][batch["labels"][:, :-1] != -100]
    )
