"""Stages and tasks: what users edit, as validated, frozen types.

A task file (`tasks/<name>.yaml`) describes a task as it runs on AWS; its section `stages` overrides single values for a
stage. `stages.yaml` describes where and how a stage is deployed. Both are read only here, and only `app.py` decides
which.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from stacks.errors import ConfigurationError
from stacks.settings import Settings, validated

REPOSITORY = Path(__file__).resolve().parent.parent
TASKS_FOLDER = REPOSITORY / "tasks"
STAGES_FILE = REPOSITORY / "stages.yaml"

# Each argument of a processing job's container may have 256 characters.
ARGUMENT_LIMIT = 256

Share = Annotated[float, Field(ge=0, lt=1)]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Fields(Settings):
    """Names of a record's fields in uploaded JSON lines and CSV."""

    input: Identifier
    target: Identifier


class Data(Settings):
    """How Prepare treats uploads. Shares are of records, in [0, 1)."""

    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    holdout_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    max_bad_share: Share
    seed: int


class Model(Settings):
    """Where the model before fine-tuning comes from."""

    source: Literal["huggingface", "jumpstart", "s3", "stand_in"]
    id: str | None = None
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    s3_uri: Annotated[str, Field(pattern=r"^s3://[^/]+/.+")] | None = None
    denoise_seconds: Annotated[float, Field(gt=0, le=3600)] | None = None

    @model_validator(mode="after")
    def _has_what_its_source_needs(self) -> Self:
        needed = {
            "huggingface": {"id", "revision"},
            "jumpstart": {"id"},
            "s3": {"s3_uri"},
            "stand_in": {"denoise_seconds"},
        }[self.source]
        given = {name for name in ("id", "revision", "s3_uri", "denoise_seconds") if getattr(self, name) is not None}
        if given != needed:
            raise ValueError(f"source {self.source} takes {sorted(needed)}, got {sorted(given)}")
        return self


# What JumpStart's script can be told. The rest of `Training` is for this project's own script.
JUMPSTART_TRAINING = {"epochs", "learning_rate", "train_batch_size", "max_input_tokens", "seed"}


class Training(Settings):
    """Hyperparameters of FineTune; see training/fine_tune.py for their meaning.

    `max_target_tokens` is None only for JumpStart's script, which cannot be told it.
    """

    epochs: Annotated[float, Field(gt=0, le=1000)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    train_batch_size: Annotated[int, Field(ge=1)]
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 1
    max_input_tokens: Annotated[int, Field(ge=8, le=16384)]
    max_target_tokens: Annotated[int, Field(ge=4, le=4096)] | None = None
    warmup_ratio: Share = 0.0
    label_smoothing: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_checkpointing: bool = False
    strategy: Literal["ddp", "fsdp"] = "ddp"
    max_seconds: Annotated[int, Field(ge=0)] = 0
    evaluations_per_epoch: Annotated[int, Field(ge=1, le=100)] = 1
    seed: int


class Generation(Settings):
    """How answers are generated, in the pipeline and as the endpoint's default.

    `method` mbr (minimum Bayes risk) draws `samples` answers at `temperature` and gives, of these and the impressions
    of similar reports, the one that is expected to be closest to the truth; `batch_size` then counts samples.
    consensus gives what the similar reports agree on, without the model.
    """

    method: Literal["greedy", "beams", "mbr", "consensus"] = "greedy"
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)]
    num_beams: Annotated[int, Field(ge=1, le=16)] = 1
    num_return_sequences: Annotated[int, Field(ge=1, le=16)] = 1
    samples: Annotated[int, Field(ge=1, le=64)] | None = None
    temperature: Annotated[float, Field(gt=0, le=5)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=1024)]

    @model_validator(mode="after")
    def _has_what_its_method_needs(self) -> Self:
        if (self.num_beams > 1) != (self.method == "beams"):
            raise ValueError(f"num_beams above 1 belongs to method beams, got {self.num_beams} with {self.method}")
        given = {name for name in ("samples", "temperature") if getattr(self, name) is not None}
        if given != ({"samples", "temperature"} if self.method == "mbr" else set()):
            raise ValueError(f"samples and temperature belong to method mbr, got {sorted(given)} with {self.method}")
        return self

    @property
    def decoding(self) -> dict[str, str | int | float]:
        """Arguments of the scripts that decode, by name."""
        return self.model_dump(exclude={"num_return_sequences", "batch_size"}, exclude_none=True)

    @model_validator(mode="after")
    def _returns_no_more_than_it_searches(self) -> Self:
        if self.num_return_sequences > self.num_beams:
            raise ValueError(
                f"num_return_sequences must be <= num_beams ({self.num_beams}), got {self.num_return_sequences}"
            )
        return self


class Metric(Settings):
    """A number that SageMaker reads out of the training job's log."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]{1,255}$")]
    regex: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _captures_one_number(self) -> Self:
        try:
            groups = re.compile(self.regex).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        if groups != 1:
            raise ValueError(f"must have exactly one group that captures the number, has {groups}")
        return self


class Compute(Settings):
    """The machines of one kind of job."""

    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1
    volume_gb: Annotated[int, Field(ge=1, le=16384)]
    max_hours: Annotated[float, Field(gt=0, le=120)]


class Jobs(Settings):
    """Machines of the pipeline's jobs."""

    stage_model: Compute
    prepare: Compute
    fine_tune: Compute
    generate: Compute
    evaluate: Compute


class Variant(Settings):
    """The machines of an endpoint."""

    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1


class Serving(Settings):
    """Endpoints. `pretrained` is for comparison and may be switched off by leaving it out. With `similar_text`, the
    live endpoint gives those who ask it to explain an answer the impressions of the training reports behind it."""

    live: Variant
    pretrained: Variant | None = None
    similar_text: bool = False


class Task(Settings):
    """One task, as it runs in one stage."""

    name: Identifier
    title: Annotated[str, Field(min_length=1, max_length=80)]
    description: str
    fields: Fields
    prompt: Annotated[str, Field(max_length=ARGUMENT_LIMIT)]
    retrieval: bool = False
    data: Data
    model: Model
    training: Training
    generation: Generation
    metrics: tuple[Metric, ...]
    jobs: Jobs
    serving: Serving

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.prompt.count("{input}") != 1:
            raise ValueError("prompt must hold {input} exactly once")
        if self.prompt.count("{similar}") != self.retrieval:
            raise ValueError("prompt must hold {similar} exactly once with retrieval, and nowhere without it")
        if self.jobs.prepare.instance_count != 1:
            raise ValueError("jobs.prepare.instance_count must be 1: duplicates are found over all records")
        if self.jobs.evaluate.instance_count != 1:
            raise ValueError("jobs.evaluate.instance_count must be 1: scores are over all records")
        if self.generation.method == "consensus" and not self.retrieval:
            raise ValueError("generation.method consensus needs retrieval: it is what similar reports agree on")
        if self.serving.similar_text and not self.retrieval:
            raise ValueError("serving.similar_text needs retrieval: without it no answer rests on similar reports")
        if self.model.source == "jumpstart":
            self._fits_jumpstart()
        elif self.training.max_target_tokens is None:
            raise ValueError(f"training.max_target_tokens is needed with model.source {self.model.source}")
        return self

    def _fits_jumpstart(self) -> None:
        """JumpStart's script takes few settings, whole epochs, and reads every brace of the prompt as a field."""
        if self.retrieval:
            raise ValueError("retrieval must be off with model.source jumpstart: its script reads texts as they are")
        ignored = sorted(self.training.model_fields_set - JUMPSTART_TRAINING)
        if ignored:
            raise ValueError(
                f"training.{', training.'.join(ignored)} must be left out with model.source jumpstart: "
                f"its script takes only {', '.join(sorted(JUMPSTART_TRAINING))}"
            )
        if self.training.epochs != int(self.training.epochs):
            raise ValueError(f"training.epochs must be whole with model.source jumpstart, got {self.training.epochs}")
        if set("{}") & set(self.prompt.replace("{input}", "")):
            raise ValueError("prompt may hold no braces but those of {input} with model.source jumpstart")
        if self.jobs.fine_tune.instance_count != 1:
            raise ValueError("jobs.fine_tune.instance_count must be 1 with model.source jumpstart: its script uses one")

    @property
    def plain_prompt(self) -> str:
        """The prompt without similar reports: what a model is asked that has none to find them among."""
        return self.prompt.replace("{similar}", "")

    @property
    def resource_name(self) -> str:
        """The task's name as AWS resource names allow it."""
        return self.name.replace("_", "-")

    @property
    def model_folder(self) -> str:
        """Folder of a run that holds the fine-tuned model as it is served."""
        return "packaged" if self.model.source == "jumpstart" else "training"

    @property
    def construct_id(self) -> str:
        """The task's name as constructs have names: RadiologyImpressions."""
        return "".join(part.title() for part in self.name.split("_"))


# SageMaker allows 63 characters for an endpoint; models and configurations add a version and a digest to them.
_ENDPOINT_NAME_LIMIT = 47


class Readers(Settings):
    """Who may look at the dashboard: a QuickSight group, in the region where QuickSight keeps users and groups."""

    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    identity_region: Region
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"


class Stage(Settings):
    """One deployment of everything. Without `dashboard` nothing of QuickSight is deployed."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,11}$")]
    region: Region
    keep_data: bool
    settle_seconds: Annotated[int, Field(ge=0, le=900)]
    approval: Literal["PendingManualApproval", "Approved"]
    bake_seconds: Annotated[int, Field(ge=0, le=3600)]
    athena_scan_limit_gb: Annotated[float, Field(gt=0)]
    pandas_layer_version: Annotated[int, Field(ge=1)]
    prices: dict[InstanceType, Annotated[float, Field(gt=0)]]
    dashboard: Readers | None = None

    def name_for(self, task: Task) -> str:
        """The name that a task's pipeline, model package group and live endpoint share in this stage."""
        name = f"{self.name}-{task.resource_name}"
        if len(f"{name}-pretrained") > _ENDPOINT_NAME_LIMIT:
            raise ConfigurationError(
                f"{task.name}.yaml: endpoint {name}-pretrained has more than {_ENDPOINT_NAME_LIMIT} characters; "
                "give the task file a shorter name"
            )
        return name


def load_stage(name: str, file: Path = STAGES_FILE) -> Stage:
    """Read one stage.

    Raises:
        ConfigurationError: there is no such stage, or one of its values is not allowed.
    """
    stages = _read_yaml(file)
    if name not in stages:
        raise ConfigurationError(f"{file.name}: no stage {name!r}; there are {', '.join(sorted(stages))}")
    return validated(Stage, {"name": name, **stages[name]}, f"{file.name}: {name}")


def load_tasks(stage: str, folder: Path = TASKS_FOLDER) -> tuple[Task, ...]:
    """Read every task file of `folder`, with its overrides for `stage`, sorted by name.

    Raises:
        ConfigurationError: a file is not YAML, or one of its values is not allowed.
    """
    tasks = tuple(load_task(file, stage) for file in sorted(folder.glob("*.yaml")))
    if not tasks:
        raise ConfigurationError(f"{folder}: no task file (*.yaml)")
    return tasks


def load_task(file: Path, stage: str) -> Task:
    """Read one task file, with its overrides for `stage`. Raises ConfigurationError."""
    content = _read_yaml(file)
    overrides = content.pop("stages", {})
    if not isinstance(overrides, dict):
        raise ConfigurationError(f"{file.name}: stages must map a stage to the values it overrides")
    merged = _merge(content, overrides.get(stage, {}))
    return validated(Task, {"name": file.stem, **merged}, file.name)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file.name}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file.name}: must be a mapping of settings")
    return content


def _merge(base: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Merge mapping by mapping; a value of None takes a setting away, as a stage that switches an endpoint off does."""
    merged = dict(base)
    for key, value in overrides.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged
