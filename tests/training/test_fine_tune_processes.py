"""The real script as SageMaker starts it: killed and started again, as two processes, and failing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from tests.training.tiny_model import write_part, write_splits

REPOSITORY = Path(__file__).parents[2]
ARGUMENTS: dict[str, Any] = {
    "max_input_tokens": 96,
    "max_target_tokens": 32,
    "max_new_tokens": 16,
    "learning_rate": 5e-3,
    "train_batch_size": 8,
    "epochs": 8,
    "log_every_steps": 4,
    "evaluations_per_epoch": 1,
}


def start(folder: Path, model: Path, **more: Any) -> subprocess.Popen[str]:
    """`python3 -m training.fine_tune` as SageMaker's toolkit starts it. One thread, so that sums are exact."""
    environment = os.environ | {
        "SM_CHANNEL_TRAIN": str(folder / "train"),
        "SM_CHANNEL_VALIDATION": str(folder / "validation"),
        "SM_CHANNEL_MODEL": str(model),
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DATA_DIR": str(folder / "output" / "data"),
        "SM_OUTPUT_DIR": str(folder / "output"),
        "SM_HOSTS": '["localhost"]',
        "SM_CURRENT_HOST": "localhost",
        "OMP_NUM_THREADS": "1",
    }
    given = ARGUMENTS | {"checkpoints": str(folder / "checkpoints")} | more
    command = [sys.executable, "-m", "training.fine_tune"]
    for name, value in given.items():
        # As SDK v2 passes them: underscores, JSON-quoted.
        command += [f"--{name}", json.dumps(value) if isinstance(value, str) else str(value)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(folder: Path, model: Path, **more: Any) -> str:
    process = start(folder, model, **more)
    log, _ = process.communicate(timeout=300)
    assert process.returncode == 0, log
    return log


def curve_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "output" / "data" / "training_curve.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def uninterrupted(tiny_model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_splits(tmp_path_factory.mktemp("uninterrupted"))
    run(folder, tiny_model_directory)
    return folder


def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    uninterrupted: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    folder = write_splits(tmp_path)
    process = start(folder, tiny_model_directory)
    second_checkpoint = folder / "checkpoints" / "checkpoint-12" / "complete.json"
    while not second_checkpoint.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "model").exists()

    log = run(folder, tiny_model_directory)
    went_on = next(line for line in log.splitlines() if line.startswith("going on from checkpoint-"))
    step = int(went_on.rpartition("-")[2])
    assert 12 <= step < 48
    first_row = next(line for line in log.splitlines() if line.startswith("{"))
    assert f"'step': {step + 4 - step % 4}" in first_row
    assert curve_of(folder) == curve_of(uninterrupted)
    expected, resumed = (load_file(place / "model" / "model.safetensors") for place in (uninterrupted, folder))
    assert all(bool((expected[name] == resumed[name]).all()) for name in expected)


def test_two_processes_train_as_one_with_twice_the_batch(
    uninterrupted: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    folder = write_splits(tmp_path)
    log = run(folder, tiny_model_directory, processes=2, train_batch_size=ARGUMENTS["train_batch_size"] // 2)
    assert log.count("saved the model of step") == 1
    together, alone = curve_of(folder), curve_of(uninterrupted)
    assert [row["step"] for row in together] == [row["step"] for row in alone]
    # Sums in another order differ in the last digit, which training magnifies: only the first steps can be compared.
    for row, expected in zip(together[:8], alone[:8], strict=True):
        name = "validation_loss" if expected["train_loss"] is None else "train_loss"
        assert row[name] == pytest.approx(expected[name], rel=1e-3)
    assert (folder / "model" / "code" / "inference.py").exists()


def test_a_failure_leaves_its_reason_where_sagemaker_looks(tiny_model_directory: Path, tmp_path: Path) -> None:
    folder = write_splits(tmp_path)
    write_part(folder / "validation", [])
    process = start(folder, tiny_model_directory)
    log, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    failure = (folder / "output" / "failure").read_text()
    assert failure.startswith("UploadError: the validation split holds no records")
    assert failure in log and "Traceback" not in log
