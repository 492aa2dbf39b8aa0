"""TagResource, UntagResource, ListTagsForResource."""

from collections.abc import Callable
from typing import Any

from local.emulator.quicksight.errors import LimitExceeded, NotFound
from local.emulator.tags import TagStore


class Tags(TagStore):
    """Tags of QuickSight's resources."""

    def __init__(self) -> None:
        super().__init__(too_many=LimitExceeded)

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {"TagResource": self._add, "UntagResource": self._remove, "ListTagsForResource": self._list}

    def _add(self, request: dict[str, Any]) -> dict[str, Any]:
        self.set(self._resource(request), request["Tags"])
        return {}

    def _remove(self, request: dict[str, Any]) -> dict[str, Any]:
        self.remove(self._resource(request), request["TagKeys"])
        return {}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self.of(self._resource(request))}

    def _resource(self, request: dict[str, Any]) -> str:
        arn: str = request["ResourceArn"]
        if not self.is_resource(arn):
            raise NotFound(f"{arn} is not found")
        return arn
