"""A task's SageMaker Pipeline: definition, code archive and images."""

from typing import Any

from stacks.config import Stage, Task
from stacks.pipeline.offline import offline
from stacks.pipeline.placeholders import Environment, fill_in


def pipeline_definition(task: Task, stage: Stage, environment: Environment) -> dict[str, Any]:
    """Return the definition of a task's pipeline, referring to what is in `environment`."""
    with offline(stage.region):
        # The SDK makes AWS clients already while it is imported, and takes seconds to do so.
        from stacks.pipeline.definition import build_definition

        definition: dict[str, Any] = fill_in(build_definition(task, stage), environment)
        return definition
