"""SageMaker's own training toolkit, which is in AWS's images, starts the training script from its archive."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws import LocalAws
from stacks.config import load_tasks
from stacks.pipeline.source_archive import TRAINING_PROGRAM, write_source_archive
from tests.end_to_end.reports import pair
from tests.images import container
from tests.training.tiny_model import build_tiny_model
from training.table_schemas import TRAINING_CURVE

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(container.missing() is not None, reason=str(container.missing())),
]

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
    "sagemaker_program": TRAINING_PROGRAM,
    "sagemaker_container_log_level": "20",
    "sagemaker_region": "us-east-1",
}


@pytest.fixture(scope="module")
def source_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """S3 URI of the code archive, under a name like the CDK gives it, and the environment to get it with."""
    folder = tmp_path_factory.mktemp("source")
    archive = write_source_archive(folder)
    python = container.REPOSITORY / ".venv-emulator" / "bin" / "python"
    with LocalAws(folder / "aws", python=python, job_python=python, repository=container.REPOSITORY) as aws:
        aws.client("s3").create_bucket(Bucket="assets")
        aws.client("s3").upload_file(str(archive), "assets", "0123456789abcdef.gz")
        environment = {name: value for name, value in aws.environment().items() if name.startswith("AWS_")}
        yield "s3://assets/0123456789abcdef.gz", {**environment, "S3_ENDPOINT_URL": aws.endpoint_url}


def train(folder: Path, source: tuple[str, dict[str, str]], hyperparameters: dict[str, str]) -> tuple[int, Path, str]:
    """Run the toolkit's `train` as SageMaker does; its exit code, what it saw as /opt/ml, and its output."""
    uri, environment = source
    ml = folder / "ml"
    config = ml / "input" / "config"
    config.mkdir(parents=True)
    build_tiny_model(ml / "input" / "data" / "model")
    for split, numbers in (("train", range(96)), ("validation", range(100, 124))):
        write_split(ml / "input" / "data" / split, numbers)
    for name, content in {
        "hyperparameters": {**hyperparameters, "sagemaker_submit_directory": uri},
        # A host that does not resolve makes the toolkit wait for ever.
        "resourceconfig": {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"},
        "inputdataconfig": {name: {"TrainingInputMode": "File"} for name in ("train", "validation", "model")},
    }.items():
        (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as output:
        process = container.start(ml, [str(container.ENVIRONMENT / "bin" / "train")], environment, output)
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


def test_the_toolkit_trains_a_model_from_the_archive(source_uri: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    code, ml, log = train(tmp_path, source_uri, HYPERPARAMETERS)
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


def test_a_failed_training_says_why_where_sagemaker_looks(
    source_uri: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    code, ml, log = train(tmp_path, source_uri, {**HYPERPARAMETERS, "colour": "blue"})
    assert code != 0, log[-3000:]
    assert "colour" in (ml / "output" / "failure").read_text(encoding="utf-8")


def test_the_archive_brings_what_the_image_lacks(tmp_path: Path) -> None:
    with tarfile.open(write_source_archive(tmp_path)) as archive:
        roots = {name.partition("/")[0] for name in archive.getnames()}
    assert {"training", "rouge_score", "absl", "nltk", TRAINING_PROGRAM} <= roots
