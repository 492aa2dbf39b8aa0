import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from training import evaluation_inputs
from training.errors import EvaluationError
from training.evaluation_inputs import (
    EvaluationRecord,
    LongInput,
    matched_predictions,
    read_evaluation_sets,
    read_long_inputs,
    read_predictions,
    read_report,
    read_training_curve,
    read_training_warnings,
    sets_answered,
)

SECRET = "the words of a report"
GOOD: dict[str, Any] = {"id": "a" * 16, "input": SECRET, "target": SECRET, "patient": None, "normal": None}


def write(path: Path, *lines: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines))


def archive(folder: Path, members: dict[str, bytes | None], name: str = "output.tar.gz") -> Path:
    """A tar.gz; a member without content is a symbolic link to another place."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / name, "w:gz") as tar:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/hostname"
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content or b""))
    return folder


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{broken\n", "evaluation set dev1, part-00000.jsonl, line 2 is not JSON"),
        (b"\xff\xfe\n", "line 2 is not JSON"),
        ([SECRET], "line 2 is not a JSON object"),
        (GOOD | {"input": 3}, "line 2: input is missing or not a text"),
        ({k: v for k, v in GOOD.items() if k != "target"}, "line 2: target is missing or not a text"),
        (GOOD | {"target": "\ud800"}, "line 2: target is missing or not a text"),
        (GOOD | {"normal": "yes"}, "line 2: normal is not true, false or null"),
        (GOOD, "evaluation set dev1: 1 ids stand more than once (aaaaaaaaaaaaaaaa)"),
    ],
)
def test_a_line_that_is_no_record_is_named_and_not_quoted(line: Any, said: str, tmp_path: Path) -> None:
    write(tmp_path / "eval" / "dev1" / "part-00000.jsonl", GOOD, line)
    with pytest.raises(EvaluationError) as caught:
        read_evaluation_sets(tmp_path, {"dev1": 2})
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_sets_are_read_from_all_parts_in_order(tmp_path: Path) -> None:
    write(tmp_path / "eval" / "dev2" / "part-00001.jsonl", GOOD | {"id": "2", "normal": False})
    write(tmp_path / "eval" / "dev2" / "part-00000.jsonl", GOOD | {"id": "1", "normal": True})
    write(tmp_path / "eval" / "dev1" / "part-00000.jsonl", GOOD)
    sets = read_evaluation_sets(tmp_path, {"dev1": 1, "dev2": 2, "dev3": 0})
    assert list(sets) == ["dev1", "dev2"]
    assert [(r.id, r.normal) for r in sets["dev2"]] == [("1", True), ("2", False)]


@pytest.mark.parametrize("counts", [{"dev1": 2}, {"dev1": 1, "dev2": 1}, {}])
def test_a_set_is_as_large_as_prepare_said(counts: dict[str, int], tmp_path: Path) -> None:
    write(tmp_path / "eval" / "dev1" / "part-00000.jsonl", GOOD)
    with pytest.raises(EvaluationError, match="records found, but Prepare's report says"):
        read_evaluation_sets(tmp_path, counts)


def test_without_any_record_there_is_nothing_to_evaluate(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no evaluation set holds a record"):
        read_evaluation_sets(tmp_path, {"dev1": 0})


def test_predictions_answered_twice_are_refused(tmp_path: Path) -> None:
    for part in range(2):
        write(tmp_path / "dev1" / f"part-0000{part}.jsonl", *({"id": str(i), "prediction": "x"} for i in range(5)))
    with pytest.raises(EvaluationError) as caught:
        read_predictions(tmp_path, "dev1", "fine-tuned")
    assert "fine-tuned model on set dev1: 5 ids stand more than once (0, 1, 2, ...)" in str(caught.value)


def test_predictions_are_put_in_the_order_of_the_records() -> None:
    records = [EvaluationRecord(name, "", "", None) for name in "abc"]
    assert matched_predictions({"c": "3", "a": "1", "b": "2"}, records, "dev1", "fine-tuned") == ["1", "2", "3"]


def test_a_prediction_of_no_record_is_refused() -> None:
    records = [EvaluationRecord("a", "", "", None)]
    with pytest.raises(EvaluationError, match=r"1 records: 0 missing, 2 of no record \(b, c\)"):
        matched_predictions({"c": "3", "a": "1", "b": "2"}, records, "dev1", "fine-tuned")


def test_an_empty_object_answers_no_set(tmp_path: Path) -> None:
    write(tmp_path / "none")
    write(tmp_path / "dev0" / "part-00000.jsonl")
    assert sets_answered(tmp_path) == set()
    write(tmp_path / "dev1" / "part-00000.jsonl", {"id": "1", "prediction": "x"})
    assert sets_answered(tmp_path) == {"dev1"}


@pytest.mark.parametrize("content", [None, "{", "[]", '{"counts": {}}', '{"counts": 1}'])
def test_a_report_that_is_none_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        write(tmp_path / "report" / "report.json", content.encode())
    with pytest.raises(EvaluationError, match="run Prepare again"):
        read_report(tmp_path)


def test_the_curve_is_found_where_sagemaker_puts_it(tmp_path: Path) -> None:
    archive(tmp_path / "job-1" / "output", {"./arguments.json": b"{}", "./training_curve.jsonl": b'{"step": 1}\n'})
    assert list(read_training_curve(tmp_path)) == [{"step": 1}]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"arguments.json": b"{}"}, "holds no training_curve.jsonl"),
        ({"training_curve.jsonl": None}, "holds no training_curve.jsonl"),
        ({"training_curve.jsonl": b"{"}, "training_curve.jsonl, line 1 is not JSON"),
        ({"training_curve.jsonl": b"{}\n" * 10}, "training_curve.jsonl is 30 bytes, more than 20"),
    ],
)
def test_an_archive_without_a_sound_curve_is_refused(
    members: dict[str, bytes | None], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_inputs, "_CURVE_BYTES_LIMIT", 20)
    with pytest.raises(EvaluationError, match=said):
        list(read_training_curve(archive(tmp_path, members)))


def test_what_the_training_warned_of_is_read_and_may_be_nothing(tmp_path: Path) -> None:
    lines = b'{"warning": "3 inputs were cut off."}\n{"warning": "So was a target."}\n'
    archive(tmp_path / "job", {"./training_curve.jsonl": b"{}\n", "./training_warnings.jsonl": lines})
    assert read_training_warnings(tmp_path / "job") == ["3 inputs were cut off.", "So was a target."]
    assert read_training_warnings(archive(tmp_path / "older", {"training_curve.jsonl": b"{}\n"})) == []
    with pytest.raises(EvaluationError, match="warning is missing or not a text"):
        read_training_warnings(archive(tmp_path / "broken", {"training_warnings.jsonl": b'{"warning": 1}\n'}))


def test_long_inputs_lie_beside_the_predictions(tmp_path: Path) -> None:
    write(tmp_path / "dev1" / "part-00000.jsonl", {"id": "1", "prediction": "x"})
    assert read_long_inputs(tmp_path, "dev1", "fine-tuned") == []
    write(tmp_path / "dev1" / "long-00000.jsonl", {"id": "1", "tokens": 700, "pieces": 2})
    write(tmp_path / "dev1" / "long-00001.jsonl", {"id": "2", "tokens": 900, "pieces": 0})
    assert read_long_inputs(tmp_path, "dev1", "fine-tuned") == [LongInput(700, 2), LongInput(900, 0)]
    assert read_predictions(tmp_path, "dev1", "fine-tuned") == {"1": "x"}
    write(tmp_path / "dev1" / "long-00002.jsonl", {"id": "3", "tokens": "many"})
    with pytest.raises(EvaluationError, match="long inputs of the fine-tuned model on set dev1: tokens or pieces"):
        read_long_inputs(tmp_path, "dev1", "fine-tuned")


@pytest.mark.parametrize("cut", [0, 1, 40, -10])
def test_a_damaged_archive_is_refused(cut: int, tmp_path: Path) -> None:
    path = archive(tmp_path, {"training_curve.jsonl": b'{"step": 1}\n' * 2_000}) / "output.tar.gz"
    path.write_bytes(path.read_bytes()[:cut] if cut >= 0 else b"\x1f\x8b" + path.read_bytes()[2:cut][::-1])
    with pytest.raises(EvaluationError, match=r"output\.tar\.gz (cannot be read|holds no)"):
        list(read_training_curve(tmp_path))


def test_there_must_be_one_archive(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"0 files output\.tar\.gz"):
        list(read_training_curve(tmp_path))
    for job in ("one", "two"):
        archive(tmp_path / job, {"training_curve.jsonl": b"{}\n"})
    with pytest.raises(EvaluationError, match=r"2 files output\.tar\.gz"):
        list(read_training_curve(tmp_path))
