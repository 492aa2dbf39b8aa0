"""GenerateExamples in this process: what is shown, what is kept, what is counted; once with a model and as a job."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_encoder import EVENTS, NEGATIVE, POSITIVE, labelled_texts
from tests.training.tiny_model import write_part
from tests.training.tiny_writer import (
    ToldWriter,
    build_tiny_writer,
    example_arguments,
    generated,
    table_rows,
    write_prepared,
)
from training.errors import ArgumentError, UploadError
from training.example_filters import (
    DUPLICATE,
    EMPTY,
    EVALUATED_COPY,
    LONG,
    OTHER_CLASS,
    PERSONAL,
    REPEATING,
    SHORT,
    SHOWN,
    TRAINING_COPY,
    UNFINISHED,
)
from training.example_prompts import ExamplePrompt
from training.splits import read_split
from training.table_schemas import SYNTHETIC_EXAMPLES
from training.tables import write_table

REPOSITORY = Path(__file__).parents[2]
# Words of its own around what makes an event of it, so that no text is close to another.
MONTHS = ("march", "april", "may", "june", "july", "august")
PEOPLE = ("a baker", "one nurse", "our neighbour", "an old sailor", "the twin", "a child")


def fresh_texts() -> "itertools.chain[str]":
    numbers = itertools.product(MONTHS, PEOPLE, EVENTS)
    return itertools.chain(
        f"In {month} {person} on mirzapine had {event}, doses of it stopped {number} days later."
        for number, (month, person, event) in enumerate(numbers)
    )


def fresh() -> ToldWriter:
    texts = fresh_texts()
    return ToldWriter(lambda _: f"1. {next(texts)}\n2. {next(texts)}")


def every(tell: str, **more: Any) -> ToldWriter:
    return ToldWriter(lambda _: tell, **more)


def dropped(report: dict[str, Any]) -> dict[str, int]:
    return {reason: count for reason, count in report["dropped"].items() if count}


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    return write_prepared(tmp_path)


def test_usable_texts_become_records_to_train_on(prepared: Path) -> None:
    report = generated(prepared, fresh(), count=7)
    assert (report["asked"], report["kept"], report["ended_by"], report["warnings"]) == (7, 7, "enough texts", [])
    records = list(read_split(prepared / "output" / "synthetic"))
    assert len({record.id for record in records}) == 7 and {record.target for record in records} == {POSITIVE}
    lines = (prepared / "output" / "synthetic" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    as_prepared = json.loads((prepared / "train" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert all(set(json.loads(line)) == {*as_prepared, "synthetic"} for line in lines)
    assert all(json.loads(line)["synthetic"] is True for line in lines)


def test_counts_add_up_to_the_rows_of_the_table(prepared: Path) -> None:
    texts = fresh_texts()
    writer = ToldWriter(lambda prompt: f"1. {next(texts)}\n2. No way.\n3. {prompt.examples[0].input}")
    report = generated(prepared, writer, count=6)
    rows = table_rows(prepared)
    assert all(tuple(row) == SYNTHETIC_EXAMPLES.column_names for row in rows)
    assert write_table(prepared / "rows.parquet", SYNTHETIC_EXAMPLES, rows) == len(rows)
    assert report["generated"] == len(rows) == report["kept"] + sum(report["dropped"].values())
    for reason, count in report["dropped"].items():
        assert sum(row["reason"] == reason for row in rows) == count
    assert [row["text"] for row in rows if row["kept"]] == [
        record.input for record in read_split(prepared / "output" / "synthetic")
    ]
    assert dropped(report) == {SHORT: 6 - 1, SHOWN: 6 - 1}, "what stands behind the last kept text is left alone"
    assert report["prompts"] == len(writer.asked) == 6
    shown = {" ".join(example.id for example in prompt.examples) for prompt in writer.asked}
    assert {row["prompted_by"] for row in rows} <= shown
    assert {(row["provider"], row["model"]) for row in rows} == {("told", "a test")}
    assert {row["synthetic_id"] for row in rows if row["kept"]} == {
        record.id for record in read_split(prepared / "output" / "synthetic")
    }


def test_prompts_show_each_positive_training_text_once_before_any_twice(prepared: Path) -> None:
    writer = every("1. Nothing.")
    generated(prepared, writer, count=40)
    positives = {record.id for record in read_split(prepared / "train") if record.target == POSITIVE}
    first_pass = [example.id for prompt in writer.asked[:10] for example in prompt.examples]
    assert len(writer.asked) > 10 and all(len(prompt.examples) == 5 for prompt in writer.asked)
    assert len(positives) == 50 and sorted(first_pass) == sorted(positives)
    assert {example.id for prompt in writer.asked[10:] for example in prompt.examples} <= positives


def test_no_prompt_holds_a_text_of_validation_or_evaluation(prepared: Path) -> None:
    writer = every("1. Nothing.")
    generated(prepared, writer, count=200)
    prompts = "\n".join(f"{prompt.as_list}{prompt.as_turns}{prompt.as_request}" for prompt in writer.asked)
    evaluated = [*read_split(prepared / "validation"), *read_split(prepared / "eval" / "dev1")]
    assert len(writer.asked) == 160 and len(evaluated) == 120
    assert not any(record.input in prompts for record in evaluated)
    assert any(record.input in prompts for record in read_split(prepared / "train"))


@pytest.mark.parametrize("split", ["eval/dev1", "validation"])
def test_what_is_close_to_an_evaluated_text_is_dropped(split: str, prepared: Path) -> None:
    told = "On that Tuesday mirzapine was begun and by the evening a rash covered both of her arms and her neck."
    near = told.replace("Tuesday", "Friday").replace("evening", "night").upper()
    other = [*labelled_texts(60, start=6000), {"id": "f" * 16, "input": told, "target": NEGATIVE}]
    assert generated(prepared, every(f"1. {near}"), count=1)["kept"] == 1
    write_part(prepared / split, other, number=1)
    report = generated(prepared, every(f"1. {near}"), count=1)
    assert dropped(report)[EVALUATED_COPY] == 1 and report["kept"] == 0


def test_a_generator_that_returns_the_prompt_gives_nothing(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = generated(prepared, ToldWriter(lambda prompt: prompt.as_list), count=5)
    assert report["kept"] == 0 and report["prompts"] == 4 and report["ended_by"] == "prompts used up"
    assert dropped(report) == {SHOWN: 20, EMPTY: 4}, "the last item of the list is its number alone"
    assert report["warnings"] == [
        "Of 5 synthetic examples asked for none could be kept: 4 prompts gave 24 texts; prompts used up."
    ]
    assert report["warnings"][0] in capsys.readouterr().out
    part = prepared / "output" / "synthetic" / "part-00000.jsonl"
    assert part.is_file() and list(read_split(part.parent)) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", EMPTY),
        ("1. A rash came.", SHORT),
        ("1. " + "doses of mirzapine, then a rash " * 20, LONG),
        ("1. After doses of aldoran the patient had a stable", UNFINISHED),
        ("1. After doses of aldoran a rash came, after doses of aldoran a rash came.", REPEATING),
        ("1. In may one nurse on mirzapine had a rash, so Dr. Miller stopped the doses.", PERSONAL),
        ("1. In may one nurse on mirzapine had good control of pain and no complaints.", OTHER_CLASS),
    ],
)
def test_every_reason_is_told(answer: str, reason: str, prepared: Path) -> None:
    report = generated(prepared, every(answer, cut_off=True), count=1)
    assert report["kept"] == 0 and report["dropped"][reason] >= 1


def test_copies_are_dropped_by_what_they_copy(prepared: Path) -> None:
    other = "Sumatriptan was followed by tinnitus and vertigo, and both were laid to it by her neurologist."
    write_part(prepared / "train", [{"id": "f" * 16, "input": other, "target": NEGATIVE}], number=1)
    new = next(fresh_texts())

    def tell(prompt: ExamplePrompt) -> str:
        changed = other.replace("vertigo", "nausea") + " It was gone by noon."
        near_new = new.replace("days later", "weeks later")
        return "\n".join(f"- {text}" for text in (new, new.upper(), near_new, other, changed, prompt.examples[0].input))

    report = generated(prepared, ToldWriter(tell, prompts_a_call=1), count=2)
    assert [row["reason"] for row in table_rows(prepared)][:6] == [
        None,
        DUPLICATE,
        TRAINING_COPY,
        DUPLICATE,
        TRAINING_COPY,
        SHOWN,
    ]
    assert report["kept"] == 1


def test_training_texts_that_are_long_or_name_somebody_are_not_shown(prepared: Path) -> None:
    unfit = ["After mirzapine the patient saw Dr. Miller for a rash.", "After mirzapine a rash. " * 40]
    more = [{"id": f"f{n:015}", "input": text, "target": POSITIVE} for n, text in enumerate(unfit)]
    write_part(prepared / "train", more, number=1)
    writer = every("1. Nothing.")
    report = generated(prepared, writer, count=100)
    assert report["shown_from"] == 50
    assert not any(example.id.startswith("f") for prompt in writer.asked for example in prompt.examples)


def test_too_few_texts_to_show_end_without_asking(tmp_path: Path) -> None:
    write_prepared(tmp_path)
    write_part(tmp_path / "train", labelled_texts(12))
    writer = fresh()
    report = generated(tmp_path, writer)
    assert writer.asked == [] and report["kept"] == 0
    assert "too few training texts to show" in report["warnings"][0]


def test_a_time_budget_ends_it(prepared: Path) -> None:
    writer = every("1. Nothing.")
    report = generated(prepared, writer, count=10_000_000, max_seconds=0.2)
    assert report["ended_by"] == "time used up" and report["seconds"] >= 0.2 and len(writer.asked) < 8_000_000


def test_a_model_writes_the_same_again_and_something_else_with_another_seed(prepared: Path) -> None:
    model = build_tiny_writer(prepared / "model")
    texts = []
    for seed in (1, 1, 2):
        given = {"provider": "model", "model": model, "endpoint": None, "max_new_tokens": 24, "seed": seed}
        report = generated(prepared, None, count=2, **given)
        assert report["model"].startswith("LlamaForCausalLM of ")
        texts.append([(row["text"], row["prompted_by"]) for row in table_rows(prepared)])
    assert texts[0] == texts[1] and texts[0] != texts[2]
    assert len(set(texts[0])) > 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"provider": "oracle"}, "provider must be one of model, bedrock, endpoint"),
        ({"endpoint": None}, "provider endpoint needs --endpoint"),
        ({"model_id": "some.model"}, "provider endpoint takes no --model-id"),
        ({"count": 0}, "count must be >= 1"),
        ({"max_seconds": -1.0}, "max_seconds >= 0"),
        ({"examples_a_prompt": 0}, "examples_a_prompt must be between 1 and 20"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be between"),
        ({"negative_label": "ae"}, "two labels of different names"),
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        example_arguments(tmp_path, **given)


def test_splits_that_cannot_be_used_are_named(prepared: Path) -> None:
    with pytest.raises(UploadError, match="is not labelled rash or other"):
        generated(prepared, fresh(), positive_label="rash", negative_label="other")
    with pytest.raises(UploadError, match="holds no evaluation set"):
        generated(prepared, fresh(), evaluation=prepared / "nothing")
    write_part(prepared / "validation", [r for r in labelled_texts(60) if r["target"] == NEGATIVE])
    with pytest.raises(UploadError, match="the validation split must hold texts of both labels, 0 of its 40 are AE"):
        generated(prepared, fresh())


def test_the_job_ends_well_without_a_usable_text(prepared: Path) -> None:
    """A model that may write one token writes no text; as SageMaker starts it."""
    given = {
        "--train": prepared / "train",
        "--validation": prepared / "validation",
        "--evaluation": prepared / "eval",
        "--output": prepared / "output",
        "--positive-label": POSITIVE,
        "--negative-label": NEGATIVE,
        "--provider": "model",
        "--model": build_tiny_writer(prepared / "model", chat=True),
        "--count": 3,
        "--max-new-tokens": 1,
    }
    command = [sys.executable, "-m", "training.generate_examples", *map(str, itertools.chain(*given.items()))]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "warning: Of 3 synthetic examples asked for none could be kept" in done.stdout
    assert json.loads((prepared / "output" / "report.json").read_text(encoding="utf-8"))["prompts"] == 12
