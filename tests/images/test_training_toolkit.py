"""SageMaker's own training toolkit, which is in AWS's images, starts the training script from its archive."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from stacks.config import load_tasks
from stacks.pipeline.source_archive import FINE_TUNE, write_source_archive
from tests.end_to_end.reports import pair
from tests.images import container
from tests.training.tiny_model import build_tiny_model
from training.table_schemas import TRAINING_CURVE

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(container.missing() is not None, reason=str(container.missing())),
]

# A name such as the CDK gives the archive.
ARCHIVE = "0123456789abcdef.gz"
HYPERPARAMETERS = {
    # One version of the SDK quotes values, another does not.
    "prompt_template": json.dumps("Findings: {input}\nImpression:"),
    "epochs": json.dumps("1.0"),
    "learning_rate": "0.001",
    "train_batch_size": "16",
    "max_input_tokens": "128",
    "max_target_tokens": "64",
    "seed": "1",
    "checkpoints": "/opt/ml/checkpoints",
    "sagemaker_program": FINE_TUNE,
    "sagemaker_submit_directory": f"/opt/ml/input/data/code/{ARCHIVE}",
    "sagemaker_container_log_level": "20",
    "sagemaker_region": "us-east-1",
    # SageMaker gives it to the jobs of a search; the script would refuse it.
    "_tuning_objective_metric": "f1",
}


def train(folder: Path, hyperparameters: dict[str, str]) -> tuple[int, Path, str]:
    """Run the toolkit's `train` as SageMaker does; its exit code, what it saw as /opt/ml, and its output."""
    ml = folder / "ml"
    config, data = ml / "input" / "config", ml / "input" / "data"
    config.mkdir(parents=True)
    build_tiny_model(data / "model")
    write_source_archive(data / "code").rename(data / "code" / ARCHIVE)
    for split, numbers in (("train", range(96)), ("validation", range(100, 124))):
        write_split(data / split, numbers)
    for name, content in {
        "hyperparameters": hyperparameters,
        # A host that does not resolve makes the toolkit wait for ever.
        "resourceconfig": {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"},
        "inputdataconfig": {name: {"TrainingInputMode": "File"} for name in ("train", "validation", "model", "code")},
    }.items():
        (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as output:
        process = container.start(ml, [str(container.ENVIRONMENT / "bin" / "train")], {}, output)
        try:
            code = process.wait(300)
        finally:
            container.stop(process)
    return code, ml, log.read_text(encoding="utf-8", errors="replace")


def write_split(folder: Path, numbers: range) -> None:
    """Records as Prepare writes them."""
    folder.mkdir(parents=True)
    lines = []
    for number in numbers:
        given = pair(number)
        record: dict[str, Any] = {"id": f"{number:016x}", "input": given["findings"], "target": given["impression"]}
        lines.append(json.dumps({**record, "patient": None, "normal": given["normal"]}) + "\n")
    (folder / "part-00000.jsonl").write_text("".join(lines), encoding="utf-8")


def test_the_toolkit_trains_a_model_from_the_archive(tmp_path: Path) -> None:
    code, ml, log = train(tmp_path, HYPERPARAMETERS)
    assert code == 0, log[-3000:]
    assert (ml / "output" / "success").exists()
    model = ml / "model"
    for name in ("config.json", "model.safetensors", "generation_config.json", "tokenizer.json", "code/inference.py"):
        assert (model / name).is_file(), name
    (task,) = [task for task in load_tasks("dev") if task.name == "radiology_impressions"]
    for metric in task.metrics:
        assert re.findall(metric.regex, log), f"no line of the log matches the metric {metric.name}"
    rows = [json.loads(line) for line in (ml / "output" / "data" / "training_curve.jsonl").read_text().splitlines()]
    assert rows
    assert all(set(row) == set(TRAINING_CURVE.column_names) for row in rows)
    assert "Study" not in log, "text of the records is in the log"


def test_a_failed_training_says_why_where_sagemaker_looks(tmp_path: Path) -> None:
    code, ml, log = train(tmp_path, {**HYPERPARAMETERS, "colour": "blue"})
    assert code != 0, log[-3000:]
    assert "colour" in (ml / "output" / "failure").read_text(encoding="utf-8")


def test_the_archive_brings_what_the_image_lacks(tmp_path: Path) -> None:
    with tarfile.open(write_source_archive(tmp_path)) as archive:
        roots = {name.partition("/")[0] for name in archive.getnames()}
    assert {"training", "rouge_score", "absl", "nltk", "bm25s", FINE_TUNE} <= roots
