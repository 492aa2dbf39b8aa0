"""Another fine-tuned model of this project as a candidate."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.training.candidates.told import arguments, asked_here, failures, predictions, write_inputs
from tests.training.tiny_model import invented_pairs, write_part
from training import generate
from training.candidates.fine_tuned import load_fine_tuned
from training.errors import ModelError
from training.model_directory import finish_model_directory, read_model_card


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def asked(folder: Path, model: Path, **more: Any) -> dict[str, Any]:
    given = {"kind": "fine_tuned", "model": model} | more
    return asked_here(folder, load_fine_tuned(arguments(folder, **given)), **given)


def test_it_answers_as_generate_does(folder: Path, answering_model_directory: Path) -> None:
    write_part(folder / "eval" / "dev1", invented_pairs(28))
    report = asked(folder, answering_model_directory, max_new_tokens=12, batch_size=3)
    assert (report["status"], report["kind"]) == ("complete", "fine_tuned")
    generate.main(
        generate.Arguments(
            model=answering_model_directory,
            evaluation=folder / "eval",
            output=folder / "generated",
            max_new_tokens=12,
        )
    )
    own = predictions(folder)
    shutil.copytree(folder / "generated" / "dev1", folder / "output" / "dev1", dirs_exist_ok=True)
    assert own == predictions(folder) and len(set(own.values())) > 1


def test_an_archive_of_it_will_do(folder: Path, answering_model_directory: Path, tmp_path: Path) -> None:
    asked(folder, answering_model_directory)
    answers = predictions(folder)
    shutil.make_archive(str(tmp_path / "packed" / "model"), "gztar", answering_model_directory)
    assert asked(folder, tmp_path / "packed")["status"] == "complete" and predictions(folder) == answers


@pytest.mark.parametrize(("long_inputs", "answered"), [("refuse", 2), ("split", 3)])
def test_a_long_input_is_refused_with_its_length_or_read_in_pieces_as_the_card_says(
    folder: Path, answering_model_directory: Path, tmp_path: Path, long_inputs: str, answered: int
) -> None:
    model = shutil.copytree(answering_model_directory, tmp_path / "model")
    card = dataclasses.replace(read_model_card(model), max_input_tokens=120, decoding={"long_inputs": long_inputs})
    finish_model_directory(model, card)
    long = {**invented_pairs(1, start=77)[0], "input": "There is a nodule on the left. " * 60}
    write_part(folder / "eval" / "dev1", [*invented_pairs(1), long, *invented_pairs(1, start=4)])
    report = asked(folder, model)
    assert report["sets"]["dev1"] == {"asked": 3, "answered": answered}
    refused = [(identity, *reason.split(" tokens long")) for _, identity, reason in failures(folder)]
    if long_inputs == "split":
        assert refused == [] and predictions(folder)[str(long["id"])]
    else:
        ((identity, length, limit),) = refused
        assert (identity, limit) == (long["id"], ", and the model reads 120")
        assert int(length.removeprefix("the prompt is ")) > 120


def test_what_is_no_model_directory_of_this_project_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model_card\.json is missing"):
        asked(folder, tmp_path)
