"""A search over hyperparameters: what a task file says about it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from stacks.config.values import Model
from stacks.settings import Settings

# SageMaker takes at most 30 values of one hyperparameter to choose among.
MOST_CHOICES = 30

Rate = Annotated[float, Field(gt=0, le=1)]
Length = Annotated[int, Field(ge=8, le=16384)]
BatchSize = Annotated[int, Field(ge=1, le=4096)]


class Search(Settings):
    """Ranges of the hyperparameters that are searched, and how many trainings that may take.

    `learning_rate` is the lowest and the highest, searched by its logarithm; of the others each value is tried as it
    stands. `models` are tried beside the task's own. `jobs` are all trainings, `parallel_jobs` those at once: the more
    at once, the less each learns from the others. The SDK takes a seed of 0 for none.
    """

    jobs: Annotated[int, Field(ge=1, le=500)]
    parallel_jobs: Annotated[int, Field(ge=1)]
    learning_rate: tuple[Rate, Rate]
    max_seq_length: Annotated[tuple[Length, ...], Field(min_length=1, max_length=MOST_CHOICES)]
    train_batch_size: Annotated[tuple[BatchSize, ...], Field(min_length=1, max_length=MOST_CHOICES)]
    models: tuple[Model, ...] = ()
    seed: Annotated[int, Field(ge=1, le=2**31 - 1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.parallel_jobs > self.jobs:
            raise ValueError(f"parallel_jobs must be <= jobs ({self.jobs}), got {self.parallel_jobs}")
        low, high = self.learning_rate
        if low >= high:
            raise ValueError(f"learning_rate must be the lowest and then the highest, got {low} and {high}")
        for name in ("max_seq_length", "train_batch_size"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} holds a value more than once: {sorted(values)}")
        return self
