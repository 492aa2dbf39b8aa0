"""Tasks that tell texts with something in them from texts without it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.config.task import Jobs, Task
from stacks.config.values import Compute, Training
from stacks.settings import Settings


class LabelNames(Settings):
    """`positive` is what is looked for, `negative` everything else."""

    positive: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ -]{0,39}$")]
    negative: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_ -]{0,39}$")]

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.positive.lower() == self.negative.lower():
            raise ValueError(f"must be two different names, got {self.positive!r} twice")
        return self


class ClassifierTraining(Training):
    """Hyperparameters of training/fine_tune_classifier.py."""

    max_seq_length: Annotated[int, Field(ge=4, le=8192)]
    class_weight: Literal["none", "balanced"] = "none"
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: Annotated[float, Field(ge=0, le=5)] = 2.0


class ClassificationJobs(Jobs):
    """Machines of the pipeline's jobs."""

    classify: Compute


class ClassificationTask(Task):
    """A task whose targets are one of two labels."""

    kind: Literal["classification"]
    labels: LabelNames
    training: ClassifierTraining
    jobs: ClassificationJobs

    @model_validator(mode="after")
    def _starts_from_an_encoder(self) -> Self:
        if self.model.source not in ("huggingface", "s3"):
            raise ValueError(
                f"model.source must be huggingface or s3 with kind classification, got {self.model.source}: "
                "an encoder is needed"
            )
        return self

    @property
    def answering(self) -> tuple[str, Compute]:
        return "Classify", self.jobs.classify
