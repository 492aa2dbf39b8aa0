"""What Evaluate says of a task that classifies if what it reads is not what the jobs before it leave."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.evaluated_classifier import NEGATIVE, POSITIVE, ClassifierRun, record
from tests.training.evaluated_run import write_lines
from training.errors import ArgumentError, EvaluationError
from training.evaluate_classifier import Arguments
from training.job import parse_arguments


@pytest.fixture
def run(tmp_path: Path) -> ClassifierRun:
    return ClassifierRun(tmp_path)


GOOD = {"prediction": POSITIVE, "probability": 0.75}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prediction": POSITIVE}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": "0.75"}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": True}, "line 1: probability is missing or not a number"),
        (GOOD | {"probability": 1.5}, r"line 1: probability is not in \[0, 1\]"),
        (GOOD | {"probability": float("nan")}, r"line 1: probability is not in \[0, 1\]"),
        (GOOD | {"prediction": "secret"}, "line 1: prediction is not a label of the task, Adverse_Event or Not_AE"),
        (GOOD | {"prediction": 1}, "line 1: prediction is missing or not a text"),
        (GOOD | {"prediction": NEGATIVE}, "prediction does not follow from probability by the threshold in decision"),
    ],
)
def test_a_line_that_is_no_prediction_is_named_and_not_quoted(
    run: ClassifierRun, row: dict[str, Any], said: str
) -> None:
    records = run.add_set("dev1", 20, 40)
    run.write_answers("base", "dev1", [{"id": records[0]["id"], **row}])
    place = "predictions of the base model on set dev1, part-00000.jsonl, "
    with pytest.raises(EvaluationError, match=said) as caught:
        run.evaluate()
    assert place in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (run.folder / "out" / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("threshold", "positive", "said"),
    [
        ("0.5", POSITIVE, "does not hold two labels and a threshold"),
        (True, POSITIVE, "does not hold two labels and a threshold"),
        (0, POSITIVE, "does not hold two labels and a threshold"),
        (float("nan"), POSITIVE, "does not hold two labels and a threshold"),
        (0.5, NEGATIVE, "does not hold two labels and a threshold"),
        (0.5, "Relapse", "is of other labels than the task's, Adverse_Event or Not_AE"),
    ],
)
@pytest.mark.parametrize("model", ["base", "fine-tuned", "champion"])
def test_a_decision_that_is_not_the_task_s_is_named(
    run: ClassifierRun, model: str, threshold: Any, positive: str, said: str
) -> None:
    run.add_set("dev1", 20, 40)
    run.answer(model, "dev1", {})
    run.decide(model, threshold, positive)
    with pytest.raises(EvaluationError, match=f"beside the predictions of the {model} model {said}"):
        run.evaluate()


def test_a_missing_decision_and_other_records_are_named(run: ClassifierRun) -> None:
    records = run.add_set("dev1", 20, 40)
    (run.folder / "base" / "decision.json").unlink()
    with pytest.raises(EvaluationError, match="beside the predictions of the base model is missing"):
        run.evaluate()
    run.answer("base", "dev1", {"f" * 16: 0.25})
    with pytest.raises(EvaluationError, match=r"base model do not match its 60 records: 0 missing, 1 of no record"):
        run.evaluate()
    run.answer_with("base", "dev1", {r["id"]: 0.25 for r in records[1:]})
    with pytest.raises(EvaluationError, match=rf"60 records: 1 missing \({records[0]['id']}\), 0 of no record"):
        run.evaluate()
    run.answer("base", "dev1", {})
    run.use_synthetic()
    write_lines(run.folder / "without-synthetic" / "dev9" / "part-00000.jsonl", [{"id": "1", **GOOD}])
    with pytest.raises(EvaluationError, match="the without synthetic model answered sets that Prepare did not write"):
        run.evaluate()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("train", "the train split: the target of record 0000000000000001 is not Adverse_Event or Not_AE"),
        ("validation", "the validation split: the target of record 0000000000000001 is not"),
        ("eval/dev1", "evaluation set dev1: the target of record 0000000000000001 is not"),
    ],
)
def test_a_target_that_is_no_label_is_named_by_its_record(run: ClassifierRun, where: str, said: str) -> None:
    records = run.add_set("dev1", 20, 40)
    wrong = records[0] | {"id": f"{1:016x}", "target": "secret"}
    write_lines(run.prepared / where / "part-00000.jsonl", [wrong, *records[1:]])
    for model in ("base", "fine-tuned"):
        if where == "eval/dev1":
            run.answer_with(model, "dev1", {r["id"]: 0.5 for r in [wrong, *records[1:]]})
    with pytest.raises(EvaluationError, match=f"{said}.*run Prepare again") as caught:
        run.evaluate()
    assert "secret" not in str(caught.value)


def test_splits_that_cannot_teach_the_floor_are_named(run: ClassifierRun) -> None:
    run.add_set("dev1", 20, 40)
    write_lines(run.prepared / "validation" / "part-00000.jsonl", [record(1, positive=False)])
    with pytest.raises(EvaluationError, match="the validation split holds no text labelled Adverse_Event"):
        run.evaluate()
    write_lines(run.prepared / "validation" / "part-00000.jsonl", [record(3, positive=True)])
    write_lines(run.prepared / "train" / "part-00000.jsonl", [record(1, positive=False)])
    with pytest.raises(EvaluationError, match="the TF-IDF floor needs training texts of both labels"):
        run.evaluate()


def test_labels_are_two(run: ClassifierRun) -> None:
    with pytest.raises(ArgumentError, match="two labels of different names"):
        parse_arguments(Arguments, run.command_line(**{"negative-label": POSITIVE}))


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("examples.jsonl", '{"text": "x"}\n', "examples.jsonl, line 1: not a generated example"),
        ("examples.jsonl", "{\n", "examples.jsonl of GenerateExamples cannot be read: JSONDecodeError"),
        ("report.json", "{}", "report.json of GenerateExamples cannot be read: KeyError"),
    ],
)
def test_what_is_no_output_of_generate_examples_is_named(
    run: ClassifierRun, file: str, content: str, said: str
) -> None:
    run.use_synthetic()
    run.add_set("dev1", 12, 20)
    run.answer("without-synthetic", "dev1", {})
    (run.folder / "synthetic" / file).write_text(content, encoding="utf-8")
    with pytest.raises(EvaluationError, match=said):
        run.evaluate()
