"""The endpoint's handler functions, as the inference toolkit calls them."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_model import invented_pairs
from training.generation import SEQUENCES_A_CALL, SEQUENCES_A_CALL_OF_SMALL, GenerationParameters
from training.inference import ServedModel, input_fn, model_fn, output_fn, predict_fn
from training.model_directory import finish_model_directory, read_model_card
from training.summary_request import Request

JSON = "application/json"
TEXT = "There is a nodule on the left, seen in view 7."


class Context:
    """What multi-model-server's Context does with a status."""

    system_properties: dict[str, Any] = {"gpu_id": None}  # noqa: RUF012  # as theirs

    def __init__(self) -> None:
        self.status = 200

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        self.status = code


@pytest.fixture(scope="module")
def model(answering_model_directory: Path) -> ServedModel:
    return model_fn(str(answering_model_directory), Context())


def ask(model: ServedModel, body: Any, content_type: str | None = JSON, accept: str | None = JSON) -> tuple[int, Any]:
    """(status, JSON value) as the toolkit would answer; `body` is sent as it is if it is text or bytes."""
    context = Context()
    sent = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
    answer = output_fn(predict_fn(input_fn(sent, content_type, context), model, context), accept, context)
    return context.status, json.loads(answer)


@pytest.fixture
def calls(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Batch sizes of the calls of the model itself."""
    sizes: list[int] = []
    generate = model.generator.model.generate

    def counted(**arguments: Any) -> Any:
        sizes.append(len(arguments["input_ids"]))
        return generate(**arguments)

    monkeypatch.setattr(model.generator.model, "generate", counted)
    yield sizes


def test_a_text_is_answered(model: ServedModel) -> None:
    status, answer = ask(model, {"inputs": TEXT})
    assert status == 200
    assert [set(entry) for entry in answer] == [{"generated_text"}]
    assert answer[0]["generated_text"]


def test_a_list_is_answered_in_order_by_one_call_of_the_model(model: ServedModel, calls: list[int]) -> None:
    texts = [str(record["input"]) for record in invented_pairs(12)]
    single = [ask(model, {"inputs": text})[1][0] for text in texts]
    calls.clear()
    assert ask(model, {"inputs": texts}) == (200, single)
    assert calls == [12]
    assert len({entry["generated_text"] for entry in single}) > 1, "equal answers would say nothing about the order"


@pytest.mark.parametrize(("parameters", "at_once"), [(10**9, SEQUENCES_A_CALL_OF_SMALL), (0, SEQUENCES_A_CALL)])
def test_a_long_list_is_answered_by_calls_of_bounded_size(
    model: ServedModel, calls: list[int], monkeypatch: pytest.MonkeyPatch, parameters: int, at_once: int
) -> None:
    monkeypatch.setattr("training.generation.SMALL_PARAMETERS", parameters)
    body = {"inputs": [TEXT] * 150, "parameters": {"num_beams": 2, "max_new_tokens": 2}}
    status, answer = ask(model, body)
    assert status == 200 and len(answer) == 150
    assert max(calls) == at_once // 2 and sum(calls) == 150
    assert len(calls) == -(-150 // (at_once // 2))


def test_what_similar_reports_agree_on_is_refused_where_there_are_none(model: ServedModel) -> None:
    status, answer = ask(model, {"inputs": TEXT, "parameters": {"method": "consensus"}})
    assert status == 400 and "no similar reports" in answer["error"]


def test_several_answers_a_text_stand_together(model: ServedModel) -> None:
    parameters = {"num_beams": 3, "num_return_sequences": 3, "max_new_tokens": 6}
    other = "There is a fracture on the right."
    first, second = (ask(model, {"inputs": text, "parameters": parameters})[1] for text in (TEXT, other))
    status, answer = ask(model, {"inputs": [TEXT, other], "parameters": parameters})
    assert status == 200 and len(answer) == 6
    assert answer == first + second


def test_max_new_tokens_bounds_the_answer(model: ServedModel) -> None:
    def tokens(limit: int) -> int:
        _, answer = ask(model, {"inputs": TEXT, "parameters": {"max_new_tokens": limit}})
        return len(model.generator.tokenizer(answer[0]["generated_text"], add_special_tokens=False)["input_ids"])

    assert tokens(1) <= 1 < tokens(12) <= 12


def test_sampling_depends_on_its_seed_alone(model: ServedModel) -> None:
    def sample(seed: int) -> Any:
        parameters = {"do_sample": True, "num_return_sequences": 4, "temperature": 2, "seed": seed}
        return ask(model, {"inputs": TEXT, "parameters": parameters})

    assert sample(1)[0] == 200 and len(sample(1)[1]) == 4
    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


def test_jumpstarts_form_is_answered_in_kind(model: ServedModel) -> None:
    plain = ask(model, {"inputs": [TEXT, "Clear."], "parameters": {"max_new_tokens": 7, "num_beams": 2}})[1]
    status, answer = ask(model, {"text_inputs": [TEXT, "Clear."], "max_length": 8, "num_beams": 2})
    assert status == 200
    assert answer == {"generated_texts": [entry["generated_text"] for entry in plain]}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
@pytest.mark.parametrize("accept", [None, "*/*", "text/html, application/json;q=0.9"])
def test_headers_in_other_words_are_understood(model: ServedModel, content_type: str, accept: str | None) -> None:
    assert ask(model, json.dumps({"inputs": TEXT}).encode(), content_type, accept)[0] == 200


def parameters(**given: Any) -> dict[str, Any]:
    return {"inputs": TEXT, "parameters": given}


REFUSED = {
    "empty body": ("", "not JSON"),
    "no body": (None, "not JSON"),
    "broken JSON": ('{"inputs": "secret', "not JSON"),
    "broken UTF-8": (b'{"inputs": "\xff"}', "not JSON (UnicodeDecodeError)"),
    "too deep": ("[" * 100_000, "not JSON (RecursionError)"),
    "an endless number": ('{"inputs": ' + "9" * 5000 + "}", "not JSON"),
    "a list": ([TEXT], "must be a JSON object, got list"),
    "missing field": ({"text": "secret"}, "inputs is missing"),
    "unknown field": ({"inputs": TEXT, "secret": 1}, "1 unknown field(s); allowed are inputs, parameters"),
    "empty text": ({"inputs": ""}, "text 0 is empty"),
    "blank text": ({"inputs": [TEXT, " \n"]}, "text 1 is empty"),
    "no texts": ({"inputs": []}, "1 to 256 texts, got 0"),
    "too many texts": ({"inputs": ["secret"] * 257}, "1 to 256 texts, got 257"),
    "a number": ({"inputs": 5}, "text 0 must be a string, got int"),
    "null": ({"inputs": [None]}, "text 0 must be a string, got NoneType"),
    "half a character": ('{"inputs": "\\ud800"}', "not valid Unicode"),
    "long text": (
        {"inputs": ["short", "secret " * 300], "parameters": {"long_inputs": "refuse"}},
        "text 1 is too long",
    ),
    "JumpStart, long text": ({"text_inputs": "secret " * 300, "long_inputs": "refuse"}, "text 0 is too long"),
    "another fate of long texts": (parameters(long_inputs="secret"), "long_inputs must be one of split, refuse"),
    "long texts, no text": (parameters(long_inputs=True), "long_inputs must be str, got bool"),
    "parameters no object": ({"inputs": TEXT, "parameters": [1]}, "parameters must be a JSON object"),
    "unknown parameter": (parameters(secret=1), "1 unknown parameter(s); allowed are do_sample"),
    "no new tokens": (parameters(max_new_tokens=0), "max_new_tokens must be between 1 and 1024, got 0"),
    "many new tokens": (parameters(max_new_tokens=10**9), "max_new_tokens must be between 1 and 1024"),
    "many beams": (parameters(num_beams=17), "num_beams must be between 1 and 16, got 17"),
    "more answers than beams": (parameters(num_return_sequences=2), "num_return_sequences must be between 1 and 1"),
    "many samples": (parameters(do_sample=True, num_return_sequences=17), "between 1 and 16, got 17"),
    "beams and sampling": (parameters(do_sample=True, num_beams=2), "num_beams must be 1 with do_sample"),
    "temperature alone": (parameters(temperature=0.5), "only with do_sample"),
    "no temperature": (parameters(do_sample=True, temperature=0), "temperature must be above 0"),
    "not a number": ('{"inputs": "a", "parameters": {"do_sample": true, "top_p": NaN}}', "top_p must be above 0"),
    "a text for a number": (parameters(num_beams="2"), "num_beams must be int, got str"),
    "a truth for a number": (parameters(num_beams=True), "num_beams must be int, got bool"),
    "a number for a truth": (parameters(do_sample=1), "do_sample must be bool, got int"),
    "a fraction": (parameters(num_beams=1.5), "num_beams must be int, got float"),
    "negative seed": (parameters(seed=-1), "seed must be between 0"),
    "explain of another kind": (parameters(explain=1), 'explain must be true, false or "text"'),
    "explain, another word": (parameters(explain="secret"), 'explain must be true, false or "text"'),
    "explain, null": (parameters(explain=None), 'explain must be true, false or "text"'),
    "explain without similar reports": (
        parameters(explain=True),
        "explain: this model answers without similar reports",
    ),
    "JumpStart, explain of another kind": ({"text_inputs": TEXT, "explain": ["secret"]}, "explain must be true, false"),
    "JumpStart, unknown": ({"text_inputs": TEXT, "secret": 1}, "1 unknown parameter(s)"),
    "JumpStart, too short": ({"text_inputs": TEXT, "max_length": 1}, "max_new_tokens must be between"),
    "JumpStart, no number": ({"text_inputs": TEXT, "max_length": "8"}, "max_length must be int, got str"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_with_a_reason_and_the_endpoint_lives_on(model: ServedModel, name: str) -> None:
    body, reason = REFUSED[name]
    status, answer = ask(model, body)
    assert status == 400
    assert set(answer) == {"error"} and reason in answer["error"]
    assert "secret" not in answer["error"]
    assert ask(model, {"inputs": TEXT})[0] == 200


@pytest.mark.parametrize("content_type", [None, "", "text/csv", "application/jsonlines"])
def test_another_content_type_is_refused(model: ServedModel, content_type: str | None) -> None:
    status, answer = ask(model, {"inputs": TEXT}, content_type)
    assert status == 415 and "content type must be application/json" in answer["error"]


def test_an_answer_that_cannot_be_accepted_is_refused(model: ServedModel) -> None:
    status, answer = ask(model, {"inputs": TEXT}, accept="text/csv")
    assert status == 406 and "answers are application/json" in answer["error"]


def words_that_fit(model: ServedModel) -> int:
    """How often the word may stand for a text that is as long as the model reads."""
    prompt = model.generator.prompt()
    return next(n for n in range(500) if prompt.lengths(["nodule " * (n + 1)])[0] > prompt.max_input_tokens)


def test_a_text_as_long_as_the_model_reads_is_answered_and_one_token_more_is_refused(model: ServedModel) -> None:
    limit, words = model.generator.card.max_input_tokens, words_that_fit(model)
    (length,) = model.generator.prompt().lengths(["nodule " * (words + 1)])
    refuse = {"long_inputs": "refuse"}
    status, answer = ask(model, {"inputs": "nodule " * (words + 1), "parameters": refuse})
    assert status == 400 and f"{length} tokens with the prompt, this model reads {limit}" in answer["error"]
    assert ask(model, {"inputs": "nodule " * words, "parameters": refuse})[0] == 200


def test_a_longer_text_is_answered_in_pieces_unless_the_model_was_told_to_refuse(
    model: ServedModel, answering_model_directory: Path, tmp_path: Path
) -> None:
    long = f"{TEXT} " * 20 + "There is a fracture on the right."
    status, answer = ask(model, {"inputs": [TEXT, long]})
    assert status == 200 and len(answer) == 2
    assert answer[0] == ask(model, {"inputs": TEXT})[1][0] and answer[1]["generated_text"]
    assert ask(model, {"text_inputs": long}) == (200, {"generated_texts": [answer[1]["generated_text"]]})

    refusing = shutil.copytree(answering_model_directory, tmp_path / "refusing")
    finish_model_directory(refusing, dataclasses.replace(read_model_card(refusing), decoding={"long_inputs": "refuse"}))
    told = model_fn(str(refusing), Context())
    assert ask(told, {"inputs": [TEXT, long]})[0] == 400
    assert ask(told, {"inputs": [TEXT, long], "parameters": {"long_inputs": "split"}}) == (200, answer)


def test_several_answers_to_a_long_text_are_merged_each_on_its_own(model: ServedModel) -> None:
    parameters = {"num_beams": 3, "num_return_sequences": 3, "max_new_tokens": 6}
    body = {"inputs": [f"{TEXT} " * 20, TEXT], "parameters": parameters}
    status, answer = ask(model, body)
    assert status == 200 and len(answer) == 6
    assert answer[3:] == ask(model, {"inputs": TEXT, "parameters": parameters})[1]


def test_the_code_in_the_model_directory_runs_without_this_repository(
    answering_model_directory: Path, tmp_path: Path
) -> None:
    script = f"""
import sys; sys.path.insert(0, {str(answering_model_directory / "code")!r})
import inference, training
import bm25s, nltk
assert training.__file__.startswith({str(answering_model_directory)!r}), training.__file__
assert nltk.__file__.startswith({str(answering_model_directory)!r}), nltk.__file__
assert bm25s.__file__.startswith({str(answering_model_directory)!r}), bm25s.__file__
model = inference.model_fn({str(answering_model_directory)!r})
request = inference.input_fn('{{"inputs": "A nodule."}}', "application/json")
print(inference.output_fn(inference.predict_fn(request, model), "application/json"))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "generated_text" in json.loads(done.stdout.splitlines()[-1])[0]


OWN_WAY = GenerationParameters(method="mbr", samples=8, temperature=0.7, max_new_tokens=40)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, OWN_WAY),
        ({"samples": 4}, dataclasses.replace(OWN_WAY, samples=4)),
        ({"temperature": 1.2, "method": "mbr"}, dataclasses.replace(OWN_WAY, temperature=1.2)),
        ({"method": "greedy"}, dataclasses.replace(OWN_WAY, method="greedy", temperature=1.0)),
        ({"num_beams": 3}, dataclasses.replace(OWN_WAY, method=None, temperature=1.0, num_beams=3)),
        (
            {"do_sample": True, "num_return_sequences": 2},
            dataclasses.replace(OWN_WAY, method=None, temperature=1.0, do_sample=True, num_return_sequences=2),
        ),
    ],
)
def test_another_way_of_decoding_does_not_get_the_rest_of_the_models_own(
    asked: dict[str, Any], expected: GenerationParameters
) -> None:
    assert Request([TEXT], asked, jumpstart=False).generation_parameters(OWN_WAY) == expected


def test_minimum_bayes_risk_needs_no_setting_of_another_method() -> None:
    beams = GenerationParameters(num_beams=4)
    asked = Request([TEXT], {"method": "mbr", "temperature": 0.5}, jumpstart=False).generation_parameters(beams)
    assert (asked.method, asked.num_beams, asked.temperature) == ("mbr", 1, 0.5)


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "guess"},
        {"method": 1},
        {"method": "beams"},
        {"method": "mbr", "num_beams": 2},
        {"method": "mbr", "samples": 0},
        {"method": "mbr", "samples": 65},
        {"method": "greedy", "do_sample": True},
    ],
)
def test_decoding_that_contradicts_itself_is_refused(model: ServedModel, asked: dict[str, Any]) -> None:
    status, answer = ask(model, {"inputs": TEXT, "parameters": asked})
    assert status == 400 and answer["error"]
