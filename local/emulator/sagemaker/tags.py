"""AddTags, ListTags, DeleteTags, and the tags that Create operations bring."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from local.emulator.errors import ValidationError

MOST_TAGS = 50
Tag = Mapping[str, str]


class Tags:
    """Tags of every resource, by ARN. `exists` says whether an ARN names a resource."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, str]] = {}
        self._exists: list[Callable[[str], bool]] = []

    def know(self, exists: Callable[[str], bool]) -> None:
        """Let these resources be tagged."""
        self._exists.append(exists)

    def set(self, arn: str, tags: Iterable[Tag]) -> None:
        """Add or overwrite tags.

        Raises:
            ValidationError: the resource would have more than 50.
        """
        merged = {**self._tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}
        if len(merged) > MOST_TAGS:
            raise ValidationError(f"a resource has at most {MOST_TAGS} tags, got {len(merged)}")
        self._tags[arn] = merged

    def forget(self, arn: str) -> None:
        """A resource is gone; so are its tags."""
        self._tags.pop(arn, None)

    def of(self, arn: str) -> list[dict[str, str]]:
        """A resource's tags, in the order in which they came."""
        return [{"Key": key, "Value": value} for key, value in self._tags.get(arn, {}).items()]

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    def _add(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._resource(request)
        self.set(arn, request["Tags"])
        return {"Tags": self.of(arn)}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self.of(self._resource(request))}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._resource(request)
        self._tags[arn] = {k: v for k, v in self._tags.get(arn, {}).items() if k not in request["TagKeys"]}
        return {}

    def _resource(self, request: dict[str, Any]) -> str:
        arn: str = request["ResourceArn"]
        if not any(exists(arn) for exists in self._exists):
            raise ValidationError(f"Could not find resource {arn}")
        return arn
