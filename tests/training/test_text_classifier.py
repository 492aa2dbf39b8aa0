"""A loaded classifier: its own tokenizer, length and threshold, answers in order, nothing cut in silence."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts
from training.errors import ArgumentError, ModelError
from training.labels import Decision
from training.model_directory import MODEL_CARD, finish_model_directory, read_model_card
from training.text_classifier import Classified, Reading, TextClassifier


@pytest.fixture(scope="module")
def classifier(trained_classifier: tuple[Path, str]) -> TextClassifier:
    return TextClassifier.load(trained_classifier[0] / "model")


def texts(count: int) -> list[str]:
    return [str(record["input"]) for record in labelled_texts(count, start=7000)]


def test_probabilities_come_in_the_order_of_the_texts(classifier: TextClassifier) -> None:
    asked = texts(30)
    together = classifier.probabilities(classifier.read(asked), batch_size=4)
    alone = [classifier.probabilities(classifier.read([text]))[0] for text in asked]
    assert together == pytest.approx(alone, abs=1e-5)
    assert len({round(value, 6) for value in alone}) > 5, "texts must differ for this test to say anything"
    inputs = classifier.tokenizer(asked[0], return_tensors="pt")
    with torch.no_grad():
        expected = torch.softmax(classifier.model(**inputs).logits, 1)[0, 1].item()
    assert alone[0] == pytest.approx(expected, abs=1e-6)
    assert classifier.probabilities([]).shape == (0,) and classifier.read([]) == []


def test_a_label_is_decided_by_the_models_own_threshold(classifier: TextClassifier) -> None:
    readings = classifier.read(texts(30))
    answers = classifier.classify(readings)
    assert {answer.label for answer in answers} == {POSITIVE, NEGATIVE}
    lowest = min(answer.probability for answer in answers)
    card = dataclasses.replace(
        classifier.card, decision=Decision(positive=POSITIVE, negative=NEGATIVE, threshold=lowest)
    )
    moved = TextClassifier(classifier.model, classifier.tokenizer, card)
    assert {answer.label for answer in moved.classify(readings)} == {POSITIVE}
    assert isinstance(answers[0], Classified)


def test_a_text_that_is_too_long_is_cut_and_says_so(classifier: TextClassifier) -> None:
    long, short = "A rash 🤒 after tolvex. " * 2200, "A rash."
    assert len(long) > 50_000
    cut, whole = classifier.read([long, short])
    limit = classifier.card.max_input_tokens
    assert (len(cut.ids), cut.cut_off, whole.cut_off) == (limit, True, False)
    assert cut.tokens == len(classifier.tokenizer(long, verbose=False)["input_ids"]) > 10_000
    assert whole.tokens == len(whole.ids)
    assert cut.ids[-1] == whole.ids[-1] == classifier.tokenizer.sep_token_id
    assert np.isfinite(classifier.probabilities([cut, whole])).all()


def test_any_script_gets_an_answer(classifier: TextClassifier) -> None:
    found = classifier.probabilities(classifier.read(["🤢🤢🤢", "发烧", "سعال after таблетки", "\u200b", "a\0b"]))
    assert ((found >= 0) & (found <= 1)).all()


def test_an_answer_that_is_no_number_is_a_named_error(classifier: TextClassifier) -> None:
    class Broken:
        device = torch.device("cpu")

        def __call__(self, **inputs: torch.Tensor) -> object:
            return type("Output", (), {"logits": torch.full((len(inputs["input_ids"]), 2), float("nan"))})

    broken = TextClassifier(Broken(), classifier.tokenizer, classifier.card)
    with pytest.raises(ModelError, match="not a number"):
        broken.probabilities([Reading([1, 2], 2)])


def test_an_encoder_that_was_never_trained_to_classify_is_refused(tiny_encoder_directory: Path) -> None:
    with pytest.raises(ModelError, match=r"not trained to classify: it lacks .*classifier\.weight"):
        TextClassifier.load(tiny_encoder_directory)


def test_a_model_that_writes_text_is_refused(tiny_model_directory: Path) -> None:
    with pytest.raises(ModelError, match="writes text"):
        TextClassifier.load(tiny_model_directory)


def test_a_longer_input_than_the_encoder_has_positions_for_is_refused(
    trained_classifier: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copytree(trained_classifier[0] / "model", tmp_path / "model")
    card = json.loads((tmp_path / "model" / MODEL_CARD).read_text())
    (tmp_path / "model" / MODEL_CARD).write_text(json.dumps(card | {"max_input_tokens": 129}))
    with pytest.raises(ModelError, match="max_input_tokens must be <= 128"):
        TextClassifier.load(tmp_path / "model")


def test_a_card_keeps_its_decision(trained_classifier: tuple[Path, str]) -> None:
    card = read_model_card(trained_classifier[0] / "model")
    assert isinstance(card.decision, Decision)
    assert card.decision.label(card.decision.threshold) == POSITIVE
    assert card.decision.label(card.decision.threshold - 1e-9) == NEGATIVE
    for threshold in (0.0, 1.1):
        with pytest.raises(ArgumentError, match="threshold must be above 0 and at most 1"):
            Decision(positive=POSITIVE, negative=NEGATIVE, threshold=threshold)


def test_a_card_says_which_kind_of_model_is_wanted(
    trained_classifier: tuple[Path, str], tiny_model_directory: Path, tmp_path: Path
) -> None:
    card = read_model_card(trained_classifier[0] / "model")
    for source in (trained_classifier[0] / "model", tiny_model_directory):
        shutil.copytree(source, tmp_path / "model", dirs_exist_ok=True)
    with pytest.raises(ModelError, match="an encoder is needed, this one is of type 't5'"):
        finish_model_directory(tmp_path / "model", card)
