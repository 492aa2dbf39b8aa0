"""The pipeline of a task that JumpStart's script fine-tunes: what its steps are given, and what they may read."""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import App
from aws_cdk.assertions import Template

from app import build_app
from stacks.config import TASKS_FOLDER, load_stage, load_task
from stacks.errors import ConfigurationError, LockError
from stacks.job_access import job_access
from stacks.jumpstart import locked_models
from stacks.pipeline import pipeline_definition
from stacks.pipeline.placeholders import PLACEHOLDERS
from tests import jumpstart_content as jumpstart
from tests.stacks.conftest import JUMPSTART
from tests.stacks.shapes import problems, steps

RADIOLOGY = TASKS_FOLDER / "radiology_impressions.yaml"
Definition = Mapping[str, Any]


def step(definition: Definition, name: str) -> dict[str, Any]:
    (found,) = [step["Arguments"] for step in steps(definition) if step["Name"] == name]
    return dict(found)


def definition_of(folder: Path, version: str, **training: Any) -> Definition:
    """The definition with the model's version OLD or NEW and changed settings."""
    stage = load_stage("dev")
    task = load_task(jumpstart.write_task(RADIOLOGY, folder / "tasks", **training), "dev")
    models = locked_models(jumpstart.write_lock_file(folder, version), stage, [task])
    kinds = ("pipeline", *job_access(task, models[task.name]))
    environment = dataclasses.replace(
        PLACEHOLDERS, roles={kind: f"arn:aws:iam::111111111111:role/{kind}" for kind in kinds}
    )
    return pipeline_definition(task, stage, environment, models[task.name])


def test_steps_and_their_order(definitions: Mapping[str, Definition]) -> None:
    by_name = {s["Name"]: json.dumps(s["Arguments"]) for s in steps(definitions[JUMPSTART])}
    needs = {
        "StageModel": set(),
        "FineTune": {"Prepare"},
        "Package": {"StageModel", "FineTune"},
        "GeneratePretrained": {"Prepare", "StageModel"},
        "GenerateFineTuned": {"Prepare", "Package"},
        "Evaluate": {"Prepare", "GeneratePretrained", "GenerateFineTuned"},
        "Register": {"StageModel", "Package", "GenerateFineTuned", "Evaluate"},
    }
    assert by_name.keys() == {"Prepare", "Gate", *needs}
    for name, sources in needs.items():
        assert {other for other in by_name if f"Steps.{other}." in by_name[name]} == sources, name


def test_fine_tune_is_jumpstarts_image_script_and_channels(definitions: Mapping[str, Definition]) -> None:
    arguments = step(definitions[JUMPSTART], "FineTune")
    own = step(definitions["dev"], "FineTune")
    assert arguments["AlgorithmSpecification"]["TrainingImage"] == jumpstart.TRAINING_IMAGE
    # The losses are read as the task says, whoever trains.
    metrics = "MetricDefinitions"
    assert arguments["AlgorithmSpecification"][metrics] == own["AlgorithmSpecification"][metrics]
    channels = {c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3Uri"] for c in arguments["InputDataConfig"]}
    assert channels == {
        "training": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"},
        "model": f"s3://{jumpstart.BUCKET}/{jumpstart.TRAINING_KEY}",
        "code": f"s3://{jumpstart.BUCKET}/{jumpstart.SCRIPT_KEY}",
    }
    for name in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "StoppingCondition"):
        assert arguments[name] == own[name], name
    assert "CheckpointConfig" not in arguments


def test_the_tasks_settings_override_the_locks_under_the_names_of_its_version(tmp_path: Path) -> None:
    epochs = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}}
    toolkit = {
        "sagemaker_program": "transfer_learning.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        "sagemaker_container_log_level": "20",
        "sagemaker_region": "us-east-1",
    }
    given = {"learning_rate": 0.0003, "train_batch_size": 4, "max_input_tokens": 700, "seed": 7}
    old = definition_of(tmp_path, jumpstart.OLD, **given)
    assert problems(old) == []
    assert step(old, "FineTune")["HyperParameters"] == {
        "epochs": epochs,
        "seed": "7",
        "batch_size": "4",
        "learning_rate": "0.0003",
        "validation_split_ratio": "0.05",
        "train_data_split_seed": "0",
        **toolkit,
    }
    new = definition_of(tmp_path, jumpstart.NEW, **given)
    assert problems(new) == []
    assert step(new, "FineTune")["HyperParameters"] == {
        "instruction_tuned": "True",
        "epoch": epochs,
        "seed": "7",
        "per_device_train_batch_size": "4",
        "learning_rate": "0.0003",
        "max_input_length": "700",
        "validation_split_ratio": "0.2",
        "train_data_split_seed": "0",
        **toolkit,
    }
    # Its script reads whole numbers only.
    for definition in (old, new):
        (parameter,) = [p for p in definition["Parameters"] if p["Name"] == "Epochs"]
        assert (parameter["Type"], parameter["DefaultValue"]) == ("Integer", 3)


@pytest.mark.parametrize(
    ("version", "artefact"),
    [(jumpstart.OLD, jumpstart.HOSTING_KEY), (jumpstart.NEW, jumpstart.HOSTING_PREFIX)],
)
def test_the_model_before_fine_tuning_is_the_one_that_jumpstart_serves(
    tmp_path: Path, version: str, artefact: str
) -> None:
    arguments = step(definition_of(tmp_path, version), "StageModel")
    inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in arguments["ProcessingInputs"]}
    assert inputs["model"] == f"s3://{jumpstart.BUCKET}/{artefact}"
    command = arguments["AppSpecification"]["ContainerArguments"]
    assert command[command.index("--revision") + 1] == version


def test_a_step_is_the_same_in_the_next_run_so_that_it_is_taken_from_the_cache(
    definitions: Mapping[str, Definition],
) -> None:
    """What SageMaker knows a step by; its outputs' places are not part of it."""
    identity = ("AlgorithmSpecification", "HyperParameters", "InputDataConfig", "AppSpecification", "ProcessingInputs")
    for name in ("StageModel", "Prepare", "FineTune", "Package", "GenerateFineTuned"):
        arguments = step(definitions[JUMPSTART], name)
        assert "Execution." not in json.dumps([arguments.get(part) for part in identity]), name


def test_what_is_registered_is_the_package(definitions: Mapping[str, Definition]) -> None:
    (container,) = step(definitions[JUMPSTART], "Register")["InferenceSpecification"]["Containers"]
    package = {"Get": "Steps.Package.ProcessingOutputConfig.Outputs['model'].S3Output.S3Uri"}
    assert container["ModelDataUrl"] == {"Std:Join": {"On": "/", "Values": [package, "model.tar.gz"]}}
    inputs = step(definitions[JUMPSTART], "GenerateFineTuned")["ProcessingInputs"]
    assert container["ModelDataUrl"] in [item["S3Input"]["S3Uri"] for item in inputs]


def statements(template: Template, construct: str) -> list[dict[str, Any]]:
    """The statements of the policies whose logical id holds `construct`."""
    found: list[dict[str, Any]] = []
    for name, policy in template.find_resources("AWS::IAM::Policy").items():
        if construct in name:
            found += policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_only_the_jobs_that_need_them_read_jumpstarts_objects_and_nothing_beside_them(
    templates: Mapping[str, Mapping[str, Template]],
) -> None:
    training = templates[JUMPSTART]["Training"]
    archives = sorted([jumpstart.SCRIPT_KEY, jumpstart.TRAINING_KEY])
    folder = jumpstart.HOSTING_PREFIX.rstrip("/")
    # Role -> (objects that it reads, prefixes that it lists).
    needed = {"StageModelRole": ([f"{folder}/*"], [folder, f"{folder}/*"]), "FineTuneRole": (archives, archives)}
    for role in ("StageModelRole", "PrepareRole", "FineTuneRole", "PackageRole", "GenerateRole", "EvaluateRole"):
        objects, listed = [], []
        for statement in statements(training, f"RadiologyImpressions{role}"):
            text = json.dumps(statement["Resource"])
            if jumpstart.BUCKET not in text:
                continue
            if statement["Action"] == "s3:GetObject":
                objects += re.findall(rf":s3:::{jumpstart.BUCKET}/([^\"]+)\"", text)
            else:
                assert statement["Action"] == "s3:ListBucket"
                listed += statement["Condition"]["StringLike"]["s3:prefix"]
        assert (sorted(objects), sorted(listed)) == needed.get(role, ([], [])), role
    for stage in ("local", "dev", "prod"):
        for template in templates[stage].values():
            assert "jumpstart" not in json.dumps(template.to_json())


def test_the_packaged_model_is_read_where_a_model_is_needed(
    templates: Mapping[str, Mapping[str, Template]],
) -> None:
    training, serving = templates[JUMPSTART]["Training"], templates[JUMPSTART]["Serving"]
    packaged, trained = "runs/radiology_impressions/*/packaged/*", "runs/radiology_impressions/*/training/*"
    reads = {
        "GenerateRole": (training, {packaged}),
        "PipelineRole": (training, {packaged}),
        "PackageRole": (training, {packaged, trained}),
        "EvaluateRole": (training, set()),
        "RadiologyImpressionsRole": (serving, {packaged}),
    }
    for role, (template, expected) in reads.items():
        text = json.dumps(statements(template, role))
        assert {folder for folder in (packaged, trained) if folder in text} == expected, role
    writes = json.dumps([s for s in statements(training, "PackageRole") if "s3:PutObject" in s["Action"]])
    assert set(re.findall(r"runs/radiology_impressions/\*/(\w+)/", writes)) == {"packaged"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"training": {"label_smoothing": 0.1}},
            "training.label_smoothing must be left out with model.source jumpstart",
        ),
        ({"training": {"strategy": "ddp", "max_seconds": 60}}, "training.max_seconds, training.strategy must be left"),
        ({"training": {"epochs": 0.5}}, "training.epochs must be whole with model.source jumpstart, got 0.5"),
        ({"prompt": "{input} {patient}"}, "prompt may hold no braces but those of {input}"),
        ({"model": {"revision": "0" * 40}}, "source jumpstart takes ['id'], got ['id', 'revision']"),
    ],
)
def test_what_jumpstarts_script_would_ignore_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    file = jumpstart.write_task(RADIOLOGY, tmp_path)
    content = yaml.safe_load(file.read_text())
    for name, value in changed.items():
        content[name] = {**content[name], **value} if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigurationError) as caught:
        load_task(file, "dev")
    assert said in str(caught.value)


def test_synth_without_the_lock_names_the_command_to_run(tmp_path: Path) -> None:
    jumpstart.write_task(RADIOLOGY, tmp_path / "tasks")
    with pytest.raises(LockError) as caught:
        build_app(App(context={"stage": "dev", "tasks": str(tmp_path / "tasks")}))
    assert str(caught.value) == (
        f"radiology_impressions.yaml: model.id: {tmp_path}/jumpstart.lock.json is missing; run "
        f"`python -m stacks.jumpstart_lock --model-id {jumpstart.MODEL_ID} --region us-east-1 --output "
        f"{tmp_path}/jumpstart.lock.json` with AWS credentials and commit the file"
    )


def test_a_lock_without_the_stages_region_names_the_command_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = jumpstart.write_lock_file(tmp_path, jumpstart.NEW)
    monkeypatch.setattr("stacks.jumpstart.LOCK_FILE", file)
    task = load_task(jumpstart.write_task(RADIOLOGY, tmp_path), "dev")
    elsewhere = load_stage("dev").model_copy(update={"region": "eu-west-1"})
    with pytest.raises(LockError) as caught:
        locked_models(file, elsewhere, [task])
    assert str(caught.value) == (
        f"radiology_impressions.yaml: model.id: jumpstart.lock.json does not hold {jumpstart.MODEL_ID} in eu-west-1; "
        f"run `make jumpstart-lock MODEL={jumpstart.MODEL_ID} REGION=eu-west-1` with AWS credentials and commit the "
        "file"
    )
