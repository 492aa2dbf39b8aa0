"""The command that pins a JumpStart model: the SDK's own retrieval, an invented JumpStart on the local AWS."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.aws import LocalAws
from stacks.errors import LockError
from stacks.jumpstart import read_lock
from tests import jumpstart_content as jumpstart
from tests.stacks.conftest import REPOSITORY


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    python = REPOSITORY / ".venv-emulator" / "bin" / "python"
    state = tmp_path_factory.mktemp("aws")
    with LocalAws(state, python=python, job_python=Path(sys.executable), repository=REPOSITORY) as aws:
        aws.client("s3").create_bucket(Bucket=jumpstart.BUCKET)
        yield aws


def command_line(file: Path, *arguments: str) -> list[str]:
    return ["--model-id", jumpstart.MODEL_ID, "--region", jumpstart.REGION, "--output", str(file), *arguments]


def run(aws: LocalAws, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "stacks.jumpstart_lock", *command_line(file, *arguments)],
        cwd=REPOSITORY,
        env=aws.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def run_here(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The same within this process, which imports the SDK but once. Returns the exit status."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)

    def call(file: Path, *arguments: str) -> int:
        # The SDK makes AWS clients already while it is imported.
        from stacks.jumpstart_lock import main

        monkeypatch.setattr(sys, "argv", ["jumpstart_lock", *command_line(file, *arguments)])
        return main()

    return call


def both(**changed: Any) -> list[dict[str, Any]]:
    return [jumpstart.specification(version, **changed) for version in (jumpstart.OLD, jumpstart.NEW)]


def test_the_newest_version_is_pinned_with_what_it_takes(aws: LocalAws, tmp_path: Path) -> None:
    jumpstart.publish(aws.client("s3"), *both())
    file = tmp_path / "jumpstart.lock.json"
    outcome = run(aws, file)
    assert outcome.returncode == 0, outcome.stderr
    assert f"{jumpstart.MODEL_ID} is {jumpstart.NEW} in us-east-1" in outcome.stdout
    assert "gives it none" not in outcome.stdout
    content = json.loads(file.read_text())
    assert content == {jumpstart.MODEL_ID: {jumpstart.REGION: jumpstart.locked(jumpstart.NEW)}}
    assert content[jumpstart.MODEL_ID][jumpstart.REGION]["training"]["hyperparameters"]["epoch"] == "1"
    # What was written is what synth reads.
    model = read_lock(file)[jumpstart.MODEL_ID][jumpstart.REGION]
    assert model.model_dump(mode="json") == content[jumpstart.MODEL_ID][jumpstart.REGION]


def test_an_older_version_can_be_asked_for_and_other_models_stay(aws: LocalAws, tmp_path: Path) -> None:
    jumpstart.publish(aws.client("s3"), *both())
    file = tmp_path / "jumpstart.lock.json"
    assert run(aws, file).returncode == 0
    renamed = json.loads(file.read_text().replace(jumpstart.MODEL_ID, "another-model"))
    file.write_text(json.dumps(renamed))
    outcome = run(aws, file, "--model-version", "1.*")
    assert outcome.returncode == 0, outcome.stderr
    assert "JumpStart itself trains this version with network; the pipeline gives it none." in outcome.stdout
    lock = read_lock(file)
    assert lock["another-model"]["us-east-1"].version == jumpstart.NEW
    old = lock[jumpstart.MODEL_ID]["us-east-1"]
    assert (old.version, old.hosting.request_form) == (jumpstart.OLD, "v1")
    assert old.hosting.artefact.endswith("/infer-prepack-huggingface-text2text-invented.tar.gz")
    assert old.training.hyperparameters["epochs"] == "1"


@pytest.mark.parametrize(
    ("changed", "arguments", "said"),
    [
        ({}, ["--model-version", "9.9.9"], "Unable to find model manifest"),
        ({"training_supported": False}, [], "does not support training"),
        ({"training_vulnerable": True, "training_vulnerabilities": ["a weakness"]}, [], "a weakness"),
        ({"gated_bucket": True}, [], "asks for its licence to be accepted"),
        ({"training_instance_type_variants": None}, [], "No training ECR configuration"),
        ({"default_payloads": None, "hosting_instance_type_variants": "v1 image"}, [], "give --request-form"),
        ({"hyperparameters": []}, [], "training: hyperparameters must hold exactly one of epochs, epoch; found []"),
        ({"training_artifact_key": "a/folder"}, [], "training.artefact: String should match pattern"),
    ],
)
def test_what_cannot_be_pinned_is_said_with_model_and_region_and_nothing_is_written(
    aws: LocalAws,
    run_here: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    arguments: list[str],
    said: str,
) -> None:
    if changed.get("hosting_instance_type_variants") == "v1 image":
        old = jumpstart.specification(jumpstart.OLD)
        changed = {**changed, "hosting_instance_type_variants": old["hosting_instance_type_variants"]}
    jumpstart.publish(aws.client("s3"), *both(**changed))
    assert run_here(tmp_path / "lock.json", *arguments) == 1
    errors = capsys.readouterr().err
    assert f"Stopped: {jumpstart.MODEL_ID}: us-east-1: " in errors
    assert said in errors
    assert not (tmp_path / "lock.json").exists()


def test_the_request_form_can_be_given_where_jumpstart_does_not_say_it(
    aws: LocalAws, run_here: Callable[..., int], tmp_path: Path
) -> None:
    jumpstart.publish(aws.client("s3"), jumpstart.specification(jumpstart.OLD, default_payloads=None))
    assert run_here(tmp_path / "lock.json", "--request-form", "v1") == 0
    assert read_lock(tmp_path / "lock.json")[jumpstart.MODEL_ID]["us-east-1"].hosting.request_form == "v1"


def test_a_server_that_knows_one_form_only_needs_no_example(
    aws: LocalAws, run_here: Callable[..., int], tmp_path: Path
) -> None:
    jumpstart.publish(aws.client("s3"), jumpstart.specification(jumpstart.NEW, default_payloads=None))
    assert run_here(tmp_path / "lock.json") == 0
    assert read_lock(tmp_path / "lock.json")[jumpstart.MODEL_ID]["us-east-1"].hosting.request_form == "v2"


def test_without_credentials_it_says_so(
    run_here: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert run_here(tmp_path / "lock.json") == 1
    assert "JumpStart's content cannot be read: Unable to locate credentials" in capsys.readouterr().err


@pytest.fixture
def lock(aws: LocalAws, run_here: Callable[..., int], tmp_path: Path) -> Path:
    """A lock file that holds the newest version."""
    jumpstart.publish(aws.client("s3"), *both())
    assert run_here(tmp_path / "jumpstart.lock.json") == 0
    return tmp_path / "jumpstart.lock.json"


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("version", "2.*", "version: String should match pattern"),
        ("training.image", None, "training.image: Input should be a valid string, got None"),
        ("training.image", jumpstart.TRAINING_IMAGE.replace("us-east-1", "eu-west-1"), "must be an image in us-east-1"),
        ("training.script", "s3://bucket/folder/", "training.script: String should match pattern"),
        ("hosting.artefact", "https://example.com/x.tar.gz", "hosting.artefact: String should match pattern"),
        ("hosting.request_form", "v3", "hosting.request_form: Input should be 'v1' or 'v2', got 'v3'"),
        ("training.hyperparameters", {"epoch": 1}, "training.hyperparameters.epoch: Input should be a valid string"),
        ("training.colour", "blue", "training.colour: Extra inputs are not permitted"),
        (
            "training.hyperparameters",
            {"epoch": "1", "epochs": "1", "learning_rate": "1", "batch_size": "1"},
            "exactly one of epochs, epoch; found ['epochs', 'epoch']",
        ),
    ],
)
def test_a_lock_that_was_edited_is_refused_with_model_region_and_field(
    lock: Path, dotted: str, value: object, said: str
) -> None:
    content = json.loads(lock.read_text())
    *parents, name = dotted.split(".")
    place = content[jumpstart.MODEL_ID][jumpstart.REGION]
    for parent in parents:
        place = place[parent]
    place[name] = value
    lock.write_text(json.dumps(content))
    with pytest.raises(LockError) as caught:
        read_lock(lock)
    assert str(caught.value).startswith(f"jumpstart.lock.json: {jumpstart.MODEL_ID}: us-east-1: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [("[]", "must map a model id"), ("{", "not JSON"), ('{"a": 1}', "must map")])
def test_a_file_that_is_no_lock_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "jumpstart.lock.json").write_text(text)
    with pytest.raises(LockError, match=said):
        read_lock(tmp_path / "jumpstart.lock.json")
