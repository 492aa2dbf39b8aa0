"""StageModel of encoders: what is staged can be trained and probed, and nothing of it is made up."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification, BertConfig, T5Config

from tests.training.test_stage_model import COMMIT, FolderHub
from tests.training.tiny_encoder import NEGATIVE, POSITIVE, fine_tune_tiny_encoder, write_labelled_splits
from training.errors import ArgumentError, ModelError
from training.labels import Decision
from training.model_directory import MODEL_CARD, read_model_card, unpacked_model, weights_sha256
from training.stage_model import Arguments, main
from training.text_classifier import TextClassifier

LABELS = {"positive_label": POSITIVE, "negative_label": NEGATIVE}


@pytest.fixture
def repository(tiny_encoder_directory: Path, tmp_path: Path) -> Path:
    """A hub repository of an encoder as it is published: with a head for masked words, and code."""
    folder = tmp_path / "repository"
    shutil.copytree(tiny_encoder_directory, folder, ignore=shutil.ignore_patterns("code", MODEL_CARD))
    (folder / "modeling_custom.py").write_text("raise SystemExit")
    return folder


def pickle_weights(folder: Path, kind: Any) -> None:
    torch.save(kind.from_pretrained(folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def stage(model: Path, output: Path, **more: Any) -> Path:
    main(Arguments(**({"source": "s3", "model": model, "output": output, "max_input_tokens": 64} | LABELS | more)))
    return output


def test_an_encoder_of_the_hub_is_staged_as_it_is(
    repository: Path, tiny_encoder_directory: Path, tmp_path: Path
) -> None:
    output = tmp_path / "staged"
    given = {"source": "huggingface", "model_id": "someone/encoder", "revision": COMMIT, "max_input_tokens": 100}
    main(Arguments(output=output, **given, **LABELS), FolderHub(repository))
    assert weights_sha256(output) == weights_sha256(tiny_encoder_directory)
    card = read_model_card(output)
    assert card.decision == Decision(positive=POSITIVE, negative=NEGATIVE)
    assert (card.prompt_template, card.max_input_tokens, card.model_id) == ("{input}", 100, "someone/encoder")
    assert not (output / "generation_config.json").exists() and not (output / "modeling_custom.py").exists()
    assert json.loads((output / "stage_model_arguments.json").read_text())["positive_label"] == POSITIVE


@pytest.mark.parametrize("source", ["s3", "huggingface"])
def test_pickled_weights_are_converted_without_a_head_that_nobody_trained(
    repository: Path, tiny_encoder_directory: Path, tmp_path: Path, source: str
) -> None:
    pickle_weights(repository, AutoModelForMaskedLM)
    sums = []
    for seed in (1, 2):
        torch.manual_seed(seed)  # which an untrained head depends on
        output = tmp_path / str(seed)
        if source == "s3":
            stage(repository, output)
        else:
            given = {"source": source, "model_id": "someone/encoder", "revision": COMMIT, "max_input_tokens": 64}
            main(Arguments(output=output, **given, **LABELS), FolderHub(repository))
        sums.append(weights_sha256(output))
        assert not list(output.glob("*.bin"))
    assert sums[0] == sums[1]
    staged, published = (load_file(folder / "model.safetensors") for folder in (output, tiny_encoder_directory))
    assert staged.keys() == {name for name in published if name.startswith("bert.")}
    assert all(torch.equal(staged[name], published[name]) for name in staged)
    with pytest.raises(ModelError, match="was not trained to classify"):
        TextClassifier.load(output)
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, output, epochs=1.0)
    assert "untrained before: bert.pooler.dense.bias, bert.pooler.dense.weight, classifier.bias" in log


def test_a_trained_head_survives_its_conversion(trained_classifier: tuple[Path, str], tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    shutil.copytree(trained_classifier[0] / "model", trained)
    pickle_weights(trained, AutoModelForSequenceClassification)
    staged = stage(trained, tmp_path / "staged")
    expected, found = (load_file(f / "model.safetensors") for f in (trained_classifier[0] / "model", staged))
    assert expected.keys() == found.keys() and all(torch.equal(expected[name], found[name]) for name in expected)
    card = read_model_card(staged)
    assert card.training is None and card.decision is not None and card.decision.threshold == 0.5


def test_a_packed_encoder_is_staged(repository: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "channel" / "encoder"), "gztar", repository)
    with unpacked_model(stage(tmp_path / "channel", tmp_path / "staged")) as directory:
        assert read_model_card(directory).decision is not None


def test_a_model_of_the_other_kind_is_refused_by_name(
    repository: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="an encoder is needed, this one is of type 't5'"):
        stage(tiny_model_directory, tmp_path / "a")
    with pytest.raises(ModelError, match="a sequence-to-sequence model is needed, this one is of type 'bert'"):
        main(Arguments(source="s3", model=repository, output=tmp_path / "b"))
    T5Config().save_pretrained(repository)
    with pytest.raises(ModelError, match="an encoder is needed"):
        stage(repository, tmp_path / "c")


def test_an_encoder_whose_weights_are_incomplete_is_refused_when_it_is_staged(repository: Path, tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(repository)
    config.num_hidden_layers = 3
    config.save_pretrained(repository)
    with pytest.raises(ModelError, match=r"own weights are missing or of other sizes: bert\.encoder\.layer\.2"):
        stage(repository, tmp_path / "staged")


def test_more_tokens_than_the_encoder_has_positions_are_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="max_input_tokens must be <= 128 for this model, got 129"):
        stage(repository, tmp_path / "staged", max_input_tokens=129)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"negative_label": None}, "--positive-label and --negative-label are given together or not at all"),
        ({"positive_label": None}, "given together or not at all"),
        ({"positive_label": NEGATIVE}, "two labels of different names"),
        ({"num_beams": 4}, "an encoder writes no text and takes no --num-beams"),
        ({"max_new_tokens": 5}, "takes no --max-new-tokens"),
        ({"prompt_template": "Is there an event? {input}"}, "takes no --prompt-template"),
        (
            {"source": "stand_in", "model": None, "train": Path("t")},
            "source stand_in gives models that write text and takes no labels; encoders come from huggingface or s3",
        ),
        ({"source": "jumpstart", "model_id": "m", "revision": "1.0.0"}, "source jumpstart gives models that write"),
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        Arguments(**({"source": "s3", "model": tmp_path, "output": tmp_path} | LABELS | given))
