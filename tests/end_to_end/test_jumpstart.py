"""A task that JumpStart's script fine-tunes, from the command that pins its model to the live endpoint.

The JumpStart is invented: its manifest, specification, model and script lie in a bucket of the local AWS that has the
name of AWS's own. Everything else is the real thing.
"""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.athena import ask
from local.aws import LocalAws
from local.deployment import deploy, synthesise
from local.paths import EMULATOR_PYTHON, PYTHON, REPOSITORY
from local.stage import LocalStage, make_readers, wait_for_endpoint
from tests import jumpstart_content as jumpstart
from tests.end_to_end.conftest import TASK, TASKS_FOLDER, Pipeline
from tests.end_to_end.reports import pair, write_reports
from tests.training.tiny_model import build_tiny_model
from training.table_schemas import FINE_TUNED, PRETRAINED, ROUGE_METRICS

pytestmark = pytest.mark.end_to_end

SCRIPT = Path(__file__).with_name("jumpstart_script")
# A prefix, as newer versions have it, would do as well: tests/training/test_stage_model.py tries every form.
HOSTING_KEY = "huggingface-infer/prepack/v1.0.0/infer-prepack-huggingface-text2text-invented.tar.gz"


def publish(aws: LocalAws, folder: Path) -> None:
    """The invented JumpStart: a tiny T5 as two archives, the script, and what its manifest says of them."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=jumpstart.BUCKET)
    model = build_tiny_model(folder / "model")
    # JumpStart knows nothing of cards, and brings inference code of its own.
    (model / "model_card.json").unlink()
    shutil.rmtree(model / "code")
    archives = {
        # One folder deep, as some of AWS's archives are.
        HOSTING_KEY: pack(model, folder / "hosting.tar.gz", "invented-model"),
        jumpstart.TRAINING_KEY: pack(model, folder / "training.tar.gz", "."),
        jumpstart.SCRIPT_KEY: pack(SCRIPT, folder / "script.tar.gz", "."),
    }
    for key, archive in archives.items():
        s3.upload_file(str(archive), jumpstart.BUCKET, key)
    jumpstart.publish(s3, jumpstart.specification(jumpstart.NEW, hosting_prepacked_artifact_key=HOSTING_KEY))


def pack(folder: Path, archive: Path, name: str) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, name, filter=lambda member: None if "__pycache__" in member.name else member)
    return archive


def pin(aws: LocalAws, lock: Path) -> None:
    """Write the lock file with the command that a user runs."""
    command = [str(PYTHON), "-m", "stacks.jumpstart_lock", "--output", str(lock), "--region", jumpstart.REGION]
    command += ["--model-id", jumpstart.MODEL_ID]
    outcome = subprocess.run(
        command, cwd=REPOSITORY, env=aws.environment(), capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The task's pipeline, deployed to a local AWS of its own."""
    folder = tmp_path_factory.mktemp("jumpstart")
    jumpstart.write_task(
        TASKS_FOLDER / f"{TASK}.yaml",
        folder / "tasks",
        epochs=2.0,
        learning_rate=0.01,
        train_batch_size=16,
        max_input_tokens=256,
    )
    with LocalAws(folder / "aws", python=EMULATOR_PYTHON, job_python=PYTHON, repository=REPOSITORY) as aws:
        publish(aws, folder)
        pin(aws, folder / "jumpstart.lock.json")
        assembly = folder / "cdk.out"
        synthesise(assembly, tasks=folder / "tasks")
        make_readers(aws, assembly)
        names = deploy(assembly, aws.environment())
        yield Pipeline(LocalStage(aws, names, assembly, 0.0))


def job_of(pipeline: Pipeline, arn: str, name: str) -> dict[str, Any]:
    steps = pipeline.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    (step,) = [step for step in steps if step["StepName"] == name]
    job: dict[str, Any] = pipeline.sagemaker.describe_training_job(
        TrainingJobName=step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    )
    return job


def test_an_upload_becomes_a_live_model_that_jumpstarts_script_trained(pipeline: Pipeline, tmp_path: Path) -> None:
    stage, sagemaker = pipeline.stage, pipeline.sagemaker
    pipeline.upload(write_reports(tmp_path / "dev2.jsonl", range(1000, 1040)), "dev2")
    pipeline.upload(write_reports(tmp_path / "train.jsonl", range(320)))
    arn = pipeline.next_run(0)
    view = pipeline.wait(arn)
    assert view.status == "Succeeded", view.reason
    assert {step.name for step in view.steps} >= {"Package", "Register"}, "the gate did not let the model through"

    # The script got the task's settings and the code from a channel, and its losses were read as the task says.
    job = job_of(pipeline, arn, "FineTune")
    assert job["AlgorithmSpecification"]["TrainingImage"] == jumpstart.TRAINING_IMAGE
    assert job["EnableNetworkIsolation"] is True
    assert job["HyperParameters"]["epoch"] == "2"
    assert {metric["MetricName"] for metric in job["FinalMetricDataList"]} == {"train_loss", "val_loss", "epoch"}

    # It leaves no curve, which is said; everything else of a run is there.
    row = pipeline.row(view.run_id)
    assert "JumpStart's script leaves none" in str(row["warnings"])
    names = stage.names
    (curve,) = ask(
        stage.aws.client("athena"),
        f"SELECT count(*) AS n FROM training_curve WHERE task = '{TASK}' AND run_id = '{view.run_id}'",
        database=names.database,
        workgroup=names.workgroup,
    )
    assert int(str(curve["n"])) == 0
    scores = pipeline.tables.scores(TASK, view.run_id, ROUGE_METRICS)["dev2"]
    assert scores[FINE_TUNED]["rougeL"] > scores[PRETRAINED]["rougeL"]

    # What is registered is the package: it goes live, and understands both forms of JumpStart's requests.
    package = str(row["model_package"])
    described = sagemaker.describe_model_package(ModelPackageName=package)
    (container,) = described["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == f"s3://{names.bucket}/runs/{TASK}/{view.run_id}/packaged/model.tar.gz"
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_for_endpoint(sagemaker, pipeline.name, package)
    text = str(pair(5000)["findings"])
    (answer,) = invoke(pipeline, {"inputs": text})
    assert invoke(pipeline, {"text_inputs": text}) == {"generated_texts": [answer["generated_text"]]}


def invoke(pipeline: Pipeline, body: dict[str, Any]) -> Any:
    response = pipeline.stage.aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=pipeline.name, ContentType="application/json", Body=json.dumps(body).encode()
    )
    return json.loads(response["Body"].read())
