"""The CloudFormation custom resource of a task's endpoints.

Properties: `Task`, `ModelPackageGroup`, `LiveEndpoint`, `PretrainedEndpoint` (all texts), and any others, whose change
makes CloudFormation send an Update (the stack puts the serving configuration there).

Create and Update bring the endpoints to what they ought to serve and do not wait until they serve: a large model takes
longer than CloudFormation should. Delete removes both endpoints, their configurations and models, and the task's
model packages; it goes by the properties alone, because a task that was removed is no longer in the environment.
"""

from dataclasses import dataclass
from typing import Any, Self

from lambdas.errors import EventError

_PROPERTIES = ("Task", "ModelPackageGroup", "LiveEndpoint", "PretrainedEndpoint")


@dataclass(frozen=True)
class Names:
    """The properties that say what the custom resource stands for."""

    task: str
    model_package_group: str
    live_endpoint: str
    pretrained_endpoint: str

    @property
    def endpoints(self) -> tuple[str, str]:
        return self.live_endpoint, self.pretrained_endpoint

    @classmethod
    def from_properties(cls, properties: dict[str, Any]) -> Self:
        """Raises EventError if a property is missing."""
        values = [properties.get(name) for name in _PROPERTIES]
        if not all(isinstance(value, str) and value for value in values):
            raise EventError(f"the custom resource must have the properties {', '.join(_PROPERTIES)}")
        return cls(*(str(value) for value in values))


def physical_id(names: Names) -> str:
    """The same for the life of the task's resource: another one would make CloudFormation delete the old."""
    return f"roll-out/{names.task}"
