"""Package: what JumpStart's script leaves becomes a model directory like any other."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from training.errors import ArgumentError, ModelError
from training.generation import TextGenerator
from training.model_directory import read_model_card, unpacked_model
from training.package_model import Arguments, main

JOB = "pipelines-abcdefgh1234-FineTune-0123456789"


@pytest.fixture
def trained(answering_model_directory: Path, tmp_path: Path) -> Path:
    """The channel with a job's model.tar.gz: pickled weights, its own code and arguments, no card of ours."""
    saved = tmp_path / "saved"
    ignored = shutil.ignore_patterns("code", "model_card.json")
    shutil.copytree(answering_model_directory, saved, ignore=ignored)
    torch.save(AutoModelForSeq2SeqLM.from_pretrained(saved).state_dict(), saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    (saved / "generation_config.json").write_text(json.dumps({"max_new_tokens": 999, "decoder_start_token_id": 0}))
    (saved / "training_args.bin").write_bytes(b"a pickle, not to be opened")
    (saved / "code").mkdir()
    (saved / "code" / "inference.py").write_text("raise SystemExit")
    return pack(saved, tmp_path / "trained")


def pack(folder: Path, channel: Path) -> Path:
    channel.mkdir()
    with tarfile.open(channel / "model.tar.gz", "w:gz") as tar:
        tar.add(folder, ".")
    return channel


def package(trained: Path, base: Path, output: Path) -> Path:
    main(Arguments(trained=trained, base=base, training_job=JOB, output=output))
    return output / "model.tar.gz"


def test_the_package_is_a_model_directory_with_the_trained_weights(
    trained: Path, tiny_model_directory: Path, answering_model_directory: Path, tmp_path: Path
) -> None:
    archive = package(trained, tiny_model_directory, tmp_path / "out")
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
    assert {"model_card.json", "model.safetensors", "config.json", "code/inference.py", "code/training"} <= names
    assert not any(name.endswith(".bin") for name in names)
    base = read_model_card(tiny_model_directory)
    with unpacked_model(archive) as directory:
        card = read_model_card(directory)
        generator = TextGenerator.load(directory)
        assert "SystemExit" not in (directory / "code" / "inference.py").read_text()
    assert (card.prompt_template, card.max_input_tokens, card.source) == (
        base.prompt_template,
        base.max_input_tokens,
        base.source,
    )
    assert card.description == f"fine-tuned by JumpStart's script from: {base.description}"
    assert card.training == {"job": JOB}
    assert card.weights_sha256 != base.weights_sha256
    # Decodes as the base model does, not as the script happened to save.
    assert generator.defaults.max_new_tokens == 16
    expected = AutoModelForSeq2SeqLM.from_pretrained(answering_model_directory).state_dict()
    assert all(torch.equal(expected[name], value) for name, value in generator.model.state_dict().items())
    assert json.loads((tmp_path / "out" / "package_model_arguments.json").read_text())["training_job"] == JOB


def test_the_same_model_gives_the_same_bytes(trained: Path, tiny_model_directory: Path, tmp_path: Path) -> None:
    first, second = (package(trained, tiny_model_directory, tmp_path / name) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_job_that_trained_nothing_is_refused(tiny_model_directory: Path, tmp_path: Path) -> None:
    channel = pack(tiny_model_directory, tmp_path / "trained")
    with pytest.raises(ModelError, match=f"job {JOB} left the weights that it started from"):
        package(channel, tiny_model_directory, tmp_path / "out")
    assert not (tmp_path / "out" / "model.tar.gz").exists()


def test_a_job_that_left_no_model_is_refused(tiny_model_directory: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"config\.json is missing"):
        package(pack(tmp_path / "adapter", tmp_path / "trained"), tiny_model_directory, tmp_path / "out")


def test_a_base_that_was_not_staged_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with pytest.raises(ModelError, match=r"model_card\.json is missing"):
        package(trained, tmp_path / "base", tmp_path / "out")


def test_the_job_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="training_job"):
        Arguments(trained=tmp_path, base=tmp_path, training_job="", output=tmp_path)
