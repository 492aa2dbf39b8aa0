"""FineTune of a classifier in this process, on a tiny BERT; once as SageMaker starts it, killed and started again."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.metrics import average_precision_score, f1_score
from transformers import AutoTokenizer, RobertaConfig, RobertaForMaskedLM

from tests.training.tiny_encoder import (
    NEGATIVE,
    POSITIVE,
    classifier_arguments,
    fine_tune_tiny_encoder,
    labelled_texts,
    write_labelled_splits,
)
from tests.training.tiny_model import write_part
from training.classifier_tuner import ClassLoss, balanced_weights
from training.errors import ArgumentError, ModelError, UploadError
from training.fine_tune_classifier import Arguments, main
from training.job import parse_arguments
from training.model_directory import finish_model_directory, read_model_card
from training.table_schemas import TRAINING_CURVE
from training.text_classifier import TextClassifier

REPOSITORY = Path(__file__).parents[2]
# As in the published search over settings.
METRIC = re.compile(r"f1: ([0-9.]+).*$", re.MULTILINE)


def curve_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "data" / "training_curve.jsonl").read_text().splitlines()]


def validation_truth() -> tuple[list[str], np.ndarray]:
    records = labelled_texts(24, start=3000)
    return [str(r["input"]) for r in records], np.array([r["target"] == POSITIVE for r in records])


def test_it_learns_and_stores_its_own_threshold(trained_classifier: tuple[Path, str]) -> None:
    folder, _ = trained_classifier
    classifier = TextClassifier.load(folder / "model")
    texts, truth = validation_truth()
    probabilities = classifier.probabilities(classifier.read(texts))
    training = classifier.card.training
    assert training is not None
    assert training["validation"]["average_precision"] > 0.9
    assert training["validation"]["average_precision"] == pytest.approx(average_precision_score(truth, probabilities))
    called = probabilities >= classifier.decision.threshold
    assert training["validation"]["f1"] == pytest.approx(f1_score(truth, called))
    assert (classifier.decision.positive, classifier.decision.negative) == (POSITIVE, NEGATIVE)
    assert classifier.decision.threshold != 0.5
    assert classifier.card.max_input_tokens == 48
    assert classifier.model.config.id2label == {0: NEGATIVE, 1: POSITIVE}
    assert (folder / "model" / "code" / "inference.py").exists() and not list((folder / "model").glob("*.bin"))


def test_metrics_are_printed_for_sagemaker_and_the_best_models_last(trained_classifier: tuple[Path, str]) -> None:
    folder, log = trained_classifier
    found = [float(value) for value in METRIC.findall(log)]
    assert len(found) == 6 + 1  # six epochs and the end
    training = read_model_card(folder / "model").training
    assert training is not None
    assert found[-1] == pytest.approx(training["validation"]["f1"], abs=1e-4)
    assert "train: 16 AE, 32 none" in log
    assert "untrained before: bert.pooler.dense.bias, bert.pooler.dense.weight, classifier.bias" in log


def test_the_curve_has_the_columns_of_its_table(trained_classifier: tuple[Path, str]) -> None:
    rows = curve_of(trained_classifier[0])
    assert all(tuple(row) == TRAINING_CURVE.column_names for row in rows)
    losses = [row["validation_loss"] for row in rows if row["validation_loss"] is not None]
    assert len(losses) == 6 and losses == sorted(losses, reverse=True)
    # An untrained head says one half of everything.
    assert rows[0]["step"] == 1 and rows[0]["train_loss"] == pytest.approx(np.log(2), abs=0.1)


def test_the_best_epoch_is_that_of_the_best_average_precision(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    """Labels of the second half of the training text are wrong: the longer it trains, the worse it gets."""
    write_labelled_splits(tmp_path)
    swapped = {POSITIVE: NEGATIVE, NEGATIVE: POSITIVE}
    records = labelled_texts(60)
    write_part(
        tmp_path / "train", [r | {"target": swapped[str(r["target"])]} if i > 28 else r for i, r in enumerate(records)]
    )
    log = fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, epochs=12.0, lr_schedule="constant")
    by_epoch = [float(value) for value in re.findall(r"average_precision: ([0-9.]+)", log)]
    training = read_model_card(tmp_path / "model").training
    assert training is not None
    assert by_epoch[-1] == max(by_epoch[:-1]), "the last line is the saved model's"
    assert max(by_epoch[:-1]) > by_epoch[-2], "the training must get worse for this test to say anything"
    assert training["best_step"] == 8 * (1 + by_epoch.index(by_epoch[-1]))


@pytest.mark.parametrize("given", [{"class_weight": "balanced"}, {"loss": "focal", "focal_gamma": 1.0}])
def test_losses_for_rare_positives_learn_too(
    given: dict[str, Any], tiny_encoder_directory: Path, tmp_path: Path
) -> None:
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, **given)
    assert float(METRIC.findall(log)[-1]) > 0.8


def test_losses_as_their_definitions_say() -> None:
    logits, labels = torch.tensor([[2.0, -1.0], [0.3, 0.2], [-3.0, 1.0]]), torch.tensor([0, 1, 1])
    right = torch.softmax(logits, 1)[torch.arange(3), labels]
    plain = -torch.log(right)
    weights = torch.tensor([0.5, 2.0])[labels]
    assert ClassLoss([1.0, 1.0], 0.0).sum(logits, labels).item() == pytest.approx(plain.sum().item())
    assert ClassLoss([0.5, 2.0], 0.0).sum(logits, labels).item() == pytest.approx((weights * plain).sum().item())
    focal = ((1 - right) ** 2 * plain).sum().item()
    assert ClassLoss([1.0, 1.0], 2.0).sum(logits, labels).item() == pytest.approx(focal)
    negative, positive = balanced_weights([80, 20])
    assert 80 * negative == pytest.approx(20 * positive) and 80 * negative + 20 * positive == pytest.approx(100)


def test_synthetic_records_are_trained_on_and_choose_nothing(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    write_labelled_splits(tmp_path)
    synthetic = [r | {"synthetic": True} for r in labelled_texts(60, start=9000) if r["target"] == POSITIVE]
    write_part(tmp_path / "synthetic", synthetic)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "part-00000.jsonl").touch()
    trained = {"epochs": 1.0, "class_weight": "balanced"}
    found = {}
    for name in ("synthetic", "none", None):
        given = {"synthetic": None if name is None else tmp_path / name, "model_dir": tmp_path / f"model-{name}"}
        checkpoints = tmp_path / f"checkpoints-{name}"
        found[name] = fine_tune_tiny_encoder(
            tmp_path, tiny_encoder_directory, **trained, **given, checkpoints=checkpoints
        )
    assert "train: 20 of its records are synthetic\ntrain: 36 AE, 32 none" in found["synthetic"]
    assert "train: 0 of its records are synthetic\ntrain: 16 AE, 32 none" in found["none"]
    assert all("validation: 8 AE, 16 none" in log for log in found.values()) and "synthetic" not in found[None]
    weights = {name: load_file(tmp_path / f"model-{name}" / "model.safetensors") for name in found}
    assert all(bool((weights["none"][layer] == weights[None][layer]).all()) for layer in weights[None])
    assert any(bool((weights["synthetic"][layer] != weights[None][layer]).any()) for layer in weights[None])
    # Another training: it does not go on from a checkpoint of the one without.
    with pytest.raises(ModelError, match="a training with other arguments or other data"):
        fine_tune_tiny_encoder(
            tmp_path,
            tiny_encoder_directory,
            **trained,
            synthetic=tmp_path / "synthetic",
            checkpoints=tmp_path / "checkpoints-none",
        )


def test_the_synthetic_channel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert classifier_arguments(tmp_path, tmp_path).synthetic is None
    monkeypatch.setenv("SM_CHANNEL_SYNTHETIC", str(tmp_path / "channel"))
    assert classifier_arguments(tmp_path, tmp_path).synthetic == tmp_path / "channel"


def test_what_is_cut_off_is_said(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, max_seq_length=16, epochs=0.5)
    counted = re.search(r"train: .*cut off: (\d+) texts longer than 16 tokens", log)
    assert counted is not None and 0 < int(counted[1]) < 48


def test_the_threshold_is_chosen_by_whole_texts_as_they_are_asked(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    """Half of the validation texts say what decides only behind what training reads of them."""
    write_labelled_splits(tmp_path, train=96)
    nothing = " ".join(str(r["input"]) for r in labelled_texts(20) if r["target"] == NEGATIVE)
    hidden = [r | {"input": f"{nothing} {r['input']}"} for r in labelled_texts(24, start=3024)]
    records = labelled_texts(24, start=3000) + hidden
    write_part(tmp_path / "validation", records)
    log = fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, learning_rate=8e-3, epochs=8.0)
    classifier = TextClassifier.load(tmp_path / "model")
    probabilities = classifier.probabilities(classifier.read([str(r["input"]) for r in records]))
    truth = np.array([r["target"] == POSITIVE for r in records])
    *validations, end = [float(value) for value in METRIC.findall(log)]
    assert end == pytest.approx(f1_score(truth, probabilities >= classifier.decision.threshold), abs=1e-4)
    # By the first windows half of the positives cannot be found: F1 is at most 2/3.
    assert max(validations) < 0.67 and end > 0.9


def channels(folder: Path, encoder: Path, *names: str) -> Path:
    """What SageMaker lays down where a search tries several encoders: a folder for each channel, and none `model`."""
    data = folder / "input" / "data"
    write_labelled_splits(data)
    for name in names:
        shutil.copytree(encoder, data / name)
        card = dataclasses.replace(read_model_card(encoder), description=name)
        finish_model_directory(data / name, card)
    return data


@pytest.fixture
def sagemaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("TRAIN", "VALIDATION"):
        monkeypatch.setenv(f"SM_CHANNEL_{variable}", str(tmp_path / "input" / "data" / variable.lower()))
    monkeypatch.delenv("SM_CHANNEL_MODEL", raising=False)
    monkeypatch.setenv("SM_MODEL_DIR", str(tmp_path / "model"))
    monkeypatch.setenv("SM_OUTPUT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def hyperparameters(folder: Path, **more: object) -> Arguments:
    given = {"positive_label": POSITIVE, "negative_label": NEGATIVE, "max_seq_length": 48, "epochs": 1} | more
    words = [word for name, value in given.items() for word in (f"--{name}", json.dumps(value))]
    return parse_arguments(Arguments, [*words, "--checkpoints", str(folder / "checkpoints"), "--processes", "1"])


def test_one_of_several_encoders_is_read_from_its_own_channel(tiny_encoder_directory: Path, sagemaker: Path) -> None:
    channels(sagemaker, tiny_encoder_directory, "someone--tiny_v1.1", "other--tiny")
    main(hyperparameters(sagemaker, model_name="someone/tiny_v1.1"))
    card = read_model_card(sagemaker / "model")
    assert card.description == "fine-tuned from: someone--tiny_v1.1"
    assert card.training is not None and card.training["arguments"]["model_name"] == "someone/tiny_v1.1"


def test_an_encoder_lies_beside_channel_model_if_there_is_one(
    tiny_encoder_directory: Path, sagemaker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = channels(sagemaker, tiny_encoder_directory, "model", "other--tiny")
    monkeypatch.setenv("SM_CHANNEL_MODEL", str(data / "model"))
    assert hyperparameters(sagemaker).encoder == data / "model"
    assert hyperparameters(sagemaker, model_name="other/tiny").encoder == data / "other--tiny"


def test_an_encoder_without_a_channel_is_a_named_error(tiny_encoder_directory: Path, sagemaker: Path) -> None:
    channels(sagemaker, tiny_encoder_directory, "other--tiny")
    expected = "model_name no/such: there is no channel no--such, only other--tiny, train, validation"
    with pytest.raises(ArgumentError, match=expected):
        main(hyperparameters(sagemaker, model_name="no/such"))
    with pytest.raises(ArgumentError, match="model_name must be owner/name"):
        hyperparameters(sagemaker, model_name="../train")
    with pytest.raises(ModelError, match=r"there is no model at .*/data/model"):
        main(hyperparameters(sagemaker))


def test_no_channel_at_all_is_a_named_error(sagemaker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_CHANNEL_TRAIN")
    with pytest.raises(ArgumentError, match="SM_CHANNEL_MODEL is not set"):
        Arguments(positive_label=POSITIVE, negative_label=NEGATIVE, train=sagemaker, validation=sagemaker)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("label", [POSITIVE, NEGATIVE])
def test_a_split_of_one_label_is_refused_by_name(
    split: str, label: str, tiny_encoder_directory: Path, tmp_path: Path
) -> None:
    write_labelled_splits(tmp_path)
    write_part(tmp_path / split, [r for r in labelled_texts(20) if r["target"] == label])
    with pytest.raises(UploadError, match=rf"the {split} split must hold texts of both labels.*\b0 "):
        fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory)


def test_an_empty_split_and_another_label_are_named(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    write_labelled_splits(tmp_path)
    with pytest.raises(UploadError, match="is not labelled adverse or fine; run Prepare again"):
        fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, positive_label="adverse", negative_label="fine")
    write_part(tmp_path / "train", [])
    with pytest.raises(UploadError, match="the train split must hold texts of both labels, it holds 0 none, 0 AE"):
        fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory)


def test_training_that_diverges_is_a_named_error(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    write_labelled_splits(tmp_path)
    with pytest.raises(ModelError, match="training diverged: the validation loss is nan"):
        fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, learning_rate=1e30, warmup_ratio=0.0)


def test_a_time_budget_ends_training(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, tiny_encoder_directory, epochs=10_000.0, max_seconds=1.0)
    assert "time budget of 1 s used up" in log
    TextClassifier.load(tmp_path / "model")


def test_an_encoder_of_another_architecture_is_trained_alike(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    """RoBERTa: a head of its own form, and positions that begin behind the padding token's number."""
    base = tmp_path / "roberta"
    shutil.copytree(tiny_encoder_directory, base)
    tokenizer = AutoTokenizer.from_pretrained(base, model_max_length=64)
    tokenizer.save_pretrained(base)
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    sizes |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = RobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=66, pad_token_id=tokenizer.pad_token_id, **sizes
    )
    torch.manual_seed(0)
    RobertaForMaskedLM(config).save_pretrained(base)
    finish_model_directory(base, read_model_card(tiny_encoder_directory))
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, base, epochs=10.0)
    assert float(METRIC.findall(log)[-1]) > 0.8
    with pytest.raises(ModelError, match="max_input_tokens must be <= 64"):
        fine_tune_tiny_encoder(tmp_path, base, max_seq_length=65)


def test_a_classifier_of_other_labels_gets_a_new_head(trained_classifier: tuple[Path, str], tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(trained_classifier[0] / "model", base)
    weights = load_file(base / "model.safetensors")
    weights["classifier.weight"], weights["classifier.bias"] = torch.zeros(5, 32), torch.zeros(5)
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    write_labelled_splits(tmp_path)
    log = fine_tune_tiny_encoder(tmp_path, base)
    assert "untrained before: classifier.bias, classifier.weight\n" in log


def test_an_encoder_with_missing_weights_is_refused(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    """transformers would begin them at random, and training would look as if it only went badly."""
    base = tmp_path / "base"
    shutil.copytree(tiny_encoder_directory, base)
    weights = load_file(base / "model.safetensors")
    save_file({n: w for n, w in weights.items() if "layer.1" not in n}, base / "model.safetensors", {"format": "pt"})
    write_labelled_splits(tmp_path)
    with pytest.raises(ModelError, match=r"own weights are missing or of other sizes: bert\.encoder\.layer\.1"):
        fine_tune_tiny_encoder(tmp_path, base)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0"),
        ({"max_seq_length": 3}, "max_seq_length must be >= 4"),
        ({"class_weight": "heavy"}, "class_weight must be one of none, balanced"),
        ({"loss": "hinge"}, "loss must be one of cross_entropy, focal"),
        ({"focal_gamma": -1.0}, "focal_gamma must be between 0 and 5"),
        ({"positive_label": NEGATIVE}, "two labels of different names"),
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        classifier_arguments(tmp_path, tmp_path, **given)


def start(folder: Path, model: Path, **more: object) -> subprocess.Popen[str]:
    environment = os.environ | {
        "SM_CHANNEL_TRAIN": str(folder / "train"),
        "SM_CHANNEL_VALIDATION": str(folder / "validation"),
        "SM_CHANNEL_MODEL": str(model),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "data"),
        "SM_OUTPUT_DIR": str(folder / "output"),
        "OMP_NUM_THREADS": "1",
    }
    given = {
        "positive_label": POSITIVE,
        "negative_label": NEGATIVE,
        "max_seq_length": 48,
        "learning_rate": 5e-3,
        "train_batch_size": 8,
        "epochs": 8,
        "checkpoints": str(folder / "checkpoints"),
    } | more
    command = [sys.executable, "-m", "training.fine_tune_classifier"]
    for name, value in given.items():
        command += [f"--{name}", json.dumps(value) if isinstance(value, str) else str(value)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_killed_training_goes_on_as_if_nothing_had_happened(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    whole, killed = (write_labelled_splits(tmp_path / name) for name in ("whole", "killed"))
    log, _ = (process := start(whole, tiny_encoder_directory)).communicate(timeout=300)
    assert process.returncode == 0, log
    process = start(killed, tiny_encoder_directory)
    while not (killed / "checkpoints" / "checkpoint-12" / "complete.json").exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (killed / "model").exists()
    log, _ = start(killed, tiny_encoder_directory).communicate(timeout=300)
    assert "going on from checkpoint-" in log
    expected, resumed = (load_file(folder / "model" / "model.safetensors") for folder in (whole, killed))
    assert all(bool((expected[name] == resumed[name]).all()) for name in expected)
    cards = [read_model_card(folder / "model") for folder in (whole, killed)]
    assert cards[0].decision == cards[1].decision


def test_two_processes_train_as_one_with_twice_the_batch(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    """Of 23 validation records one process has one less, and none may count twice."""
    lines = []
    for processes in (1, 2):
        folder = write_labelled_splits(tmp_path / str(processes), validation=23)
        process = start(folder, tiny_encoder_directory, processes=processes, train_batch_size=8 // processes, epochs=2)
        log, _ = process.communicate(timeout=300)
        assert process.returncode == 0, log
        lines.append([line for line in log.splitlines() if METRIC.match(line)])
    assert lines[0] == lines[1] and len(lines[0]) == 3


def test_a_failure_leaves_its_reason_where_sagemaker_looks(tiny_encoder_directory: Path, tmp_path: Path) -> None:
    folder = write_labelled_splits(tmp_path)
    process = start(folder, tiny_encoder_directory, class_weight="heavy")
    log, _ = process.communicate(timeout=300)
    assert process.returncode == 1 and "Traceback" not in log
    assert (folder / "output" / "failure").read_text().startswith("ArgumentError: class_weight must be one of")
