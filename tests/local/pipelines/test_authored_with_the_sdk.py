"""A definition that the SageMaker SDK wrote, unmodified, from its first step to its registered model."""

import logging
import textwrap
import warnings
from collections.abc import Iterator

import pytest

from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import source_archive

PREPARE = """
    import pathlib, sys
    _, repeats, data, output = sys.argv
    pathlib.Path(output, "part.txt").write_text(pathlib.Path(data, "rows.txt").read_text() * int(repeats))
"""
TRAIN = """
    import argparse, os, pathlib
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--lr", type=float)
    arguments = parser.parse_args()
    rows = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "part.txt").read_text().split()
    print(f"eval_loss={arguments.epochs / len(rows)}")
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(str(arguments.lr))
"""
EVALUATE = """
    import json, pathlib, sys
    _, _, model, output = sys.argv
    assert pathlib.Path(model, "model.tar.gz").is_file()
    pathlib.Path(output, "evaluation.json").write_text(json.dumps({"metrics": {"rougeL": {"value": 0.5}}}))
"""


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK builds a definition without asking AWS anything, if it is told so."""
    for name, value in {
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }.items():
        monkeypatch.setenv(name, value)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    logging.disable(before)


@pytest.mark.usefixtures("offline")
def test_a_definition_of_the_sdk_runs_unmodified(emulator: Emulator) -> None:
    # The SDK makes AWS clients already while it is imported.
    from tests.local.pipelines.authoring import author

    definition = author()
    emulator.s3.put("s3://assets/prepare.py", textwrap.dedent(PREPARE))
    emulator.s3.put("s3://assets/evaluate.py", textwrap.dedent(EVALUATE))
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=TRAIN))
    emulator.s3.put("s3://bucket/data/rows.txt", "a b\n")
    emulator.lambdas.answers = [({"statusCode": "200"}, None)]

    arn = emulator.run(definition, parameters={"Epochs": "3", "InputData": "s3://bucket/data"})
    assert emulator.statuses(arn) == dict.fromkeys(
        ("Prepare", "Tune", "FineTune", "Evaluate", "Gate", "Register", "Notify"), "Succeeded"
    ), emulator.steps(arn)
    training, tuning = emulator.job(arn, "FineTune"), emulator.job(arn, "Tune")
    assert training["HyperParameters"]["lr"] == tuning["BestTrainingJob"]["TunedHyperParameters"]["lr"]
    assert tuning["TrainingJobStatusCounters"]["Completed"] == 2
    (metric,) = training["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("eval:loss", 0.75)
    (package,) = emulator.packages
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == training["ModelArtifacts"]["S3ModelArtifacts"]
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CustomerMetadataProperties"] == {"run_id": arn.rsplit("/", 1)[1]}
    assert emulator.lambdas.payloads == [("arn:aws:lambda:us-east-1:111122223333:function:f", {"rougeL": 0.5})]

    arn = emulator.run(definition, parameters={"InputData": "s3://bucket/data", "Threshold": "0.75"})
    assert emulator.status(arn) == "Failed"
    assert emulator.reason(arn, "TooBad") == "below 0.75"
    # Nothing that Prepare is known by has changed, but FineTune has another number of epochs.
    assert "CacheHitResult" in emulator.steps(arn)["Prepare"]
    assert "CacheHitResult" not in emulator.steps(arn)["FineTune"]
