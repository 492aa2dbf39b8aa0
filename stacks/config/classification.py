"""Tasks that tell texts with something in them from texts without it."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.config.search import Search
from stacks.config.stream import Stream
from stacks.config.task import Jobs, Task
from stacks.config.values import Compute, Model, Training
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
    search: Search | None = None
    stream: Stream | None = None
    jobs: ClassificationJobs

    @model_validator(mode="after")
    def _starts_from_encoders(self) -> Self:
        for model in self.models:
            if model.source not in ("huggingface", "s3"):
                raise ValueError(
                    f"model.source must be huggingface or s3 with kind classification, got {model.source}: "
                    "an encoder is needed"
                )
        names = [model.name for model in self.models]
        if len(set(names)) != len(names):
            raise ValueError(f"search.models must be other models than model and than each other, got {names}")
        return self

    @property
    def models(self) -> tuple[Model, ...]:
        return (self.model, *(self.search.models if self.search else ()))

    def with_models(self, change: Callable[[Model], Model]) -> Self:
        task = super().with_models(change)
        if self.search is None:
            return task
        search = self.search.model_copy(update={"models": tuple(change(model) for model in self.search.models)})
        return task.model_copy(update={"search": search})

    @property
    def longest_sequence(self) -> int:
        """Tokens that a fine-tuned model may come to read."""
        return max((self.training.max_seq_length, *(self.search.max_seq_length if self.search else ())))

    @property
    def answering(self) -> tuple[str, Compute]:
        return "Classify", self.jobs.classify
