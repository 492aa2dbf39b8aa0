"""A loaded classifier: its own tokenizer, length and threshold, answers in order, nothing left unread."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts
from training.errors import ArgumentError, ModelError
from training.labels import Decision
from training.model_directory import MODEL_CARD, finish_model_directory, read_model_card
from training.splits import Record
from training.text_classifier import Classified, TextClassifier
from training.text_windows import Reading, TextWindows
from training.token_store import build_token_store


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


def test_a_text_that_fits_is_read_as_training_reads_it(classifier: TextClassifier, tmp_path: Path) -> None:
    asked = texts(8)
    records = (Record(f"{number:016x}", text, POSITIVE) for number, text in enumerate(asked))
    limits = {"max_input_tokens": classifier.max_input_tokens, "max_target_tokens": 1}
    store = build_token_store(
        records,
        classifier.tokenizer,
        tmp_path / "ids",
        prompt_template="{input}",
        labels=classifier.decision.labels,
        **limits,
    )
    assert [reading.windows for reading in classifier.read(asked)] == [[item["input_ids"]] for item in store]


def test_a_long_text_is_read_whole_in_windows_that_overlap(classifier: TextClassifier) -> None:
    text = "".join(f"A rash 🤒 after {number} doses of tolvex. " for number in range(1200))
    assert len(text) > 40_000
    (reading,) = classifier.read([text])
    whole = classifier.tokenizer(text, verbose=False)["input_ids"]
    limit = classifier.max_input_tokens
    assert reading.tokens == len(whole) > 9_000 and reading.long
    assert all(len(window) == limit for window in reading.windows)
    assert all((window[0], window[-1]) == (whole[0], whole[-1]) for window in reading.windows)
    joined = reading.windows[0][1:-1]
    for number, window in enumerate(reading.windows[1:], start=2):
        inside = window[1:-1]
        shared = max(size for size in range(len(inside) + 1) if joined[len(joined) - size :] == inside[:size])
        if number < len(reading.windows):
            assert shared == round(0.25 * len(inside))
        joined += inside[shared:]
    assert joined == whole[1:-1]


def test_one_passage_makes_a_long_text_positive_wherever_it_stands(sure_classifier: Path) -> None:
    """As the mean over windows would not: most of the text says nothing."""
    classifier = TextClassifier.load(sure_classifier)
    records = labelled_texts(60)
    nothing = " ".join(str(record["input"]) for record in records if record["target"] == NEGATIVE)
    event = next(str(record["input"]) for record in records if record["target"] == POSITIVE)
    readings = classifier.read([nothing, f"{event} {nothing}", f"{nothing} {event} {nothing}", f"{nothing} {event}"])
    assert all(len(reading.windows) > 10 for reading in readings)
    assert [answer.label for answer in classifier.classify(readings)] == [NEGATIVE, POSITIVE, POSITIVE, POSITIVE]
    for reading, probability in zip(readings, classifier.probabilities(readings), strict=True):
        windows = classifier.probabilities([Reading([window], len(window)) for window in reading.windows])
        assert probability == pytest.approx(windows.max(), abs=1e-6)


def test_texts_of_very_different_lengths_share_batches_and_keep_their_answers(sure_classifier: Path) -> None:
    classifier = TextClassifier.load(sure_classifier)
    asked = [text * times for text, times in zip(texts(9), (1, 40, 1, 3, 200, 1, 7, 2, 90), strict=True)]
    together = classifier.probabilities(classifier.read(asked), batch_size=16)
    alone = [classifier.probabilities(classifier.read([text]), batch_size=1)[0] for text in asked]
    assert together == pytest.approx(alone, abs=1e-5)
    assert {answer.label for answer in classifier.classify(classifier.read(asked))} == {POSITIVE, NEGATIVE}


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
        broken.probabilities([Reading([[1, 2]], 2)])


@pytest.mark.parametrize("limit", [3, 4, 5, 7, 50])
def test_windows_of_any_length_hold_every_token(classifier: TextClassifier, limit: int) -> None:
    text = " ".join(str(number) for number in range(10)) * 3
    windows = TextWindows(classifier.tokenizer, limit)
    (reading,) = windows.read([text])
    whole = classifier.tokenizer(text)["input_ids"]
    assert {token for window in reading.windows for token in window} == set(whole)
    assert all(len(window) == min(limit, len(whole)) for window in reading.windows)
    assert reading.windows[0][1:-1] == whole[1:-1][: limit - 2]
    assert reading.windows[-1][1:-1] == whole[1:-1][-(limit - 2) :]


def test_windows_without_room_for_text_are_refused(classifier: TextClassifier) -> None:
    with pytest.raises(ArgumentError, match=r"max_input_tokens \(2\) leaves no room"):
        TextWindows(classifier.tokenizer, 2)


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
