"""JumpStart models, as `jumpstart.lock.json` pins them: synth reads that file and asks nobody.

Where JumpStart keeps a model's script and artefacts, and what their settings are called, differs from version to
version and can only be asked for with credentials. `python -m stacks.jumpstart_lock` asks once and writes the file,
which is committed:

    {model id: {region: {"version", "training": {...}, "hosting": {...}}}}

It lies beside the folder of task files, so at the root of this repository.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stacks.config import REPOSITORY, InstanceType, Stage, Task
from stacks.errors import LockError
from stacks.settings import Settings, validated

LOCK_NAME = "jumpstart.lock.json"
LOCK_FILE = REPOSITORY / LOCK_NAME

# The names that versions of JumpStart's script have given to the same setting; a version has exactly one of them.
EPOCHS = ("epochs", "epoch")
LEARNING_RATE = ("learning_rate",)
BATCH_SIZE = ("batch_size", "per_device_train_batch_size")

Image = Annotated[str, Field(pattern=r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[^/:@]+[:@].+$")]
Archive = Annotated[str, Field(pattern=r"^s3://[^/]+/.+\.tar\.gz$")]
# One archive, or a prefix below which the files lie as they are.
Artefact = Annotated[str, Field(pattern=r"^s3://[^/]+/.+(\.tar\.gz|/)$")]


class TrainingMetric(Settings):
    """A number that JumpStart would have SageMaker read out of the log. FineTune uses the task's metrics instead."""

    name: Annotated[str, Field(min_length=1)]
    regex: Annotated[str, Field(min_length=1)]


class LockedTraining(Settings):
    """How JumpStart fine-tunes the model.

    `script` is the archive with `entry_point` and what it imports, `artefact` what the script calls the model channel;
    `hyperparameters` are the script's defaults on a machine of `instance_type`.
    """

    image: Image
    script: Archive
    artefact: Artefact
    entry_point: Annotated[str, Field(pattern=r"^[\w-]+\.py$")]
    hyperparameters: dict[str, str]
    metrics: tuple[TrainingMetric, ...]
    instance_type: InstanceType

    @model_validator(mode="after")
    def _has_one_name_for_what_a_task_sets(self) -> Self:
        for names in (EPOCHS, LEARNING_RATE, BATCH_SIZE):
            found = [name for name in names if name in self.hyperparameters]
            if len(found) != 1:
                raise ValueError(f"hyperparameters must hold exactly one of {', '.join(names)}; found {found}")
        return self

    @property
    def repository(self) -> str:
        """The image's repository, such as huggingface-pytorch-training."""
        return self.image.partition("/")[2].partition("@")[0].partition(":")[0]

    def name_of(self, names: tuple[str, ...]) -> str:
        """What this version calls the setting that has `names` (EPOCHS, LEARNING_RATE or BATCH_SIZE)."""
        return next(name for name in names if name in self.hyperparameters)


class LockedHosting(Settings):
    """How JumpStart serves the model before fine-tuning.

    StageModel takes `artefact`. `image` and `request_form` are those of JumpStart's own endpoint: v1 is asked with
    `text_inputs`, v2 with `inputs`. Endpoints of this project have an image of their own and understand both.
    """

    image: Image
    artefact: Artefact
    request_form: Literal["v1", "v2"]


class LockedModel(Settings):
    """One version of a JumpStart model in one region."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    training: LockedTraining
    hosting: LockedHosting


Lock = Mapping[str, Mapping[str, LockedModel]]


def read_lock(file: Path) -> Lock:
    """Read a lock file: model id -> region -> model.

    Raises:
        LockError: it is not what `write_lock` writes; with model, region and field.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LockError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LockError(f"{file.name}: not JSON: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(regions, dict) for regions in content.values()):
        raise LockError(f"{file.name}: must map a model id to its regions")
    return {
        model_id: {region: _read_model(file.name, model_id, region, model) for region, model in regions.items()}
        for model_id, regions in content.items()
    }


def write_lock(file: Path, *, model_id: str, region: str, model: LockedModel) -> None:
    """Write a model of a region into a lock file; what the file says of other models and regions stays.

    Raises:
        LockError: there is a file already, and it is not a lock file.
    """
    lock = {known: dict(regions) for known, regions in read_lock(file).items()} if file.exists() else {}
    lock.setdefault(model_id, {})[region] = model
    content = {
        known: {name: m.model_dump(mode="json") for name, m in regions.items()} for known, regions in lock.items()
    }
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def locked_models(file: Path, stage: Stage, tasks: Iterable[Task]) -> dict[str, LockedModel]:
    """Task -> the JumpStart model that it is fine-tuned from, for the tasks with this source.

    Raises:
        LockError: the lock file is missing, is not one, or lacks a model in the stage's region; names the command to
            run.
    """
    return {task.name: _locked_model(file, stage.region, task) for task in tasks if task.model.source == "jumpstart"}


def _locked_model(file: Path, region: str, task: Task) -> LockedModel:
    model_id = str(task.model.id)
    command = f"`make jumpstart-lock MODEL={model_id} REGION={region}`"
    if file != LOCK_FILE:
        command = f"`python -m stacks.jumpstart_lock --model-id {model_id} --region {region} --output {file}`"
    advice = f"run {command} with AWS credentials and commit the file"
    if not file.exists():
        raise LockError(f"{task.name}.yaml: model.id: {file} is missing; {advice}")
    model = read_lock(file).get(model_id, {}).get(region)
    if model is None:
        raise LockError(f"{task.name}.yaml: model.id: {file.name} does not hold {model_id} in {region}; {advice}")
    return model


def _read_model(file: str, model_id: str, region: str, content: Any) -> LockedModel:
    where = f"{file}: {model_id}: {region}"
    if not isinstance(content, dict):
        raise LockError(f"{where}: must be a mapping")
    model = validated(LockedModel, content, where, LockError)
    for name, image in (("training", model.training.image), ("hosting", model.hosting.image)):
        if f".dkr.ecr.{region}." not in image:
            raise LockError(f"{where}: {name}.image: must be an image in {region}, got {image!r}")
    return model
