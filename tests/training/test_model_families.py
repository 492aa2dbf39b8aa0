"""The one training script fits Pegasus, BART, T5 and LED: what differs between them stands in their configurations.

Each is a model of two layers with random weights, which is fine-tuned, saved, loaded again and asked.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GenerationConfig,
    LEDConfig,
    LEDForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
)

from tests.training.test_fine_tune import arguments_of, curve_of, token_mean_nats, write_splits_that_overfit
from tests.training.tiny_model import build_tiny_model, invented_pairs, tiny_tokenizer, write_splits
from training.errors import ArgumentError, ModelError
from training.fine_tune import main
from training.generation import GenerationParameters, TextGenerator
from training.model_directory import ModelCard, finish_model_directory, read_model_card
from training.model_loading import layer_classes, load_model
from training.stage_model import Arguments as StageArguments
from training.stage_model import main as stage
from training.summariser import Summariser
from training.summary_tuner import TokenMeanLoss
from training.token_store import IGNORED, PairCollator

# Tokens that an encoder and a decoder have positions for; T5 has relative ones and no limit.
ENCODER_POSITIONS, DECODER_POSITIONS, WINDOW = 128, 40, 16
ALL = ("pegasus", "bart", "t5", "led")
LAYERS = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
WIDTHS = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "dropout": 0.0, "attention_dropout": 0.0}


def _pegasus(tokenizer: Any) -> Any:
    config = PegasusConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=ENCODER_POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        **LAYERS,
        **WIDTHS,
    )
    return PegasusForConditionalGeneration(config)


def _bart_like(tokenizer: Any) -> dict[str, Any]:
    """Its decoder starts with the end token, and its answers begin with one that is forced."""
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.sep_token_id,
        "decoder_start_token_id": tokenizer.eos_token_id,
        **LAYERS,
        **WIDTHS,
    }


def _bart(tokenizer: Any) -> Any:
    return BartForConditionalGeneration(BartConfig(max_position_embeddings=ENCODER_POSITIONS, **_bart_like(tokenizer)))


def _led(tokenizer: Any) -> Any:
    config = LEDConfig(
        max_encoder_position_embeddings=ENCODER_POSITIONS,
        max_decoder_position_embeddings=DECODER_POSITIONS,
        attention_window=WINDOW,
        **_bart_like(tokenizer),
    )
    return LEDForConditionalGeneration(config)


FAMILIES: dict[str, Callable[[Any], Any]] = {"pegasus": _pegasus, "bart": _bart, "led": _led}
POSITIONS = {"pegasus": ENCODER_POSITIONS, "bart": ENCODER_POSITIONS, "led": DECODER_POSITIONS}


def build(family: str, directory: Path) -> Path:
    if family == "t5":
        return build_tiny_model(directory)
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    model = FAMILIES[family](tokenizer)
    model.generation_config = GenerationConfig.from_model_config(model.config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    card = ModelCard(
        source="s3", description=f"tiny {family}", stand_in=True, prompt_template="{input}", max_input_tokens=96
    )
    finish_model_directory(directory, card)
    return directory


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("families")
    return {family: build(family, folder / family) for family in ALL}


@pytest.fixture(scope="module", params=ALL)
def trained(
    request: pytest.FixtureRequest, bases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A training of epochs that overfits, with a linear schedule and no warm-up: (family, folder)."""
    folder = tmp_path_factory.mktemp(request.param)
    write_splits_that_overfit(folder)
    given = {"epochs": 12, "learning_rate": 2e-2, "evaluations_per_epoch": 1, "log_every_steps": 1}
    main(arguments_of(folder, bases[request.param], warmup_ratio=0.0, lr_schedule="linear", **given))
    return request.param, folder


def test_it_learns_and_the_best_epoch_is_kept(trained: tuple[str, Path], bases: dict[str, Path]) -> None:
    family, folder = trained
    losses = {row["step"]: row["validation_loss"] for row in curve_of(folder) if row["validation_loss"] is not None}
    best = min(losses, key=lambda step: losses[step])
    assert len(losses) == 12 and best < max(losses), "it must overfit for this test to say anything"
    training = read_model_card(folder / "model").training
    assert training is not None and training["best_step"] == best
    assert losses[best] < 0.9 * token_mean_nats(bases[family], folder / "validation")
    # Asked anew from the files, one record at a time and with the loss of transformers' own.
    assert token_mean_nats(folder / "model", folder / "validation") == pytest.approx(losses[best], rel=1e-3)


def test_the_learning_rate_falls_in_a_line_from_the_first_step_on(trained: tuple[str, Path]) -> None:
    rows = [row for row in curve_of(trained[1]) if row["learning_rate"] is not None]
    steps = rows[-1]["step"]
    assert steps == 24
    expected = [2e-2 * (1 - (row["step"] - 1) / steps) for row in rows]
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected, abs=1e-6)


def test_the_artefact_is_what_an_endpoint_needs(trained: tuple[str, Path]) -> None:
    model = trained[1] / "model"
    names = {path.name for path in model.iterdir()}
    needed = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model_card.json"}
    assert needed <= names and "model.safetensors" in names
    assert not [name for name in names if name.endswith((".bin", ".pt"))]


def test_saved_and_loaded_it_gives_the_same_answers_however_it_is_batched(trained: tuple[str, Path]) -> None:
    family, folder = trained
    generator = TextGenerator.load(folder / "model")
    tokenizer = generator.tokenizer
    start = tokenizer.pad_token_id if family in ("pegasus", "t5") else tokenizer.eos_token_id
    assert generator.model.generation_config.decoder_start_token_id == start
    texts = [str(record["input"]) for record in invented_pairs(6)]
    questions = generator.questions(texts)
    for given in ({}, {"num_beams": 3}, {"method": "mbr", "samples": 3}):
        parameters = GenerationParameters(max_new_tokens=12, **given)
        together = generator.generate(questions, parameters, 24)
        assert together == [generator.generate([question], parameters, 4)[0] for question in questions]
        assert all(answer for (answer,) in together)


@pytest.mark.parametrize("family", ALL)
def test_padding_changes_no_loss(family: str, bases: dict[str, Path]) -> None:
    """Neither wider labels, which are -100, nor wider inputs, which are not attended to."""
    model, tokenizer = load_model(bases[family], torch.float32)
    model.eval()
    collate, items = PairCollator(tokenizer, model), []
    for record in invented_pairs(4):
        ids = [tokenizer(str(record[name]))["input_ids"] for name in ("input", "target")]
        items.append(dict(zip(("input_ids", "labels"), ids, strict=True)))
    shortest = min(items, key=lambda item: len(item["input_ids"]) + len(item["labels"]))

    def nats(chosen: list[dict[str, list[int]]], rows: slice) -> float:
        batch = collate(chosen)
        labels = batch.pop("labels")[rows]
        loss = TokenMeanLoss(0.0)
        with torch.no_grad():
            logits = model(**batch).logits[rows]
        return loss.sum(logits[labels != IGNORED], labels[labels != IGNORED]).item()

    alone = nats([shortest], slice(None))
    batch = collate([shortest, *items])
    assert (batch["labels"][0] == IGNORED).any() and (batch["attention_mask"][0] == 0).any()
    assert nats([shortest, *items], slice(0, 1)) == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("family", ALL)
def test_the_first_token_is_seen_from_everywhere_where_attention_has_a_window(
    family: str, bases: dict[str, Path]
) -> None:
    generator = TextGenerator.load(bases[family])
    item = {"input_ids": [5] * 30, "labels": [6, 7]}
    batch = PairCollator(generator.tokenizer, generator.model)([item, {**item, "input_ids": [5] * 20}])
    if family != "led":
        assert "global_attention_mask" not in batch
        return
    everywhere = batch["global_attention_mask"]
    assert everywhere.shape == batch["input_ids"].shape
    assert (everywhere[:, 0] == 1).all() and everywhere.sum() == 2
    # The last token of a text that is wider than two windows hears of the first.
    ids = torch.full((1, 4 * WINDOW), 9)
    heard = []
    for first in (20, 30):
        ids[0, 0] = first
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        encoder = generator.model.get_encoder()
        with torch.no_grad():
            states = encoder(**inputs, global_attention_mask=(torch.arange(ids.shape[1]) == 0).long()[None])
        heard.append(states.last_hidden_state[0, -1])
    assert not torch.allclose(heard[0], heard[1])


@pytest.mark.parametrize("family", ["pegasus", "bart", "led"])
def test_what_is_longer_than_a_family_has_positions_for_is_refused_by_name(
    family: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    write_splits(tmp_path, train=8, validation=4)
    positions = POSITIONS[family]
    refused = {
        "max_input_tokens": (ENCODER_POSITIONS, {"max_input_tokens": ENCODER_POSITIONS + 1}),
        "max_target_tokens": (positions, {"max_target_tokens": positions + 1}),
        "max_new_tokens": (positions, {"max_new_tokens": positions + 1}),
    }
    for name, (limit, given) in refused.items():
        with pytest.raises(ModelError, match=f"{name} must be <= {limit} for this model, got {limit + 1}"):
            main(arguments_of(tmp_path, bases[family], **given))
    given = {"max_input_tokens": 96, "max_new_tokens": positions + 1}
    with pytest.raises(ModelError, match=f"max_new_tokens must be <= {positions}"):
        stage(StageArguments(source="s3", model=bases[family], output=tmp_path / "staged", **given))
    with pytest.raises(ArgumentError, match=f"max_new_tokens must be <= {positions}"):
        Summariser(TextGenerator.load(bases[family]), GenerationParameters(max_new_tokens=positions + 1), 1)


@pytest.mark.parametrize("family", ALL)
def test_inputs_and_answers_as_long_as_there_are_positions_are_read_and_written(
    family: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    longest = {"max_input_tokens": ENCODER_POSITIONS, "max_new_tokens": DECODER_POSITIONS}
    stage(StageArguments(source="s3", model=bases[family], output=tmp_path / "staged", **longest))
    generator = TextGenerator.load(tmp_path / "staged")
    assert generator.card.decoding == {"long_inputs": "split"}
    generator.model.generation_config.eos_token_id = None
    text = "nodule " * 40
    parameters = GenerationParameters(max_new_tokens=DECODER_POSITIONS)
    assert generator.prompt().lengths([text])[0] < ENCODER_POSITIONS
    summariser = Summariser(generator, parameters, 4)
    readings = summariser.read([text, text * 10])
    assert readings[0].read_in == 1 and readings[1].read_in > 1
    assert [len(summary.answers) for summary in summariser.answer(readings)] == [1, 1]


def test_an_input_is_padded_to_whole_windows_within_the_positions(bases: dict[str, Path], tmp_path: Path) -> None:
    """127 tokens of 127 positions would be padded to 128, for which there is no position."""
    config = json.loads((bases["led"] / "config.json").read_text())
    directory = build("led", tmp_path / "led")
    (directory / "config.json").write_text(json.dumps(config | {"max_encoder_position_embeddings": 127}))
    write_splits(tmp_path, train=8, validation=4)
    with pytest.raises(ModelError, match="max_input_tokens must be <= 112 for this model, got 127"):
        stage(StageArguments(source="s3", model=directory, output=tmp_path / "staged", max_input_tokens=127))


@pytest.mark.parametrize("family", ["pegasus", "led"])
def test_layers_can_be_trained_with_activations_recomputed(family: str, bases: dict[str, Path], tmp_path: Path) -> None:
    write_splits(tmp_path, train=16, validation=4)
    plain = {"epochs": 2.0, "log_every_steps": 1}
    main(arguments_of(tmp_path, bases[family], **plain))
    expected = [row["train_loss"] for row in curve_of(tmp_path) if row["train_loss"] is not None]
    again = write_splits(tmp_path / "again", train=16, validation=4)
    main(arguments_of(again, bases[family], gradient_checkpointing=True, **plain))
    found = [row["train_loss"] for row in curve_of(again) if row["train_loss"] is not None]
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("family", "layers"),
    [
        ("pegasus", ["PegasusDecoderLayer", "PegasusEncoderLayer"]),
        ("bart", ["BartDecoderLayer", "BartEncoderLayer"]),
        ("t5", ["T5Block"]),
        ("led", ["LEDDecoderLayer", "LEDEncoderLayer"]),
    ],
)
def test_a_model_that_is_sharded_is_sharded_by_its_layers(
    family: str, layers: list[str], bases: dict[str, Path]
) -> None:
    assert layer_classes(load_model(bases[family], torch.float32)[0]) == layers
