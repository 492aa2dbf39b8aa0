"""FineTune in this process, on a tiny model. Killing it and several processes: test_fine_tune_processes.py."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration

import training.fine_tuner
from tests.training.tiny_model import invented_pairs, training_folders, write_part, write_splits
from training.errors import ArgumentError, ModelError, UploadError
from training.fine_tune import Arguments, main
from training.fine_tuner import LR_SCHEDULES
from training.generation import TextGenerator
from training.model_directory import finish_model_directory, read_model_card, unpacked_model, weights_sha256
from training.model_loading import load_model
from training.splits import read_split
from training.table_schemas import TRAINING_CURVE

LOSS_LINE = re.compile(r"\{'loss': \d+\.\d+, 'learning_rate': [\d.e-]+, 'epoch': \d+\.\d+, 'step': \d+\}")
EVAL_LINE = re.compile(r"\{'eval_loss': \d+\.\d+, 'epoch': \d+\.\d+, 'step': \d+\}")


def arguments_of(folder: Path, model: Path, **more: Any) -> Arguments:
    given: dict[str, Any] = {
        **training_folders(folder, model),
        "max_input_tokens": 96,
        "max_target_tokens": 32,
        "max_new_tokens": 16,
        "learning_rate": 5e-3,
        "train_batch_size": 8,
        "epochs": 2.0,
    }
    return Arguments(**(given | more))


def curve_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "data" / "training_curve.jsonl").read_text().splitlines()]


def token_mean_nats(model_directory: Path, split: Path) -> float:
    """Validation loss as its definition says, one record at a time and without padding."""
    model, tokenizer = load_model(model_directory, torch.float32)
    nats = tokens = 0
    for record in read_split(split):
        source = torch.tensor([tokenizer(record.input)["input_ids"]])
        target = torch.tensor([tokenizer(text_target=record.target)["input_ids"]])
        with torch.no_grad():
            nats += model.eval()(input_ids=source, labels=target).loss.item() * target.numel()
        tokens += target.numel()
    return nats / tokens


def write_splits_that_overfit(folder: Path) -> None:
    """The validation targets have the words in reverse: learning which words there are helps, their order does not."""
    write_splits(folder, train=14)
    records = invented_pairs(12, start=1000)
    write_part(folder / "validation", [r | {"target": " ".join(str(r["target"]).split()[::-1])} for r in records])


@pytest.fixture(scope="module")
def trained(tiny_model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A training whose best model is not the last: (folder, log)."""
    folder = tmp_path_factory.mktemp("trained")
    write_splits_that_overfit(folder)
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *values, **_: lines.append(" ".join(map(str, values))))
        main(
            arguments_of(
                folder,
                tiny_model_directory,
                epochs=12,
                learning_rate=2e-2,
                lr_schedule="constant",
                log_every_steps=5,
                evaluations_per_epoch=1,
            )
        )
    return folder, "\n".join(lines)


def test_it_learns_and_keeps_the_model_of_the_best_validation(
    trained: tuple[Path, str], tiny_model_directory: Path
) -> None:
    folder, _ = trained
    losses = {row["step"]: row["validation_loss"] for row in curve_of(folder) if row["validation_loss"] is not None}
    training = read_model_card(folder / "model").training
    assert training is not None
    best = min(losses, key=lambda step: losses[step])
    assert best < max(losses), "the training must overfit for this test to say anything"
    assert training["best_step"] == best
    assert losses[best] < 0.85 * token_mean_nats(tiny_model_directory, folder / "validation")
    assert token_mean_nats(folder / "model", folder / "validation") == pytest.approx(losses[best], rel=1e-4)


def test_the_log_has_the_lines_that_metrics_are_read_from(trained: tuple[Path, str]) -> None:
    folder, log = trained
    shown = [line for line in log.splitlines() if line.startswith("{")]
    assert all(LOSS_LINE.fullmatch(line) or EVAL_LINE.fullmatch(line) for line in shown)
    rows = curve_of(folder)
    assert len(shown) == len(rows)
    assert sum(bool(EVAL_LINE.fullmatch(line)) for line in shown) == sum(row["train_loss"] is None for row in rows)


def test_the_curve_has_the_columns_of_its_table(trained: tuple[Path, str]) -> None:
    rows = curve_of(trained[0])
    assert all(tuple(row) == TRAINING_CURVE.column_names for row in rows)
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    assert rows[0]["step"] == 1 and rows[-1]["step"] == 24 and rows[-1]["epoch"] == 12
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds) and seconds[-1] > 0


def test_the_model_directory_is_complete(trained: tuple[Path, str]) -> None:
    model = trained[0] / "model"
    generator = TextGenerator.load(model)
    assert generator.defaults.max_new_tokens == 16
    assert (generator.card.stand_in, generator.card.max_input_tokens) == (True, 96)
    assert generator.card.description == "fine-tuned from: tiny random T5 for tests"
    assert (model / "code" / "inference.py").exists()
    assert not list(model.glob("*.bin"))
    assert (trained[0] / "data" / "training_warnings.jsonl").read_text() == ""
    assert generator.defaults.long_inputs == "split"
    resolved = json.loads((trained[0] / "data" / "arguments.json").read_text())
    assert resolved["learning_rate"] == 2e-2
    assert resolved["seed"] == 1


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused_by_name(split: str, tiny_model_directory: Path, tmp_path: Path) -> None:
    write_splits(tmp_path)
    write_part(tmp_path / split, [])
    with pytest.raises(UploadError, match=f"the {split} split holds no records"):
        main(arguments_of(tmp_path, tiny_model_directory))


def test_what_is_cut_off_is_said(
    tiny_model_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splits(tmp_path)
    main(arguments_of(tmp_path, tiny_model_directory, max_input_tokens=16, max_target_tokens=4, epochs=0.2))
    train = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("train: 48 records"))
    counts = re.search(r"cut off: (\d+) inputs longer than 16 tokens, (\d+) targets longer than 4", train)
    assert counts is not None and 0 < int(counts[1]) <= 48 and int(counts[2]) == 48
    told = (tmp_path / "data" / "training_warnings.jsonl").read_text().splitlines()
    warnings = [json.loads(line)["warning"] for line in told]
    assert warnings[0].startswith(f"Training: {counts[1]} of 48 inputs of the train split are longer than 16 tokens")
    assert warnings[1].startswith("Training: 48 of 48 targets of the train split are longer than 4 tokens")
    assert len(warnings) == 4 and all("of the validation split" in warning for warning in warnings[2:])


def test_accumulated_steps_are_steps_of_one_large_batch(tiny_model_directory: Path, tmp_path: Path) -> None:
    """8 records of unequal length at once, or 4 times 2: the same loss and the same gradient."""
    losses = []
    for batch_size in (8, 2):
        folder = tmp_path / str(batch_size)
        write_splits(folder, train=8)
        main(
            arguments_of(
                folder,
                tiny_model_directory,
                train_batch_size=batch_size,
                gradient_accumulation_steps=8 // batch_size,
                epochs=4,
                log_every_steps=1,
            )
        )
        losses.append([row["train_loss"] for row in curve_of(folder) if row["train_loss"] is not None])
    assert len(losses[0]) == 4
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_first_logged_loss_is_the_untrained_models(tiny_model_directory: Path, tmp_path: Path) -> None:
    write_splits(tmp_path, train=8)
    main(arguments_of(tmp_path, tiny_model_directory, epochs=1))
    expected = token_mean_nats(tiny_model_directory, tmp_path / "train")
    assert curve_of(tmp_path)[0]["train_loss"] == pytest.approx(expected, rel=1e-4)


def test_a_time_budget_ends_training_with_its_learning_rate_down(
    tiny_model_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clock moves on by one second each time it is read, which is once a step."""
    ticks = iter(range(10_000))
    monkeypatch.setattr(training.fine_tuner, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    write_splits(tmp_path)
    main(arguments_of(tmp_path, tiny_model_directory, epochs=1000, max_seconds=20, warmup_ratio=0.0, log_every_steps=1))
    rows = curve_of(tmp_path)
    assert 18 <= rows[-1]["step"] <= 21
    assert rows[-1]["validation_loss"] is not None
    rates = [row["learning_rate"] for row in rows if row["learning_rate"] is not None]
    assert rates[0] == pytest.approx(5e-3, rel=0.01) and rates[-1] < 0.1 * rates[0]
    assert rates == sorted(rates, reverse=True)
    assert "time budget of 20 s used up" in capsys.readouterr().out
    TextGenerator.load(tmp_path / "model")


def test_patience_ends_training(tiny_model_directory: Path, tmp_path: Path) -> None:
    write_splits(tmp_path, train=14)
    main(
        arguments_of(tmp_path, tiny_model_directory, epochs=100, learning_rate=2e-2, lr_schedule="constant", patience=3)
    )
    losses = [row["validation_loss"] for row in curve_of(tmp_path) if row["validation_loss"] is not None]
    assert len(losses) < 100
    assert losses.index(min(losses)) == len(losses) - 4


def test_training_that_diverges_is_a_named_error(tiny_model_directory: Path, tmp_path: Path) -> None:
    write_splits(tmp_path)
    with pytest.raises(ModelError, match="training diverged: the validation loss is nan"):
        main(arguments_of(tmp_path, tiny_model_directory, learning_rate=1e30, warmup_ratio=0.0))


def test_a_model_of_another_architecture_is_trained_alike(tiny_model_directory: Path, tmp_path: Path) -> None:
    """BART: learnt positions, another decoder start token."""
    base = tmp_path / "bart"
    shutil.copytree(tiny_model_directory, base)
    _, tokenizer = load_model(tiny_model_directory, torch.float32)
    special = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.eos_token_id,
        "forced_eos_token_id": tokenizer.eos_token_id,
    }
    layers = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    widths = {"d_model": 32, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 128}
    BartForConditionalGeneration(BartConfig(vocab_size=len(tokenizer), **special, **layers, **widths)).save_pretrained(
        base
    )
    finish_model_directory(base, read_model_card(tiny_model_directory))

    write_splits(tmp_path)
    main(arguments_of(tmp_path, base, epochs=6, gradient_checkpointing=True, label_smoothing=0.1))
    before = token_mean_nats(base, tmp_path / "validation")
    assert token_mean_nats(tmp_path / "model", tmp_path / "validation") < 0.7 * before
    assert (
        TextGenerator.load(tmp_path / "model").model.generation_config.decoder_start_token_id == tokenizer.eos_token_id
    )
    with pytest.raises(ModelError, match="max_input_tokens must be <= 128"):
        main(arguments_of(tmp_path, base, max_input_tokens=129))


def test_the_model_may_come_packed(tiny_model_directory: Path, tmp_path: Path) -> None:
    write_splits(tmp_path)
    shutil.make_archive(str(tmp_path / "channel" / "model"), "gztar", tiny_model_directory)
    main(arguments_of(tmp_path, tmp_path / "channel", epochs=0.5))
    with unpacked_model(tmp_path / "model") as directory:
        assert directory == tmp_path / "model"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0"),
        ({"learning_rate": -1e-4}, "learning_rate must be above 0"),
        ({"train_batch_size": 0}, "train_batch_size must be >= 1"),
        ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps must be >= 1"),
        ({"max_target_tokens": 1}, "max_target_tokens must be >= 2"),
        ({"max_seconds": -1}, "max_seconds must be >= 0"),
        ({"warmup_ratio": 1.0}, "warmup_ratio must be at least 0 and below 1"),
        ({"lr_schedule": "square"}, "lr_schedule must be one of constant, linear, cosine"),
        ({"prompt_template": "no place"}, "prompt_template must contain {input} exactly once"),
        ({"strategy": "fsdp", "processes": 1}, "several GPUs"),
        ({"max_new_tokens": 0}, "max_new_tokens must be between 1 and 1024"),
        ({"long_inputs": "cut"}, "long_inputs must be one of split, refuse"),
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        arguments_of(tmp_path, tmp_path, **given)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_sharding_without_a_gpu_is_refused_when_it_runs_and_not_before(tmp_path: Path) -> None:
    arguments = arguments_of(tmp_path, tmp_path, strategy="fsdp", processes=0)
    with pytest.raises(ArgumentError, match="this machine has none"):
        main(arguments)


def test_a_path_that_nobody_gave_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAIN", raising=False)
    with pytest.raises(ArgumentError, match="SM_CHANNEL_TRAIN is not set"):
        Arguments()


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_schedules_fall_from_one_to_zero(name: str) -> None:
    shares = [LR_SCHEDULES[name](step / 100) for step in range(101)]
    assert shares[0] == 1 and shares[-1] == pytest.approx(0)
    assert shares == sorted(shares, reverse=True)


def test_different_weights_have_different_checksums(trained: tuple[Path, str], tiny_model_directory: Path) -> None:
    assert weights_sha256(trained[0] / "model") != weights_sha256(tiny_model_directory)
