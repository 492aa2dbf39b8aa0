"""A classifier on the mean of all tokens: what it computes, and that it is trained, saved and loaded as any other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.tiny_encoder import (
    NEGATIVE,
    POSITIVE,
    fine_tune_tiny_encoder,
    labelled_texts,
    write_labelled_splits,
)
from training.labels import Labels
from training.mean_pooled import MeanPooledClassifier, mean_pooled
from training.text_classifier import TextClassifier, load_encoder

TEXTS = [str(record["input"]) for record in labelled_texts(6)]


@pytest.fixture(scope="module")
def trained(tiny_encoder_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_labelled_splits(tmp_path_factory.mktemp("mean"), train=96)
    fine_tune_tiny_encoder(folder, tiny_encoder_directory, pooling="mean", learning_rate=8e-3, epochs=12.0)
    return folder / "model"


def test_the_mean_is_over_the_tokens_and_not_over_padding(tiny_encoder_directory: Path) -> None:
    plain, tokenizer, _ = load_encoder(tiny_encoder_directory, torch.float32, Labels(POSITIVE, NEGATIVE))
    model = mean_pooled(plain).eval()
    with torch.no_grad():
        alone = [model(**_inputs(tokenizer, [text])).logits for text in TEXTS]
        together = model(**_inputs(tokenizer, TEXTS)).logits
        hidden = plain.base_model(**_inputs(tokenizer, TEXTS[:1])).last_hidden_state
        by_hand = model.classifier(hidden.mean(dim=1))
    torch.testing.assert_close(torch.cat(alone), together, atol=1e-5, rtol=0)
    torch.testing.assert_close(by_hand, alone[0], atol=1e-5, rtol=0)


def test_it_is_trained_saved_and_loaded(trained: Path) -> None:
    classifier = TextClassifier.load(trained)
    assert isinstance(classifier.model, MeanPooledClassifier)
    assert json.loads((trained / "config.json").read_text())["model_type"] == "mean_pooled_classifier"
    records = labelled_texts(30, start=600)
    found = classifier.classify(classifier.read([str(record["input"]) for record in records]))
    assert [one.label for one in found] == [record["target"] for record in records]


def test_the_endpoint_loads_it_with_nothing_but_its_own_code(trained: Path) -> None:
    script = "import json, inference; model = inference.model_fn('..'); print(type(model).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=trained / "code", capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ServedClassifier"


def test_a_model_that_is_one_already_stays_what_it_is(trained: Path, tmp_path: Path) -> None:
    folder = write_labelled_splits(tmp_path)
    printed = fine_tune_tiny_encoder(folder, trained, pooling="mean")
    assert "untrained before: none" in printed
    assert TextClassifier.load(folder / "model").model.config.encoder["model_type"] == "bert"


def _inputs(tokenizer: object, texts: list[str]) -> dict[str, torch.Tensor]:
    batch = tokenizer(texts, return_tensors="pt", padding=True)  # type: ignore[operator]
    return {name: batch[name] for name in ("input_ids", "attention_mask")}
