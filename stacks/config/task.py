"""What tasks of every kind have."""

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from stacks.config.values import Compute, Data, Fields, Identifier, Metric, Model, Training, Variant
from stacks.settings import Settings


class Jobs(Settings):
    """Machines of the jobs that every pipeline has."""

    stage_model: Compute
    prepare: Compute
    fine_tune: Compute
    evaluate: Compute


class Serving(Settings):
    """The live endpoint."""

    live: Variant


class Task(Settings):
    """One task, as it runs in one stage. Each kind of task is a subclass, which says what its values mean.

    `folder` is where its file lies.
    """

    kind: str
    folder: Path
    name: Identifier
    title: Annotated[str, Field(min_length=1, max_length=80)]
    description: str
    fields: Fields
    data: Data
    model: Model
    training: Training
    metrics: tuple[Metric, ...]
    jobs: Jobs
    serving: Serving

    @model_validator(mode="after")
    def _sees_all_records_at_once(self) -> Self:
        if self.jobs.prepare.instance_count != 1:
            raise ValueError("jobs.prepare.instance_count must be 1: duplicates are found over all records")
        if self.jobs.evaluate.instance_count != 1:
            raise ValueError("jobs.evaluate.instance_count must be 1: scores are over all records")
        return self

    @property
    def models(self) -> tuple[Model, ...]:
        """Every model that the task takes from elsewhere."""
        return (self.model,)

    def with_models(self, change: Callable[[Model], Model]) -> Self:
        """The same task with each of its models changed."""
        return self.model_copy(update={"model": change(self.model)})

    @property
    def resource_name(self) -> str:
        """The task's name as AWS resource names allow it."""
        return self.name.replace("_", "-")

    @property
    def construct_id(self) -> str:
        """The task's name as constructs have names: RadiologyImpressions."""
        return "".join(part.title() for part in self.name.split("_"))

    @property
    def model_folder(self) -> str:
        """Folder of a run that holds the fine-tuned model as it is served."""
        return "training"

    @property
    @abstractmethod
    def answering(self) -> tuple[str, Compute]:
        """What the steps are called in which a model answers the evaluation sets, and their machines."""

    @property
    def pretrained(self) -> Variant | None:
        """The machines of an endpoint with the model before fine-tuning; None where there is none."""
        return None

    @property
    def similar_text(self) -> bool:
        """The live endpoint may give what was written in training reports."""
        return False
