"""What every resource type of this package has in common, and how ministack's CloudFormation gets to know it."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from local.emulator.errors import ValidationError
from local.emulator.ministack_hooks import module

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Properties = dict[str, Any]
# The physical id, which is what Ref gives, and the attributes that GetAtt gives.
Identity = tuple[str, dict[str, str]]
# CloudFormation gives up on a resource after hours; what is made here is ready in seconds or not at all.
SETTLE_SECONDS = 1200.0
_POLL_SECONDS = 0.1
_PROVISIONERS = "ministack.services.cloudformation.provisioners"


class Resource(Protocol):
    """The handlers of one type. They run on worker threads, since they wait for requests that the loop must answer.

    A change of a property that `replacing` names makes a new resource; every other change comes to `update`.
    """

    @property
    def type_name(self) -> str: ...

    @property
    def replacing(self) -> Sequence[str]: ...

    def create(self, logical_id: str, properties: Properties, stack: str) -> Identity: ...

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> Identity: ...

    def delete(self, physical_id: str, properties: Properties) -> None: ...


def register_resources(resources: Iterable[Resource]) -> None:
    """Make ministack's CloudFormation know these types."""
    provisioners = module(_PROVISIONERS)
    names = set()
    for resource in resources:
        provisioners._RESOURCE_HANDLERS[resource.type_name] = {
            "create": resource.create,
            "update": resource.update,
            "delete": resource.delete,
        }
        provisioners._REPLACING_PROPERTIES[resource.type_name] = tuple(resource.replacing)
        names.add(resource.type_name)
    stacks = module("ministack.services.cloudformation.stacks")
    others = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in names or others(kind)


def physical_name(stack: str, logical_id: str) -> str:
    """The name of a resource whose template gives none."""
    name: str = module(_PROVISIONERS)._physical_name(stack, logical_id, max_len=63)
    return name


def check_offered(type_name: str, properties: Properties, offered: Iterable[str]) -> None:
    """Check the names of a resource's properties.

    Raises:
        ValidationError: a property that the local AWS does not know.
    """
    foreign = sorted(set(properties) - set(offered))
    if foreign:
        raise ValidationError(f"{type_name}: the local AWS does not offer {', '.join(foreign)}")


def removed_tags(old: Properties, new: Properties) -> list[str]:
    """Keys of tags that an update takes away."""
    return sorted({tag["Key"] for tag in old.get("Tags") or []} - {tag["Key"] for tag in new.get("Tags") or []})


def attribute_text(value: Any) -> str:
    """An attribute as GetAtt gives it: always a text, a time in ISO 8601."""
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, float) else str(value)


def wait(done: Callable[[], bool], what: str, seconds: float = SETTLE_SECONDS) -> None:
    """Wait until something is done.

    Raises:
        ValidationError: it took longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise ValidationError(f"waited {seconds:.0f} s for {what}")
        time.sleep(_POLL_SECONDS)
