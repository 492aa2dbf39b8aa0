"""ClassifyFineTuned: a label and a probability for each record, in order, the same as the endpoint's."""

import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.training.test_inference import ask
from tests.training.tiny_encoder import labelled_texts
from tests.training.tiny_model import write_part
from training.classify import Arguments, main
from training.errors import ArgumentError, EvaluationError, ModelError, UploadError
from training.evaluation_answers import POOL_BATCHES
from training.inference import model_fn
from training.labels import Decision
from training.model_directory import read_model_card

COUNT = 2 * POOL_BATCHES + 5  # with batch size 2: one whole pool and a short one


def records() -> list[dict[str, object]]:
    """Some of them longer than the model reads at once."""
    some = labelled_texts(COUNT, start=7000)
    return [
        record | {"input": f"{record['input']} " * (1 + 40 * (number % 9 == 0))} for number, record in enumerate(some)
    ]


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval")
    write_part(folder / "dev1", records())
    write_part(folder / "dev2", labelled_texts(3, start=500), number=0)
    write_part(folder / "dev2", labelled_texts(2, start=600), number=1)
    return folder


def classified(folder: Path, model: Path, evaluation: Path, **more: Any) -> dict[str, list[dict[str, Any]]]:
    output = folder / "classified"
    main(Arguments(fine_tuned=model, evaluation=evaluation, output=output, **({"batch_size": 2} | more)))
    return parts_of(output / "fine-tuned")


def parts_of(output: Path) -> dict[str, list[dict[str, Any]]]:
    """Part file -> what stands in it."""
    return {
        str(part.relative_to(output)): [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
        for part in sorted(output.glob("*/part-*.jsonl"))
    }


def test_every_record_is_answered_in_order_part_by_part(
    sure_classifier: Path, evaluation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = classified(tmp_path, sure_classifier, evaluation)
    assert list(parts) == ["dev1/part-00000.jsonl", "dev2/part-00000.jsonl", "dev2/part-00001.jsonl"]
    rows = parts["dev1/part-00000.jsonl"]
    assert [row["id"] for row in rows] == [record["id"] for record in records()]
    short = [row["prediction"] for number, row in enumerate(rows) if number % 9]
    assert short == [record["target"] for number, record in enumerate(records()) if number % 9]
    written = json.loads((tmp_path / "classified" / "fine-tuned" / "decision.json").read_text())
    assert set(written) == {"positive", "negative", "threshold"}
    decision = Decision(**written)
    assert decision == read_model_card(sure_classifier).decision
    for row in (row for rows in parts.values() for row in rows):
        assert set(row) == {"id", "prediction", "probability"}
        assert 0 <= row["probability"] <= 1 and row["prediction"] == decision.label(row["probability"])
    log = capsys.readouterr().out
    assert f"dev1/part-00000.jsonl: {COUNT} records in " in log
    assert "; 8 texts longer than 48 tokens were read in windows" in log


def test_evaluation_and_endpoint_give_the_same_answers(sure_classifier: Path, evaluation: Path, tmp_path: Path) -> None:
    rows = classified(tmp_path, sure_classifier, evaluation)["dev1/part-00000.jsonl"]
    status, answers = ask(model_fn(str(sure_classifier)), {"inputs": [record["input"] for record in records()]})
    assert status == 200
    assert [answer["label"] for answer in answers] == [row["prediction"] for row in rows]
    assert [answer["probability"] for answer in answers] == pytest.approx([r["probability"] for r in rows], abs=1e-5)


def test_a_packed_model_gives_the_same_answers(sure_classifier: Path, evaluation: Path, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "output" / "model"), "gztar", sure_classifier)
    packed = classified(tmp_path / "packed", tmp_path / "output", evaluation)
    assert packed == classified(tmp_path / "plain", sure_classifier, evaluation)


def test_a_second_model_answers_into_a_folder_of_its_own(
    sure_classifier: Path, evaluation: Path, tmp_path: Path
) -> None:
    rows = classified(tmp_path, sure_classifier, evaluation, without_synthetic=sure_classifier)
    assert parts_of(tmp_path / "classified" / "without-synthetic") == rows


def test_an_empty_set_has_no_answers(sure_classifier: Path, tmp_path: Path) -> None:
    write_part(tmp_path / "eval" / "dev", [])
    assert classified(tmp_path, sure_classifier, tmp_path / "eval") == {"dev/part-00000.jsonl": []}


def test_memory_does_not_grow_with_the_set(
    sure_classifier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.evaluation_answers.POOL_BATCHES", 4)
    peaks = []
    classified(tmp_path / "warm", sure_classifier, write_part(tmp_path / "e" / "dev", labelled_texts(8)).parents[1])
    for count in (64, 1024):
        text = "no complaints " * 100
        sets = write_part(tmp_path / str(count) / "dev", [r | {"input": text} for r in labelled_texts(count)]).parents[
            1
        ]
        tracemalloc.start()
        classified(tmp_path / f"out{count}", sure_classifier, sets, batch_size=8)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 500_000, peaks  # of 1.4 MB of text


def test_what_cannot_be_asked_is_a_named_error(
    sure_classifier: Path, tiny_model_directory: Path, tiny_encoder_directory: Path, evaluation: Path, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match="no evaluation set"):
        classified(tmp_path, sure_classifier, tmp_path)
    with pytest.raises(ModelError, match="writes text"):
        classified(tmp_path, tiny_model_directory, evaluation)
    with pytest.raises(ModelError, match="not trained to classify"):
        classified(tmp_path, tiny_encoder_directory, evaluation)
    with pytest.raises(ArgumentError, match="batch_size must be >= 1"):
        classified(tmp_path, sure_classifier, evaluation, batch_size=0)
    write_part(tmp_path / "broken" / "dev", [{"id": "1", "input": "secret"}])
    with pytest.raises(UploadError, match=r"part-00000\.jsonl line 1 is not a record") as refused:
        classified(tmp_path, sure_classifier, tmp_path / "broken")
    assert "secret" not in str(refused.value)
