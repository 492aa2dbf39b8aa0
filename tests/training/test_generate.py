"""Generate: one answer a record, in order, the same as the endpoint's."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_model import build_tiny_model, invented_pairs, write_part
from training.errors import ArgumentError, EvaluationError, ModelError
from training.evaluation_answers import POOL_BATCHES
from training.generate import Arguments, main
from training.generation import TextGenerator
from training.inference import input_fn, model_fn, output_fn, predict_fn
from training.model_directory import finish_model_directory, read_model_card

COUNT = 2 * POOL_BATCHES + 5  # with batch size 2: one whole pool and a short one


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval")
    write_part(folder / "dev1", invented_pairs(COUNT))
    write_part(folder / "dev2", invented_pairs(3, start=500), number=0)
    write_part(folder / "dev2", invented_pairs(2, start=600), number=1)
    return folder


def generated(folder: Path, model: Path, evaluation: Path, **more: Any) -> dict[str, list[dict[str, str]]]:
    output = folder / "generated"
    main(
        Arguments(model=model, evaluation=evaluation, output=output, **({"max_new_tokens": 12, "batch_size": 2} | more))
    )
    return {
        str(part.relative_to(output)): [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
        for part in sorted(output.glob("*/part-*.jsonl"))
    }


def test_every_record_is_answered_in_order_part_by_part(
    answering_model_directory: Path, evaluation: Path, tmp_path: Path
) -> None:
    parts = generated(tmp_path, answering_model_directory, evaluation)
    assert list(parts) == ["dev1/part-00000.jsonl", "dev2/part-00000.jsonl", "dev2/part-00001.jsonl"]
    assert [row["id"] for row in parts["dev1/part-00000.jsonl"]] == [record["id"] for record in invented_pairs(COUNT)]
    assert all(set(row) == {"id", "prediction"} for rows in parts.values() for row in rows)
    assert len({row["prediction"] for row in parts["dev1/part-00000.jsonl"]}) > 1
    assert json.loads((tmp_path / "generated" / "arguments.json").read_text())["max_new_tokens"] == 12


@pytest.mark.parametrize("num_beams", [1, 3])
def test_batches_do_not_change_an_answer(
    answering_model_directory: Path, evaluation: Path, tmp_path: Path, num_beams: int
) -> None:
    alone = generated(tmp_path / "1", answering_model_directory, evaluation, batch_size=1, num_beams=num_beams)
    together = generated(tmp_path / "16", answering_model_directory, evaluation, batch_size=16, num_beams=num_beams)
    assert alone == together


def test_evaluation_and_endpoint_give_the_same_answers(
    answering_model_directory: Path, evaluation: Path, tmp_path: Path
) -> None:
    rows = generated(tmp_path, answering_model_directory, evaluation)["dev1/part-00000.jsonl"]
    body = {"inputs": [record["input"] for record in invented_pairs(COUNT)], "parameters": {"max_new_tokens": 12}}
    request = input_fn(json.dumps(body), "application/json")
    answers = json.loads(output_fn(predict_fn(request, model_fn(str(answering_model_directory))), "application/json"))
    assert [answer["generated_text"] for answer in answers] == [row["prediction"] for row in rows]


def test_a_packed_model_gives_the_same_answers(
    answering_model_directory: Path, evaluation: Path, tmp_path: Path
) -> None:
    shutil.make_archive(str(tmp_path / "output" / "model"), "gztar", answering_model_directory)
    packed = generated(tmp_path / "packed", tmp_path / "output", evaluation)
    assert packed == generated(tmp_path / "plain", answering_model_directory, evaluation)


def test_the_prompt_is_the_models_own_unless_another_is_given(
    answering_model_directory: Path, evaluation: Path, tmp_path: Path
) -> None:
    template = "hernia on the right: {input}"
    prompted = shutil.copytree(answering_model_directory, tmp_path / "prompted")
    finish_model_directory(prompted, dataclasses.replace(read_model_card(prompted), prompt_template=template))
    own = generated(tmp_path / "a", prompted, evaluation)
    assert own == generated(tmp_path / "b", answering_model_directory, evaluation, prompt_template=template)
    assert own != generated(tmp_path / "c", answering_model_directory, evaluation)


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("long_inputs", "became"), [("split", "read in pieces"), ("refuse", "refused")])
def test_what_is_longer_than_the_model_reads_is_split_or_refused_and_said(
    evaluation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], long_inputs: str, became: str
) -> None:
    model = build_tiny_model(tmp_path / "model", steps=20, max_input_tokens=30)
    prompt = TextGenerator.load(model).prompt()
    tokens = prompt.lengths([str(record["input"]) for record in invented_pairs(COUNT)])
    too_long = [tokens > 30 for tokens in tokens]
    rows = generated(tmp_path, model, evaluation, long_inputs=long_inputs)["dev1/part-00000.jsonl"]
    assert 0 < sum(too_long) < COUNT
    assert f"; {sum(too_long)} inputs longer than 30 tokens were {became}" in capsys.readouterr().out
    noted = {row["id"]: row for row in lines_of(tmp_path / "generated" / "dev1" / "long-00000.jsonl")}
    for row, length, long in zip(rows, tokens, too_long, strict=True):
        assert (row["id"] in noted) == long
        assert bool(row["prediction"]) == (not long or long_inputs == "split")
        if long:
            assert noted[row["id"]]["tokens"] == length
            pieces = noted[row["id"]]["pieces"]
            assert pieces >= 2 if long_inputs == "split" else pieces == 0


def test_it_says_how_long_answering_took(answering_model_directory: Path, evaluation: Path, tmp_path: Path) -> None:
    generated(tmp_path, answering_model_directory, evaluation)
    answering = json.loads((tmp_path / "generated" / "answering.json").read_text())
    assert set(answering) == {"seconds", "records"}
    assert answering["records"] == COUNT + 5 and answering["seconds"] > 0
    assert not list((tmp_path / "generated").glob("*/long-*"))


def test_no_evaluation_set_is_a_named_error(answering_model_directory: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no evaluation set"):
        generated(tmp_path, answering_model_directory, tmp_path)


def test_an_empty_set_has_no_answers(answering_model_directory: Path, tmp_path: Path) -> None:
    write_part(tmp_path / "eval" / "dev", [])
    assert generated(tmp_path, answering_model_directory, tmp_path / "eval") == {"dev/part-00000.jsonl": []}


def test_no_model_is_a_named_error(evaluation: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model_card\.json is missing"):
        generated(tmp_path, tmp_path, evaluation)


@pytest.mark.parametrize(
    "given",
    [
        {"batch_size": 0},
        {"long_inputs": "cut"},
        {"num_beams": 17},
        {"max_new_tokens": 1025},
        {"prompt_template": "nothing"},
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=next(iter(given))):
        Arguments(model=tmp_path, evaluation=tmp_path, output=tmp_path, **given)
