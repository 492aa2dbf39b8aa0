"""Tasks that tell texts with something in them from texts without it."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.config.search import Search
from stacks.config.stream import Stream
from stacks.config.synthetic import Synthetic
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
    pooling: Literal["first", "mean"] = "first"
    class_weight: Literal["none", "balanced"] = "none"
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: Annotated[float, Field(ge=0, le=5)] = 2.0


class ClassificationJobs(Jobs):
    """Machines of the pipeline's jobs. `generate_examples` belongs to synthetic examples."""

    classify: Compute
    generate_examples: Compute | None = None


class ClassificationTask(Task):
    """A task whose targets are one of two labels."""

    kind: Literal["classification"]
    labels: LabelNames
    training: ClassifierTraining
    search: Search | None = None
    synthetic: Synthetic | None = None
    stream: Stream | None = None
    jobs: ClassificationJobs

    @model_validator(mode="after")
    def _starts_from_encoders(self) -> Self:
        for model in self.encoders:
            if model.source not in ("huggingface", "s3"):
                raise ValueError(
                    f"model.source must be huggingface or s3 with kind classification, got {model.source}: "
                    "an encoder is needed"
                )
        names = [model.name for model in self.encoders]
        if len(set(names)) != len(names):
            raise ValueError(f"search.models must be other models than model and than each other, got {names}")
        return self

    @model_validator(mode="after")
    def _has_a_machine_for_synthetic_examples(self) -> Self:
        if (self.synthetic is None) != (self.jobs.generate_examples is None):
            raise ValueError("synthetic and jobs.generate_examples belong together: give both or neither")
        return self

    @property
    def encoders(self) -> tuple[Model, ...]:
        """The task's own model, and those that a search tries beside it."""
        return (self.model, *(self.search.models if self.search else ()))

    @property
    def generator(self) -> Model | None:
        """The model that writes examples in a job of the pipeline."""
        return self.synthetic.model if self.synthetic else None

    @property
    def models(self) -> tuple[Model, ...]:
        return (*self.encoders, *([self.generator] if self.generator else []))

    def with_models(self, change: Callable[[Model], Model]) -> Self:
        changed: dict[str, Settings] = {"model": change(self.model)}
        if self.search is not None:
            models = tuple(change(model) for model in self.search.models)
            changed["search"] = self.search.model_copy(update={"models": models})
        if self.synthetic is not None and self.generator is not None:
            changed["synthetic"] = self.synthetic.model_copy(update={"model": change(self.generator)})
        return self.model_copy(update=changed)

    @property
    def longest_sequence(self) -> int:
        """Tokens that a fine-tuned model may come to read."""
        return max((self.training.max_seq_length, *(self.search.max_seq_length if self.search else ())))

    @property
    def answering(self) -> tuple[str, Compute]:
        return "Classify", self.jobs.classify
