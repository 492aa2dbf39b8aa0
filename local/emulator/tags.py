"""Tags of resources, by ARN, whatever operations a service has for them."""

from collections.abc import Callable, Iterable, Mapping

from local.emulator.errors import EmulatorError, ValidationError

MOST_TAGS = 50
Tag = Mapping[str, str]


class TagStore:
    """Tags of every resource of a service. `too_many` is its error for more than 50 tags on one resource."""

    def __init__(self, *, too_many: type[EmulatorError] = ValidationError) -> None:
        self._too_many = too_many
        self._tags: dict[str, dict[str, str]] = {}
        self._exists: list[Callable[[str], bool]] = []

    def know(self, exists: Callable[[str], bool]) -> None:
        """Let the resources be tagged for which `exists` is true of their ARN."""
        self._exists.append(exists)

    def is_resource(self, arn: str) -> bool:
        """Whether an ARN names a resource that can have tags."""
        return any(exists(arn) for exists in self._exists)

    def set(self, arn: str, tags: Iterable[Tag]) -> None:
        """Add or overwrite tags.

        Raises:
            EmulatorError: the resource would have more than 50.
        """
        merged = {**self._tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}
        if len(merged) > MOST_TAGS:
            raise self._too_many(f"a resource has at most {MOST_TAGS} tags, got {len(merged)}")
        self._tags[arn] = merged

    def remove(self, arn: str, keys: Iterable[str]) -> None:
        """Take tags away; keys that the resource has not do nothing."""
        gone = set(keys)
        self._tags[arn] = {key: value for key, value in self._tags.get(arn, {}).items() if key not in gone}

    def forget(self, arn: str) -> None:
        """A resource is gone; so are its tags."""
        self._tags.pop(arn, None)

    def of(self, arn: str) -> list[dict[str, str]]:
        """A resource's tags, in the order in which they came."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]
