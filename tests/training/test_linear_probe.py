"""ClassifyBase: a logistic regression on the encoder as it comes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import f1_score
from transformers import AutoModel

from tests.training.tiny_encoder import NEGATIVE, POSITIVE, labelled_texts, write_labelled_splits
from tests.training.tiny_model import write_part
from training.errors import ArgumentError, EvaluationError, ModelError, UploadError
from training.frozen_encoder import FrozenEncoder
from training.labels import Labels
from training.linear_probe import Arguments, main

REPOSITORY = Path(__file__).parents[2]
LABELS = Labels(POSITIVE, NEGATIVE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_labelled_splits(tmp_path, train=300, validation=90)
    write_part(tmp_path / "eval" / "dev", labelled_texts(60, start=7000))
    return tmp_path


def arguments(folder: Path, model: Path, **more: Any) -> Arguments:
    given = {
        "model": model,
        "train": folder / "train",
        "validation": folder / "validation",
        "evaluation": folder / "eval",
        "output": folder / "probed",
        "positive_label": POSITIVE,
        "negative_label": NEGATIVE,
        "max_seq_length": 48,
    }
    return Arguments(**(given | more))


def probed(folder: Path, model: Path, **more: Any) -> list[dict[str, Any]]:
    given = arguments(folder, model, **more)
    main(given)
    (part,) = given.output.glob("*/part-*.jsonl")
    return [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]


def test_it_finds_what_a_random_encoder_lets_through(tiny_encoder_directory: Path, folder: Path) -> None:
    rows = probed(folder, tiny_encoder_directory)
    asked = labelled_texts(60, start=7000)
    assert [row["id"] for row in rows] == [record["id"] for record in asked]
    assert all(set(row) == {"id", "prediction", "probability"} for row in rows)
    decision = json.loads((folder / "probed" / "decision.json").read_text())
    assert (decision["positive"], decision["negative"]) == (POSITIVE, NEGATIVE)
    called = [row["probability"] >= decision["threshold"] for row in rows]
    assert [row["prediction"] for row in rows] == [POSITIVE if one else NEGATIVE for one in called]
    # All positive has .5.
    assert f1_score([record["target"] == POSITIVE for record in asked], called) > 0.7


def test_the_threshold_is_chosen_on_the_validation_split(tiny_encoder_directory: Path, folder: Path) -> None:
    """The same texts with the other labels there: the best threshold is then another one, the probabilities not."""
    rows = probed(folder, tiny_encoder_directory, output=folder / "a")
    swapped = {POSITIVE: NEGATIVE, NEGATIVE: POSITIVE}
    validation = labelled_texts(90, start=3000)
    write_part(folder / "validation", [r | {"target": swapped[str(r["target"])]} for r in validation])
    other = probed(folder, tiny_encoder_directory, output=folder / "b")
    thresholds = [json.loads((folder / name / "decision.json").read_text())["threshold"] for name in ("a", "b")]
    assert [row["probability"] for row in rows] == [row["probability"] for row in other]
    assert thresholds[1] < thresholds[0]


def test_features_are_the_mean_over_real_tokens_of_all_windows(tiny_encoder_directory: Path) -> None:
    encoder = FrozenEncoder.load(tiny_encoder_directory, LABELS, 16)
    texts = ["A rash.", "no complaints " * 60, "сыпь 🤢", str(labelled_texts(4)[3]["input"])]
    readings = encoder.read(texts)
    assert [reading.long for reading in readings] == [False, True, False, True]
    model = AutoModel.from_pretrained(tiny_encoder_directory).eval()
    with torch.no_grad():
        states = [
            torch.cat([model(torch.tensor([window])).last_hidden_state[0] for window in reading.windows])
            for reading in readings
        ]
    expected = np.stack([state.double().mean(dim=0).numpy() for state in states])
    for batch_size in (1, 3, 64):
        assert encoder.features(readings, batch_size) == pytest.approx(expected, abs=1e-5)


def test_the_encoder_stays_as_it_is(tiny_encoder_directory: Path, folder: Path, sure_classifier: Path) -> None:
    """And a head that is there already has no say."""
    copied = shutil.copytree(sure_classifier, folder / "copied")
    before = probed(folder, copied, output=folder / "a")
    weights = load_file(copied / "model.safetensors")
    changed = {name: weight + 1 if "classifier" in name else weight for name, weight in weights.items()}
    save_file(changed, copied / "model.safetensors", {"format": "pt"})
    assert probed(folder, copied, output=folder / "b") == before
    assert before != probed(folder, tiny_encoder_directory, output=folder / "c")


def test_only_so_many_texts_are_learnt_from_drawn_by_their_ids_and_said(
    tiny_encoder_directory: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = probed(folder, tiny_encoder_directory, output=folder / "whole")
    assert "train: 300 texts are learnt from, drawn by their ids; 0 are left out" in capsys.readouterr().out
    some = probed(folder, tiny_encoder_directory, output=folder / "some", max_train_texts=120)
    log = capsys.readouterr().out
    assert "train: 120 texts are learnt from, drawn by their ids; 180 are left out" in log
    assert "train: 40 AE, 80 none" in log and "chosen by 90 validation texts" in log
    assert some != whole
    # Invented ids count up, so the lowest are the first.
    write_part(folder / "train", list(reversed(labelled_texts(120))))
    alone = probed(folder, tiny_encoder_directory, output=folder / "alone")
    expected = [row["probability"] for row in some]
    assert [row["probability"] for row in alone] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("label", [POSITIVE, NEGATIVE, None])
def test_a_split_without_both_labels_is_refused_by_name(
    split: str, label: str | None, tiny_encoder_directory: Path, folder: Path
) -> None:
    write_part(folder / split, [r for r in labelled_texts(20) if r["target"] == label])
    with pytest.raises(UploadError, match=rf"the {split} split must hold texts of both labels.*\b0 "):
        probed(folder, tiny_encoder_directory)


def test_what_cannot_be_learnt_is_a_named_error(
    tiny_encoder_directory: Path, tiny_model_directory: Path, folder: Path
) -> None:
    with pytest.raises(UploadError, match="is not labelled adverse or fine; run Prepare again"):
        probed(folder, tiny_encoder_directory, positive_label="adverse", negative_label="fine")
    with pytest.raises(ModelError, match="max_input_tokens must be <= 128"):
        probed(folder, tiny_encoder_directory, max_seq_length=129)
    with pytest.raises(ModelError):
        probed(folder, tiny_model_directory)
    with pytest.raises(EvaluationError, match="no evaluation set"):
        probed(folder, tiny_encoder_directory, evaluation=folder / "nowhere")


def test_an_encoder_with_damaged_weights_is_a_named_error(tiny_encoder_directory: Path, folder: Path) -> None:
    damaged = shutil.copytree(tiny_encoder_directory, folder / "damaged")
    weights = load_file(damaged / "model.safetensors")
    weights["bert.embeddings.LayerNorm.bias"][0] = float("nan")
    save_file(weights, damaged / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="not a number"):
        probed(folder, damaged)


@pytest.mark.parametrize(
    "given",
    [{"max_seq_length": 3}, {"max_train_texts": 1}, {"batch_size": 0}, {"positive_label": NEGATIVE.upper()}],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        arguments(tmp_path, tmp_path, **given)


def test_it_runs_as_a_job(tiny_encoder_directory: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "training.linear_probe", "--model", str(tiny_encoder_directory)]
    for name in ("train", "validation"):
        command += [f"--{name}", str(folder / name)]
    command += ["--evaluation", str(folder / "eval"), "--output", str(folder / "probed"), "--max-seq-length", "48"]
    command += ["--positive-label", POSITIVE, "--negative-label", NEGATIVE, "--batch-size", "16"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "dev/part-00000.jsonl: 60 records in " in done.stdout
    assert json.loads((folder / "probed" / "arguments.json").read_text())["batch_size"] == 16
    assert "After" not in done.stdout + done.stderr
