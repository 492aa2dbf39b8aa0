"""The copying model within transformers' interfaces: what it computes, saves and decodes, on tiny weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM

from training.copying_model import IGNORED, CopyingConfig, CopyingForConditionalGeneration, DecoderState

PAD, SEPARATOR, VOCABULARY = 0, 4, 60


def random_model(**more: Any) -> CopyingForConditionalGeneration:
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "width": 16, "hidden": 32, "separator_token_id": SEPARATOR}
    return CopyingForConditionalGeneration(CopyingConfig(**(sizes | more))).eval()


def random_batch(rows: int = 3, source: int = 9, target: int = 6) -> dict[str, torch.Tensor]:
    """Inputs of unequal length, padded on the right."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, VOCABULARY, (rows, source), generator=generator)
    ids[:, 4] = SEPARATOR
    for row in range(rows):
        ids[row, source - row :] = PAD
    labels = torch.randint(5, VOCABULARY, (rows, target), generator=generator)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": labels}


def test_logits_are_log_probabilities() -> None:
    logits = random_model()(**random_batch()).logits
    assert logits.shape == (3, 6, VOCABULARY)
    assert torch.allclose(logits.exp().sum(-1), torch.ones(3, 6), atol=1e-4)


def test_a_word_that_training_never_showed_as_an_answer_is_copied() -> None:
    """The answer is the token behind the separator; the tokens asked about are no training target."""
    model = random_model(dropout=0.0).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(2)

    def pairs(low: int, high: int) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.randint(low, high, (64, 7), generator=generator)
        ids[:, 3] = SEPARATOR
        return ids, torch.stack([ids[:, 4], torch.ones(64, dtype=torch.long)], dim=1)

    for _ in range(150):
        ids, labels = pairs(5, 45)
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    ids, labels = pairs(45, VOCABULARY)
    with torch.no_grad():
        found = model.eval()(input_ids=ids, labels=labels).logits[:, 0].argmax(-1)
    assert (found == labels[:, 0]).float().mean() > 0.8


def test_without_the_copied_part_such_a_word_is_not_answered() -> None:
    """What the test above shows is copying: no weight of the output has ever seen the word."""
    model = random_model()
    model.writes.bias.data.fill_(20.0)  # always write
    model.encoder.words.weight.data[50] = 0.0
    model.word_bias.data[50] = -20.0
    batch = random_batch()
    batch["input_ids"][:, :3] = 50
    assert model(**batch).logits[:, :, 50].max() < -10
    model.writes.bias.data.fill_(-20.0)  # always copy
    assert model(**batch).logits[:, :, 50].max() > -3
    absent = next(token for token in range(5, VOCABULARY) if not (batch["input_ids"] == token).any())
    assert model(**batch).logits[:, :, absent].max() < -10


def test_padding_of_labels_counts_for_nothing() -> None:
    model, batch = random_model(), random_batch()
    short = {**batch, "labels": batch["labels"][:, :4]}
    padded = {**batch, "labels": torch.cat([short["labels"], torch.full((3, 5), IGNORED)], dim=1)}
    assert model(**padded).loss.item() == pytest.approx(model(**short).loss.item(), rel=1e-6)
    assert model(**batch).loss.item() != pytest.approx(model(**short).loss.item(), rel=1e-3)


def test_padding_of_inputs_changes_nothing() -> None:
    model, batch = random_model(encoder_layers=2), random_batch()
    together = model(**batch).logits
    for row, length in enumerate(batch["attention_mask"].sum(1).tolist()):
        alone = model(input_ids=batch["input_ids"][row : row + 1, :length], labels=batch["labels"][row : row + 1])
        assert torch.allclose(alone.logits[0], together[row], atol=1e-5)


def test_a_segment_begins_at_each_separator() -> None:
    model, batch = random_model(), random_batch()
    before = model(**batch).logits
    model.encoder.segments.weight.data[0] += 1.0
    findings_changed = model(**batch).logits
    assert not torch.allclose(before, findings_changed, atol=1e-3)
    model.encoder.segments.weight.data[0] -= 1.0
    model.encoder.segments.weight.data[2:] += 1.0  # nothing has two separators
    assert torch.allclose(before, model(**batch).logits, atol=1e-5)


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    model, batch = random_model(encoder_layers=2), random_batch()
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    assert AutoConfig.from_pretrained(tmp_path).separator_token_id == SEPARATOR
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, CopyingForConditionalGeneration)
    # Not to the last bit: sums depend on where weights lie in memory.
    assert torch.allclose(loaded(**batch).logits, model(**batch).logits, atol=1e-6)


def test_word_by_word_is_the_same_as_at_once() -> None:
    model, batch = random_model(), random_batch()
    at_once = model(**batch).logits
    read = model.prepare_decoder_input_ids_from_labels(batch["labels"])
    encoded = model.encoder(batch["input_ids"], batch["attention_mask"])
    state: DecoderState | None = None
    for place in range(read.shape[1]):
        step = model(
            encoder_outputs=encoded,
            attention_mask=batch["attention_mask"],
            decoder_input_ids=read[:, place : place + 1],
            past_key_values=state,
            use_cache=True,
        )
        state = step.past_key_values
        assert torch.allclose(step.logits[:, 0], at_once[:, place], atol=1e-5)
    assert state is not None and state.get_seq_length() == read.shape[1]


def test_generation_reads_one_token_a_step() -> None:
    model, batch = random_model(), random_batch()
    widths: list[int] = []
    model.decoder.register_forward_hook(lambda _module, inputs, _output: widths.append(inputs[0].shape[1]))
    model.generate(batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=5, eos_token_id=None)
    assert widths == [1] * 5


def sequence_score(model: Any, batch: dict[str, torch.Tensor], row: int, answer: torch.Tensor) -> float:
    """Log-probability of `answer` computed at once, without any state."""
    source = {name: batch[name][row : row + 1] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        logits = model(**source, labels=answer[None]).logits[0]
    return float(logits.gather(1, answer[:, None]).sum())


def test_beams_reorder_the_state() -> None:
    """The score that beam search reports for its answer is the one of that very answer."""
    model, batch = random_model(), random_batch()
    for weights in model.decoder.parameters():
        weights.data *= 4  # so that what was said before matters
    source = {name: batch[name] for name in ("input_ids", "attention_mask")}
    settings = {"max_new_tokens": 6, "eos_token_id": None, "length_penalty": 0.0, "output_scores": True}
    found = model.generate(**source, num_beams=4, return_dict_in_generate=True, **settings)
    greedy = model.generate(**source, num_beams=1, max_new_tokens=6, eos_token_id=None)
    assert not torch.equal(found.sequences, greedy), "beams that follow the greedy path would not be reordered"
    for row in range(3):
        expected = sequence_score(model, batch, row, found.sequences[row, 1:])
        assert float(found.sequences_scores[row]) == pytest.approx(expected, abs=1e-3)


def test_samples_of_one_input_differ_and_fit_its_shape() -> None:
    model, batch = random_model(), random_batch()
    source = {name: batch[name] for name in ("input_ids", "attention_mask")}
    torch.manual_seed(0)
    drawn = model.generate(**source, do_sample=True, top_k=0, num_return_sequences=5, max_new_tokens=7)
    assert drawn.shape[0] == 15
    assert len({tuple(row.tolist()) for row in drawn}) > 3


def test_dropout_is_for_training_only() -> None:
    model, batch = random_model(dropout=0.5), random_batch()
    assert torch.equal(model(**batch).logits, model(**batch).logits)
    model.train()
    assert not torch.equal(model(**batch).logits, model(**batch).logits)
