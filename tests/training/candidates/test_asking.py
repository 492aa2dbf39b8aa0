"""Asking, whatever is asked: which records, what becomes of each, when it ends, what is reported."""

import json
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
from training.candidates.outcomes import Outcome, Unanswered
from training.errors import ArgumentError
from training.splits import read_split

FILTERED = Unanswered("a filter")
THROTTLED = Unanswered("throttled", lasting=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_inputs(tmp_path)


def every(outcome: Outcome, **more: Any) -> ToldCandidate:
    return ToldCandidate(lambda _: outcome, **more)


def test_every_record_of_every_set_is_answered_in_order(folder: Path) -> None:
    told = ToldCandidate(lambda text: f"  Of {text[-8:]}\n")
    report = asked_here(folder, told)
    for name in ("dev1", "dev2"):
        assert list(predictions(folder, name).items()) == [
            (record.id, f"Of {record.input[-8:]}") for record in evaluated(folder, name)
        ]
    assert failures(folder) == []
    assert (report["status"], report["reason"], report["answered"]) == ("complete", None, 11)
    assert report["sets"] == {"dev1": {"asked": 7, "answered": 7}, "dev2": {"asked": 4, "answered": 4}}
    assert [len(texts) for texts in told.calls] == [2, 2, 2, 1, 2, 2]
    assert json.loads((folder / "output" / "candidate.json").read_text(encoding="utf-8")) == report


def test_a_limit_on_records_draws_the_same_ones_and_a_higher_one_those_too(folder: Path) -> None:
    write_part(folder / "eval" / "dev1", invented_pairs(60))
    drawn = []
    for most, seed in ((5, 1), (12, 1), (12, 2)):
        report = asked_here(folder, every("A summary."), max_records=most, seed=seed)
        assert report["sets"] == {"dev1": {"asked": most, "answered": most}, "dev2": {"asked": 4, "answered": 4}}
        drawn.append(list(predictions(folder)))
    few, more, others = drawn
    order = [record.id for record in evaluated(folder)]
    assert set(few) < set(more) and set(more) != set(others)
    assert more == [identity for identity in order if identity in more] != order[:12]


def test_a_record_without_an_answer_is_named_and_the_others_are_asked(folder: Path) -> None:
    bad = evaluated(folder)[3]
    report = asked_here(folder, ToldCandidate(lambda text: FILTERED if text == bad.input else "A summary."))
    assert failures(folder) == [("dev1", bad.id, "a filter")]
    assert bad.id not in predictions(folder) and len(predictions(folder)) == 6
    assert report["status"] == "partial"
    assert report["reason"] == "1 of 11 records have no answer, most often: a filter"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(" \n", "the answer is empty"), ("half a \ud800", "the answer is no text that can be written down")],
)
def test_an_answer_that_is_none_is_a_failure(folder: Path, answer: str, reason: str) -> None:
    bad = evaluated(folder)[0]
    asked_here(folder, ToldCandidate(lambda text: answer if text == bad.input else "A summary."))
    assert failures(folder) == [("dev1", bad.id, reason)]


def test_a_candidate_that_answers_nothing_has_failed(folder: Path) -> None:
    report = asked_here(folder, every(FILTERED))
    assert (report["status"], report["answered"]) == ("failed", 0)
    assert report["reason"] == "11 of 11 records have no answer, most often: a filter"
    assert report["dollars_per_1000"] is report["seconds_per_1000"] is None


def test_a_candidate_is_given_up_when_the_same_lasting_reason_comes_five_times_in_a_row(folder: Path) -> None:
    told = every(THROTTLED, texts_a_call=1)
    report = asked_here(folder, told)
    assert len(told.calls) == 5
    assert report["status"] == "failed"
    assert report["reason"] == "5 records in a row had no answer, so no more were tried: throttled"
    assert len(failures(folder)) == 11, "every record without an answer has a reason"
    assert {reason for _, _, reason in failures(folder)[5:]} == {f"not asked: {report['reason']}"}


def test_a_lasting_reason_that_does_not_last_is_a_failure_of_its_records_alone(folder: Path) -> None:
    good = {record.input for record in evaluated(folder)[4::5]} | {record.input for record in evaluated(folder, "dev2")}
    report = asked_here(folder, ToldCandidate(lambda text: "Yes." if text in good else THROTTLED, texts_a_call=1))
    assert (report["status"], report["answered"], len(failures(folder))) == ("partial", 5, 6)


def test_it_ends_at_the_cost_limit_and_keeps_what_was_answered(folder: Path) -> None:
    told = every("A summary.", texts_a_call=1, input_tokens=1000, output_tokens=100)
    prices = {"dollars_per_million_input_tokens": 1.0, "dollars_per_million_output_tokens": 10.0}
    report = asked_here(folder, told, max_dollars=0.005, **prices)
    assert len(told.calls) == 3, "0.002 dollars a record: the third reaches the limit"
    assert (report["status"], report["answered"]) == ("partial", 3)
    assert report["reason"] == "the cost limit of 0.005 dollars (max_dollars) was reached: about 0.006 were spent"
    assert (report["input_tokens"], report["output_tokens"]) == (3000, 300)
    assert report["dollars"] == pytest.approx(0.006) and report["dollars_per_1000"] == pytest.approx(2.0)
    assert len(predictions(folder)) == 3 and len(failures(folder)) == 8


def test_a_price_an_hour_is_of_the_seconds_of_asking(folder: Path) -> None:
    handler = {"kind": "custom", "handler": folder, "dollars_per_hour": 36.0}
    report = asked_here(folder, every("A summary."), **handler)
    assert report["seconds"] == pytest.approx(report["seconds_per_1000"] * 11 / 1000, abs=1e-3)
    assert report["dollars_per_1000"] == pytest.approx(report["seconds_per_1000"] * 0.01)
    assert report["input_tokens"] is report["output_tokens"] is None
    assert asked_here(folder, every("A summary."), kind="custom", handler=folder)["dollars"] is None


def test_a_cost_limit_by_the_hour_ends_it_too(folder: Path) -> None:
    told = every("A summary.", texts_a_call=1)
    report = asked_here(folder, told, kind="custom", endpoint="own", dollars_per_hour=1e12, max_dollars=0.01)
    assert len(told.calls) == 1 and "cost limit of 0.01 dollars" in report["reason"]


def test_examples_are_the_same_for_every_record_and_of_the_train_split_alone(folder: Path) -> None:
    (folder / "validation").mkdir()
    write_part(folder / "validation", invented_pairs(30, start=7000))
    told = every("A summary.")
    asked_here(folder, told, prompt=PROMPT, example=EXAMPLE, examples=2)
    (head,) = {text.rpartition("Note: ")[0] for text in told.texts}
    training = {record.input: record.target for record in read_split(folder / "train")}
    shown = [part.partition("\n\nSummary: ") for part in head.split("Note: ")[1:]]
    assert len(shown) == 2
    assert all(training[note] == target.strip() for note, _, target in shown)
    others = [record.input for name in ("dev1", "dev2") for record in evaluated(folder, name)]
    others += [record.input for record in read_split(folder / "validation")]
    assert not any(text in head for text in others)
    assert [text.rpartition("Note: ")[2] for text in told.texts] == [
        f"{record.input}\n\nSummary:" for name in ("dev1", "dev2") for record in evaluated(folder, name)
    ]


def test_a_record_that_is_an_example_is_not_asked(folder: Path) -> None:
    write_part(folder / "train", invented_pairs(2, start=0))
    told = every("A summary.", texts_a_call=1)
    asked_here(folder, told, prompt=PROMPT, example=EXAMPLE, examples=1)
    ((name, identity, reason),) = failures(folder)
    assert (name, reason) == ("dev1", "it is one of the examples that the prompt shows")
    assert identity in (evaluated(folder)[0].id, evaluated(folder)[1].id) and len(told.calls) == 10


def test_too_few_records_for_the_examples_end_the_candidate(folder: Path) -> None:
    write_part(folder / "train", invented_pairs(2))
    report = asked_here(folder, every("A summary."), prompt=PROMPT, example=EXAMPLE, examples=2)
    assert report["status"] == "failed"
    assert report["reason"] == "2 examples are wanted of the shorter half of the train split, which holds 1 records"


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ({}, ["network"]),
        ({"licence": "Apache-2.0"}, ["network", "acceptance of the licence Apache-2.0"]),
        ({"kind": "custom", "handler": Path("handler"), "instance_type": "ml.g5.2xlarge"}, ["GPU"]),
        ({"kind": "custom", "endpoint": "own", "instance_type": "ml.m5.xlarge"}, ["network"]),
        ({"kind": "fine_tuned", "model": Path("model"), "instance_type": "ml.p4d.24xlarge"}, ["GPU"]),
    ],
)
def test_what_it_needs_is_said(folder: Path, more: dict[str, Any], needs: list[str]) -> None:
    report = asked_here(folder, every("A summary."), **more)
    assert report["needs"] == needs
    assert report["leaves_account"] is (report["kind"] == "bedrock")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"kind": "other"}, "kind must be one of"),
        ({"endpoint": "b"}, "kind bedrock takes --model-id, got endpoint, model_id"),
        ({"kind": "custom"}, "kind custom takes --handler or --endpoint, got none"),
        ({"prompt": None}, "kind bedrock needs --prompt and --max-new-tokens"),
        ({"prompt": "Summarise"}, r"prompt must contain \{input\} exactly once, got 0"),
        ({"prompt": "{input}", "example": EXAMPLE, "examples": 2}, r"needs \{examples\} in the prompt"),
        ({"prompt": PROMPT, "examples": 2}, "and an example template"),
        ({"prompt": PROMPT, "example": "{input}", "examples": 2}, r"example must contain \{input\} and \{target\}"),
        ({"prompt": PROMPT, "example": EXAMPLE, "examples": 11}, "examples must be between 0 and 10"),
        ({"max_records": 0}, "max_records must be >= 1"),
        ({"max_dollars": 0.0}, "max_dollars must be above 0"),
        (
            {"max_dollars": 1.0, "dollars_per_million_input_tokens": 1.0},
            "max_dollars needs --dollars-per-million-input",
        ),
        ({"dollars_per_hour": 1.0}, "is said by --dollars-per-million-input-tokens and"),
        ({"revision": "a" * 40}, "revision has a meaning only for kind foundation"),
        ({"kind": "custom", "handler": Path("a"), "max_new_tokens": 5}, "a handler decides itself"),
        ({"kind": "fine_tuned", "model": Path("a"), "prompt": PROMPT}, "kind fine_tuned takes no --prompt"),
        ({"max_seconds": 0.0}, "max_seconds must be above 0"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path: Path, more: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        arguments(tmp_path, **more)
