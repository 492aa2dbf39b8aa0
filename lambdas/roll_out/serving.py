"""How a task is served: the environment variable TASKS, which the serving stack writes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from lambdas.errors import SettingsError

# SageMaker allows 63 characters; models and configurations are named after their endpoint, with a suffix of up to
# `-v99999-` and 8 more.
ENDPOINT_NAME_LIMIT = 63 - 16


@dataclass(frozen=True)
class Variant:
    """Machines of an endpoint: an instance type such as ml.g5.2xlarge, and how many of it, 1 or more."""

    instance_type: str
    instance_count: int

    @classmethod
    def from_json(cls, where: str, value: object) -> Self:
        """Raises SettingsError, naming `where`."""
        content = _members(cls, where, value)
        count = content["instance_count"]
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise SettingsError(f"{where}.instance_count must be a whole number >= 1, got {count!r}")
        return cls(_text(where, content, "instance_type"), count)


@dataclass(frozen=True)
class Serving:
    """How one task is served.

    `role` is the ARN that the containers run as. `pretrained` is None where the endpoint for comparison is switched
    off; its name is needed all the same, to remove it. `alarms` roll an update of the live endpoint back if they go
    off within `bake_seconds` (0 to 3600) after traffic has moved. `similar_text` permits the live endpoint to answer
    with impressions of training reports.
    """

    task: str
    model_package_group: str
    live_endpoint: str
    pretrained_endpoint: str
    role: str
    live: Variant
    pretrained: Variant | None
    alarms: tuple[str, ...]
    bake_seconds: int
    similar_text: bool

    @classmethod
    def from_json(cls, task: str, value: object) -> Self:
        """Read the value of one task in TASKS; its members are this class's fields, except `task`.

        Raises:
            SettingsError: a member is missing, unknown or not what it must be.
        """
        where = f"TASKS.{task}"
        # CloudFormation drops what is null, so an endpoint that is switched off is not there at all.
        given = {"pretrained": None, **value} if isinstance(value, dict) else value
        content = _members(cls, where, given, without="task")
        bake_seconds, alarms, pretrained = content["bake_seconds"], content["alarms"], content["pretrained"]
        if not isinstance(bake_seconds, int) or isinstance(bake_seconds, bool) or not 0 <= bake_seconds <= 3600:
            raise SettingsError(f"{where}.bake_seconds must be a whole number in 0..3600, got {bake_seconds!r}")
        if not isinstance(content["similar_text"], bool):
            raise SettingsError(f"{where}.similar_text must be true or false")
        if not isinstance(alarms, list) or not all(isinstance(name, str) and name for name in alarms):
            raise SettingsError(f"{where}.alarms must be a list of alarm names")
        if len(alarms) > 10:
            raise SettingsError(f"{where}.alarms may name 10 alarms, got {len(alarms)}")
        endpoints = {name: _text(where, content, name) for name in ("live_endpoint", "pretrained_endpoint")}
        for name, endpoint in endpoints.items():
            if len(endpoint) > ENDPOINT_NAME_LIMIT:
                raise SettingsError(
                    f"{where}.{name} may have {ENDPOINT_NAME_LIMIT} characters, {endpoint} has {len(endpoint)}"
                )
        return cls(
            task=task,
            model_package_group=_text(where, content, "model_package_group"),
            role=_text(where, content, "role"),
            live=Variant.from_json(f"{where}.live", content["live"]),
            pretrained=None if pretrained is None else Variant.from_json(f"{where}.pretrained", pretrained),
            alarms=tuple(alarms),
            bake_seconds=bake_seconds,
            similar_text=content["similar_text"],
            **endpoints,
        )


def _members(kind: type, where: str, value: object, without: str = "") -> Mapping[str, Any]:
    expected = {field.name for field in fields(kind)} - {without}
    if not isinstance(value, dict) or value.keys() != expected:
        raise SettingsError(f"{where} must be an object with {', '.join(sorted(expected))}")
    return value


def _text(where: str, content: Mapping[str, Any], name: str) -> str:
    text = content[name]
    if not isinstance(text, str) or not text:
        raise SettingsError(f"{where}.{name} must be a text")
    return text
