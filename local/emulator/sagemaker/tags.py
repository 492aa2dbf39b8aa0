"""AddTags, ListTags, DeleteTags, and the tags that Create operations bring."""

from collections.abc import Callable
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.tags import TagStore


class Tags(TagStore):
    """Tags of SageMaker's resources."""

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {"AddTags": self._add, "ListTags": self._list, "DeleteTags": self._delete}

    def _add(self, request: dict[str, Any]) -> dict[str, Any]:
        arn = self._resource(request)
        self.set(arn, request["Tags"])
        return {"Tags": self.of(arn)}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": self.of(self._resource(request))}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        self.remove(self._resource(request), request["TagKeys"])
        return {}

    def _resource(self, request: dict[str, Any]) -> str:
        arn: str = request["ResourceArn"]
        if not self.is_resource(arn):
            raise ValidationError(f"Could not find resource {arn}")
        return arn
