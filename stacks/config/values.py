"""Values that tasks of every kind are described by."""

import json
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from stacks.settings import Settings

# Each argument of a processing job's container may have 256 characters.
ARGUMENT_LIMIT = 256

# How a task file writes the stage's own bucket, whose name only the deployment knows.
OWN_BUCKET = "s3://{bucket}/"


def as_argument(text: str) -> str:
    """A text as a job's container takes it: JSON-quoted where it holds a line break."""
    return json.dumps(text) if "\n" in text else text


def _fits_an_argument(text: str) -> str:
    length = len(as_argument(text))
    if not 0 < length <= ARGUMENT_LIMIT:
        raise ValueError(
            f"must have 1 to {ARGUMENT_LIMIT} characters, has {length} (quotes around a text with line breaks count, "
            "and each of these twice)"
        )
    return text


ArgumentText = Annotated[str, AfterValidator(_fits_an_argument)]
Share = Annotated[float, Field(ge=0, lt=1)]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
S3Uri = Annotated[str, Field(pattern=r"^s3://[^/]+/.+")]
EndpointName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}$")]
# Of a model or of an inference profile. No ARN: a job's rights are made from it.
BedrockModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(:[A-Za-z0-9]+){0,2}$", max_length=140)]
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
    """Where the model before fine-tuning comes from.

    Without a `revision` a model of the Hugging Face hub is taken as `hub.lock.json` pins it (stacks/hub.py). An
    `s3_uri` may begin with OWN_BUCKET.
    """

    source: Literal["huggingface", "jumpstart", "s3", "stand_in"]
    id: str | None = None
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    s3_uri: S3Uri | None = None
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
        if self.source == "huggingface":
            given |= {"revision"}
        if given != needed:
            raise ValueError(f"source {self.source} takes {sorted(needed)}, got {sorted(given)}")
        return self

    @property
    def name(self) -> str:
        """What a reader knows it by: the hub's id, or the last part of its place."""
        return self.id if self.id is not None else str(self.s3_uri).rstrip("/").rpartition("/")[2]

    @property
    def is_unpinned(self) -> bool:
        """It is of the hub, at no fixed commit."""
        return self.source == "huggingface" and self.revision is None

    @property
    def own_key(self) -> str | None:
        """Where the model lies in the stage's own bucket; None for one from elsewhere."""
        if self.s3_uri is None or not self.s3_uri.startswith(OWN_BUCKET):
            return None
        return self.s3_uri.removeprefix(OWN_BUCKET)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """S3 URIs in other buckets that the model is read from."""
        return () if self.s3_uri is None or self.own_key is not None else (self.s3_uri,)


class Training(Settings):
    """Hyperparameters that FineTune has for every kind of model; see training/training_run.py for their meaning."""

    epochs: Annotated[float, Field(gt=0, le=1000)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    train_batch_size: Annotated[int, Field(ge=1)]
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 1
    warmup_ratio: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_checkpointing: bool = False
    max_seconds: Annotated[int, Field(ge=0)] = 0
    evaluations_per_epoch: Annotated[int, Field(ge=1, le=100)] = 1
    seed: int


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


class Variant(Settings):
    """The machines of an endpoint."""

    instance_type: InstanceType
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1
