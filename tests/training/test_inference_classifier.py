"""The endpoint of a classifier: both forms of request, what it refuses, and its own code without this repository."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.test_inference import JSON, Context, ask
from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts
from training.errors import ModelError
from training.inference import MODEL_VERSION, ServedModel, model_fn
from training.labels import Decision
from training.model_directory import read_model_card
from training.served_classifier import MAX_CHARACTERS
from training.text_classifier import TextClassifier

TEXT = "After 12 doses of tolvex the patient had a rash."


@pytest.fixture
def model(sure_classifier: Path, monkeypatch: pytest.MonkeyPatch) -> ServedModel:
    monkeypatch.setenv(MODEL_VERSION, "7")
    return model_fn(str(sure_classifier), Context())


def texts(count: int) -> list[str]:
    return [str(record["input"]) for record in labelled_texts(count, start=7000)]


def test_a_text_is_answered_with_label_probability_and_version(model: ServedModel, sure_classifier: Path) -> None:
    classifier = TextClassifier.load(sure_classifier)
    for text, label in zip(texts(3), (NEGATIVE, NEGATIVE, POSITIVE), strict=True):
        (said,) = classifier.classify(classifier.read([text]))
        status, answer = ask(model, {"inputs": text})
        assert (status, said.label) == (200, label)
        assert answer == [{"label": said.label, "probability": said.probability, "model_version": "7"}]


def test_a_list_is_answered_in_order_however_long_its_texts_are(model: ServedModel) -> None:
    asked = [text * times for text, times in zip(texts(9), (1, 60, 1, 3, 300, 1, 7, 2, 90), strict=True)]
    status, answers = ask(model, {"inputs": asked})
    assert status == 200 and {answer["label"] for answer in answers} == {POSITIVE, NEGATIVE}
    for text, answer in zip(asked, answers, strict=True):
        (alone,) = ask(model, {"inputs": [text]})[1]
        assert answer["label"] == alone["label"]
        assert answer["probability"] == pytest.approx(alone["probability"], abs=1e-5)


def test_ids_come_back_with_their_answers(model: ServedModel) -> None:
    ids = [f"note/{number} ☃" for number in range(12)][::-1]
    items = [{"id": one, "text": text} for one, text in zip(ids, texts(12), strict=True)]
    status, answers = ask(model, {"inputs": items})
    assert status == 200
    assert [answer.pop("id") for answer in answers] == ids
    assert answers == ask(model, {"inputs": texts(12)})[1]


def test_256_texts_are_answered_and_50000_characters_are_read_to_their_end(model: ServedModel) -> None:
    assert len(ask(model, {"inputs": texts(256)})[1]) == 256
    nothing = "".join(f"{record['input']} " for record in labelled_texts(60) if record["target"] == NEGATIVE)
    long = (nothing * (MAX_CHARACTERS // len(nothing) + 1))[: MAX_CHARACTERS - len(TEXT) - 1]
    (without,), (within,) = (ask(model, {"inputs": text})[1] for text in (long, f"{long} {TEXT}"))
    assert (without["label"], within["label"]) == (NEGATIVE, POSITIVE)


@pytest.mark.parametrize(
    "text", ["🤢🤢🤢", "发烧 after таблетки", "سعال", "\u200b.", "a\0b", "e\u0301" * 500, "x" * 5000]
)
def test_any_script_is_answered(model: ServedModel, text: str) -> None:
    status, (answer,) = ask(model, {"inputs": text})
    assert status == 200 and 0 <= answer["probability"] <= 1 and answer["label"] in (POSITIVE, NEGATIVE)


def test_the_threshold_is_the_models_own(model: ServedModel, sure_classifier: Path) -> None:
    decision = read_model_card(sure_classifier).decision
    assert isinstance(decision, Decision)
    for answer in ask(model, {"inputs": texts(40)})[1]:
        assert answer["label"] == decision.label(answer["probability"])


@pytest.mark.parametrize("given", [None, ""])
def test_without_a_version_answers_bear_the_checksum_of_the_weights(
    sure_classifier: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv(MODEL_VERSION, raising=False)
    if given is not None:
        monkeypatch.setenv(MODEL_VERSION, given)
    (answer,) = ask(model_fn(str(sure_classifier), Context()), {"inputs": TEXT})[1]
    assert answer["model_version"] == read_model_card(sure_classifier).weights_sha256[:12]


def items(*given: Any) -> dict[str, Any]:
    return {"inputs": list(given)}


GOOD = {"id": "a", "text": TEXT}
REFUSED = {
    "broken JSON": ('{"inputs": "secret', "not JSON"),
    "missing field": ({"text_inputs": "secret"}, "the field inputs is missing"),
    "unknown field": ({"inputs": TEXT, "secret": 1}, "1 unknown field(s); allowed are inputs, parameters"),
    "empty text": ({"inputs": ""}, "inputs: text 0 is empty"),
    "blank text": ({"inputs": [TEXT, " \n"]}, "inputs: text 1 is empty"),
    "no texts": ({"inputs": []}, "1 to 256 texts, got 0"),
    "too many texts": ({"inputs": ["secret"] * 257}, "1 to 256 texts, got 257"),
    "too many items": (items(*({"id": str(n), "text": "secret"} for n in range(257))), "1 to 256 texts, got 257"),
    "a number": ({"inputs": [5]}, "text 0 must be a string, got int"),
    "half a character": ('{"inputs": "\\ud800"}', "not valid Unicode"),
    "too long": (
        {"inputs": [TEXT, "secret " * 10_000]},
        "inputs: text 1 is too long: 70000 characters, at most 50000 are read",
    ),
    "parameters no object": ({"inputs": TEXT, "parameters": [1]}, "parameters must be a JSON object"),
    "explain": ({"inputs": TEXT, "parameters": {"explain": True}}, "takes no parameters; leave out explain"),
    "parameters": (
        {"inputs": TEXT, "parameters": {"num_beams": 2, "secret": 1, "do_sample": True}},
        "takes no parameters; leave out do_sample, num_beams, 1 unknown",
    ),
    "same id": (items({"id": "secret", "text": TEXT}, GOOD, {"id": "secret", "text": "b"}), "entries 0 and 2 have the"),
    "no id": (items(GOOD, {"text": "secret"}), "entry 1 must be an object with id and text"),
    "no text": (items({"id": "secret"}), "entry 0 must be an object with id and text"),
    "text among items": (items(GOOD, "secret"), "entry 1 must be an object with id and text"),
    "item among texts": (items("secret", GOOD), "text 1 must be a string, got dict"),
    "more in an item": (items({**GOOD, "secret": 1}), "1 unknown field(s); allowed are id, text"),
    "id no text": (items({"id": 7, "text": TEXT}), "the id of entry 0 must be a string, got int"),
    "id empty": (items({"id": "", "text": TEXT}), "the id of entry 0 is empty"),
    "id half a character": ('{"inputs": [{"id": "\\ud800", "text": "a"}]}', "the id of entry 0 is not valid Unicode"),
    "item without words": (items({"id": "a", "text": " "}), "inputs: text 0 is empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_with_a_reason_and_the_endpoint_lives_on(model: ServedModel, name: str) -> None:
    body, reason = REFUSED[name]
    status, answer = ask(model, body)
    assert status == 400
    assert set(answer) == {"error"} and reason in answer["error"]
    assert "secret" not in answer["error"]
    assert ask(model, {"inputs": TEXT, "parameters": {}})[0] == 200


def test_other_content_types_are_refused(model: ServedModel) -> None:
    assert ask(model, {"inputs": TEXT}, "text/csv")[0] == 415
    assert ask(model, {"inputs": TEXT}, accept="text/csv")[0] == 406


def test_an_encoder_that_was_never_trained_is_not_served(tiny_encoder_directory: Path) -> None:
    with pytest.raises(ModelError, match="was not trained to classify"):
        model_fn(str(tiny_encoder_directory), Context())


def test_the_code_in_the_model_directory_runs_without_this_repository(sure_classifier: Path, tmp_path: Path) -> None:
    script = f"""
import sys; sys.path.insert(0, {str(sure_classifier / "code")!r})
import inference, training
assert training.__file__.startswith({str(sure_classifier)!r}), training.__file__
model = inference.model_fn({str(sure_classifier)!r})
request = inference.input_fn({json.dumps({"inputs": [GOOD]})!r}, {JSON!r})
print(inference.output_fn(inference.predict_fn(request, model), {JSON!r}))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "OMP_NUM_THREADS": "1",
        MODEL_VERSION: "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout.splitlines()[-1])
    assert (answer["id"], answer["label"], answer["model_version"]) == ("a", POSITIVE, "3")
