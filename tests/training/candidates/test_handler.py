"""Somebody's own handler as a candidate, loaded from a folder and asked in this process."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.training.candidates.told import asked_here, evaluated, failures, predictions, write_inputs
from training.candidates.handler import HandlerCandidate
from training.errors import ModelError

LEAD = """
    def model_fn(model_dir):
        return 5

    def predict_fn(data, model):
        return [{"generated_text": " ".join(text.split()[:model])} for text in data["inputs"]]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def handler(folder: Path, script: str, **more: str) -> Path:
    """A handler's folder with `inference.py` and further modules."""
    place = folder / "handler"
    place.mkdir(exist_ok=True)
    for name, text in {"inference": script, **more}.items():
        (place / f"{name}.py").write_text(dedent(text), encoding="utf-8")
    return place


def asked(folder: Path, script: str, size: int = 4) -> dict[str, Any]:
    place = handler(folder, script)
    return asked_here(folder, HandlerCandidate(place, size), kind="custom", handler=place)


def test_a_handler_answers_lists_of_inputs(folder: Path) -> None:
    report = asked(folder, LEAD)
    assert (report["status"], report["needs"], report["leaves_account"]) == ("complete", [], False)
    assert predictions(folder) == {record.id: " ".join(record.input.split()[:5]) for record in evaluated(folder)}


def test_it_finds_its_own_folder_and_what_lies_beside_it(folder: Path) -> None:
    script = """
        from pathlib import Path
        from words_of_this_test import FIRST

        def model_fn(model_dir):
            return FIRST + Path(model_dir).name

        def predict_fn(data, model):
            return [{"generated_text": model} for _ in data["inputs"]]
    """
    place = handler(folder, script, words_of_this_test="FIRST = 'In '")
    assert HandlerCandidate(place, None).ask(["a", "b"]).outcomes == ["In handler", "In handler"]


def test_only_the_records_at_which_it_raises_fail(folder: Path) -> None:
    bad = evaluated(folder)[2]
    script = f"""
        def model_fn(model_dir):
            return None

        def predict_fn(data, model):
            for text in data["inputs"]:
                if text == {bad.input!r}:
                    raise ValueError(f"cannot take {{text}}")
            return [{{"generated_text": "A summary."}} for _ in data["inputs"]]
    """
    report = asked(folder, script)
    reason = "the handler's predict_fn raised ValueError in inference.py, line 8"
    assert failures(folder) == [("dev1", bad.id, reason)]
    assert (report["status"], report["answered"]) == ("partial", 10)
    assert bad.input not in json.dumps([report, failures(folder)])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("[]", "one entry for each of 1 texts: 0 entries"),
        ("[{'generated_text': 'a'}] * 2", "one entry for each of 1 texts: 2 entries"),
        ("'a summary'", "one entry for each of 1 texts: no list"),
        ("None", "one entry for each of 1 texts: no list"),
        ("['a summary' for _ in data['inputs']]", "an entry without text"),
        ("[{'generated_text': 1} for _ in data['inputs']]", "an entry without text"),
    ],
)
def test_answers_in_another_form_are_a_named_error(folder: Path, answer: str, told: str) -> None:
    report = asked(folder, f"def model_fn(d): return 1\ndef predict_fn(data, model): return {answer}\n")
    assert report["status"] == "failed"
    assert "the handler's predict_fn answered in another form than" in report["reason"]
    assert report["reason"].endswith(told)


def test_one_answer_too_few_costs_no_other_record(folder: Path) -> None:
    bad = evaluated(folder)[1]
    script = f"""
        def model_fn(model_dir):
            return None

        def predict_fn(data, model):
            return [{{"generated_text": "Of " + text}} for text in data["inputs"] if text != {bad.input!r}]
    """
    asked(folder, script)
    assert [identity for _, identity, _ in failures(folder)] == [bad.id]
    assert all(predictions(folder)[record.id] == f"Of {record.input}" for record in evaluated(folder) if record != bad)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("raise KeyError('a name')", r"inference\.py cannot be imported: KeyError in inference\.py, line 1"),
        ("def model_fn(:", r"inference\.py cannot be imported: SyntaxError"),
        ("import no_such_package_of_ours", r"inference\.py cannot be imported: ModuleNotFoundError in inference\.py"),
        ("def model_fn(d): return 1", r"inference\.py has no predict_fn"),
        ("x = 1", r"inference\.py has no model_fn and no predict_fn"),
        (
            "def model_fn(d):\n    raise OSError(d)\ndef predict_fn(data, model): return []",
            r"model_fn raised OSError in inference\.py, line 2",
        ),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_named(tmp_path: Path, script: str, told: str) -> None:
    with pytest.raises(ModelError, match=told) as caught:
        HandlerCandidate(handler(tmp_path, script), None)
    assert "a name" not in str(caught.value)


def test_a_folder_without_a_handler_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no inference\.py"):
        HandlerCandidate(tmp_path, None)
