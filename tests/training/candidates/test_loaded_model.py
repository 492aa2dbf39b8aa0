"""A foundation model that the job loads: tiny random models of each form, asked for real."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.training.candidates.told import (
    EXAMPLE,
    PROMPT,
    ToldCandidate,
    arguments,
    asked_here,
    evaluated,
    failures,
    predictions,
    write_inputs,
)
from tests.training.tiny_model import invented_pairs, write_part
from tests.training.tiny_writer import build_tiny_writer, write_gguf
from training.candidates.arguments import CandidateArguments
from training.candidates.loaded_model import load_foundation
from training.candidates.outcomes import Asker
from training.errors import ModelError
from training.generation import GenerationParameters, TextGenerator

LONG = "The bones are unremarkable. " * 400


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_writer(tmp_path_factory.mktemp("causal") / "model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def foundation(folder: Path, model: Path, **more: Any) -> CandidateArguments:
    given = {"kind": "foundation", "model": model, "prompt": PROMPT, "max_new_tokens": 12}
    return arguments(folder, **(given | more))


def asked(folder: Path, model: Path, asker: Asker | None = None, **more: Any) -> dict[str, Any]:
    """Load the model, unless there is an `asker`, and let it answer; the report."""
    given = {"kind": "foundation", "model": model, "prompt": PROMPT, "max_new_tokens": 12} | more
    return asked_here(folder, asker or load_foundation(foundation(folder, model, **more), folder), **given)


def test_a_causal_model_continues_the_prompt_whatever_the_batches(folder: Path, causal: Path) -> None:
    answers = []
    for size in (1, 3):
        report = asked(folder, causal, batch_size=size)
        assert (report["status"], report["needs"], report["leaves_account"]) == ("complete", [], False)
        answers.append(predictions(folder))
    assert answers[0] == answers[1] and len(set(answers[0].values())) > 1
    assert not any("Summary:" in answer for answer in answers[0].values()), "the prompt is not part of the answer"


def test_an_encoder_decoder_is_asked_as_it_is(folder: Path, answering_model_directory: Path) -> None:
    write_part(folder / "eval" / "dev1", invented_pairs(28))
    report = asked(folder, answering_model_directory, prompt="{input}", max_new_tokens=16)
    assert report["status"] == "complete"
    own = TextGenerator.load(answering_model_directory)
    questions = own.questions([record.input for record in evaluated(folder)])
    expected = [text for (text,) in own.generate(questions, GenerationParameters(max_new_tokens=16), 4)]
    assert list(predictions(folder).values()) == expected and len(set(expected)) > 1


def test_a_gguf_file_is_a_model_too(folder: Path, causal: Path, tmp_path: Path) -> None:
    asked(folder, causal)
    answers = predictions(folder)
    asked(folder, write_gguf(causal, tmp_path / "tiny.gguf"))
    assert predictions(folder) == answers


def test_a_model_that_chats_is_asked_by_a_message(folder: Path, tmp_path: Path) -> None:
    chatting = load_foundation(foundation(folder, build_tiny_writer(tmp_path / "model", chat=True)), folder)
    assert chatting._asked("Shorten: a note") == "<user>Shorten: a note</s><assistant>"
    assert asked(folder, tmp_path / "model", chatting)["status"] == "complete"


def test_a_prompt_that_is_too_long_is_refused_with_its_length_and_never_cut(folder: Path, tmp_path: Path) -> None:
    model = build_tiny_writer(tmp_path / "model", positions=512)
    records = [*invented_pairs(3), {**invented_pairs(1, start=77)[0], "input": LONG}]
    write_part(folder / "eval" / "dev1", records)
    report = asked(folder, model)
    ((_, identity, reason),) = failures(folder)
    assert identity == records[-1]["id"] and report["answered"] == 7
    tokens = int(reason.split()[3])
    assert reason == f"the prompt is {tokens} tokens long, and the model reads 512 with an answer of 12"
    assert 1000 < tokens < len(LONG)


def test_an_encoder_decoder_refuses_what_its_tokenizer_says_is_too_long(
    folder: Path, answering_model_directory: Path, tmp_path: Path
) -> None:
    loaded = load_foundation(foundation(folder, answering_model_directory), folder)
    loaded._loaded.tokenizer.model_max_length = 64
    (short, long) = loaded.ask(["A nodule.", LONG]).outcomes
    assert isinstance(short, str)
    assert not isinstance(long, str) and long.reason.endswith("tokens long, and the model reads 64")


def test_examples_stand_in_the_prompt_of_a_real_model(folder: Path, causal: Path) -> None:
    told = ToldCandidate(lambda _: "A summary.")
    asked(folder, causal, told, example=EXAMPLE, examples=2)
    assert all(text.count("Note: ") == 3 for text in told.texts)
    assert asked(folder, causal, example=EXAMPLE, examples=2)["status"] == "complete"


def test_a_model_that_cannot_be_loaded_is_named(folder: Path, causal: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model at"):
        load_foundation(foundation(folder, tmp_path / "nothing"), folder)
    broken = shutil.copytree(causal, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        load_foundation(foundation(folder, broken), folder)
