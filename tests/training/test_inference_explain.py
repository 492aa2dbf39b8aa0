"""The endpoint says which training reports an answer rested on, and shows their text only where that is permitted."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.test_fine_tune import arguments_of
from tests.training.test_inference import Context, ask
from tests.training.tiny_model import write_splits
from tests.training.tiny_similar import build_tiny_copying_model, write_similar
from training.consensus import NEIGHBOURS
from training.fine_tune import main
from training.inference import SIMILAR_TEXT, ServedModel, model_fn
from training.splits import read_split

TEXTS = ["There is a hernia on the left, seen in view 3.", "There is a nodule on the right, seen in view 70."]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    staged = build_tiny_copying_model(tmp_path_factory.mktemp("copying") / "model", steps=10)
    folder = write_splits(tmp_path_factory.mktemp("trained"))
    similar = write_similar(folder / "similar", folder / "train")
    main(arguments_of(folder, staged, similar=similar, epochs=1, method="mbr", samples=4, temperature=0.7))
    return folder


@pytest.fixture(params=["not said", "false", "True"])
def closed(trained: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ServedModel:
    """A model whose endpoint was not permitted to show text."""
    monkeypatch.delenv(SIMILAR_TEXT, raising=False)
    if request.param != "not said":
        monkeypatch.setenv(SIMILAR_TEXT, request.param)
    return model_fn(str(trained / "model"), Context())


@pytest.fixture
def model(trained: Path, monkeypatch: pytest.MonkeyPatch) -> ServedModel:
    """One that was."""
    monkeypatch.setenv(SIMILAR_TEXT, "true")
    return model_fn(str(trained / "model"), Context())


def asked(texts: Any, **parameters: Any) -> dict[str, Any]:
    return {"inputs": texts, "parameters": parameters}


def test_an_answer_names_every_training_report_that_it_rested_on(model: ServedModel, trained: Path) -> None:
    targets = {record.id: record.target for record in read_split(trained / "train")}
    status, answer = ask(model, asked(TEXTS, explain=True))
    assert status == 200
    plain = ask(model, asked(TEXTS))[1]
    assert [entry["generated_text"] for entry in answer] == [entry["generated_text"] for entry in plain]
    for entry, question in zip(answer, model.generator.questions(TEXTS), strict=True):
        similar = entry["similar"]
        assert [report["id"] for report in similar] == [report.id for report in question.similar]
        assert len({report["id"] for report in similar} & targets.keys()) == NEIGHBOURS
        shown = [report["similarity"] for report in similar]
        assert shown == sorted(shown, reverse=True) and all(0 < one <= 1 and one == round(one, 4) for one in shown)
        assert all(set(report) == {"id", "similarity"} for report in similar)
    assert answer[0]["similar"] != answer[1]["similar"]


def test_text_comes_only_when_it_is_asked_for(model: ServedModel, trained: Path) -> None:
    targets = {record.id: record.target for record in read_split(trained / "train")}
    status, (answer,) = ask(model, asked(TEXTS[0], explain="text"))
    assert status == 200
    assert [report["impression"] for report in answer["similar"]] == [targets[one["id"]] for one in answer["similar"]]
    assert ask(model, asked(TEXTS[0], explain=False)) == ask(model, asked(TEXTS[0]))
    assert set(ask(model, asked(TEXTS[0], explain=False))[1][0]) == {"generated_text"}


def test_text_that_is_not_permitted_is_refused_with_what_to_change(closed: ServedModel) -> None:
    for body in (asked(TEXTS, explain="text"), {"text_inputs": TEXTS, "explain": "text"}):
        status, answer = ask(closed, body)
        assert status == 403
        assert "ask with true" in answer["error"] and "serving.similar_text: true" in answer["error"]
    status, answer = ask(closed, asked(TEXTS, explain=True))
    assert status == 200 and "impression" not in json.dumps(answer)


def test_several_answers_of_one_text_rest_on_the_same_reports(model: ServedModel) -> None:
    ways = {"do_sample": True, "num_return_sequences": 3, "max_new_tokens": 3}
    status, answer = ask(model, asked(TEXTS, explain=True, **ways))
    lists = [entry["similar"] for entry in answer]
    assert status == 200 and len(lists) == 6
    assert lists[:3] == [lists[0]] * 3 and lists[3:] == [lists[5]] * 3 and lists[0] != lists[5]
    ways["max_length"] = ways.pop("max_new_tokens") + 1
    texts = [entry["generated_text"] for entry in answer]
    jumpstart = {"text_inputs": TEXTS, "explain": True, **ways}
    assert ask(model, jumpstart) == (200, {"generated_texts": texts, "similar": lists})


def test_a_text_like_no_report_rests_on_none(model: ServedModel) -> None:
    status, (answer,) = ask(model, asked("zzz qqq", explain="text"))
    assert status == 200 and answer["similar"] == []
