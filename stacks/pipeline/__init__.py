"""A task's SageMaker Pipeline: definition, code archive and images."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stacks.config import Stage, Task
from stacks.jumpstart import LockedModel
from stacks.pipeline.offline import offline
from stacks.pipeline.placeholders import Environment, fill_in


def pipeline_definition(
    task: Task, stage: Stage, environment: Environment, jumpstart: LockedModel | None = None
) -> dict[str, Any]:
    """Return the definition of a task's pipeline, referring to what is in `environment`.

    `jumpstart` is the model of a task with source `jumpstart`, and None for every other task.
    """
    with offline(stage.region), _quiet():
        # The SDK makes AWS clients already while it is imported, and takes seconds to do so.
        from stacks.pipeline.definition import build_definition

        definition: dict[str, Any] = fill_in(build_definition(task, stage, jumpstart), environment)
        return definition


@contextmanager
def _quiet() -> Iterator[None]:
    """The SDK logs and warns by the dozen about what is meant to be so: that nothing is sent and jobs have no names."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logging.disable(before)
