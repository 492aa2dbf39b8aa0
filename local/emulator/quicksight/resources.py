"""Resources of one kind: by id, with permissions and tags. What data sets, dashboards and the others have in common."""

from collections.abc import Callable, Mapping
from typing import Any

from local.emulator.listing import Listing, now
from local.emulator.quicksight.errors import AlreadyExists, InvalidNextToken, InvalidParameter, NotFound
from local.emulator.quicksight.permissions import Kind, Permissions
from local.emulator.quicksight.shapes import SHAPES
from local.emulator.quicksight.tags import Tags

Operation = Callable[[dict[str, Any]], dict[str, Any]]
Record = dict[str, Any]


class Resources:
    """The resources of one kind. A record holds at least the id, `Arn`, `Name`, `CreatedTime` and `LastUpdatedTime`."""

    def __init__(self, kind: Kind, *, permissions: Permissions, tags: Tags, listed: str) -> None:
        self.kind = kind
        self._id_member = f"{kind.noun}Id"
        self._permissions = permissions
        self._tags = tags
        self._records: dict[str, Record] = {}
        self._listing = Listing(
            listed, self._id_member, descending=False, created="CreatedTime", invalid_token=InvalidNextToken
        )
        tags.know(lambda arn: self.find(arn) is not None)

    def permission_operations(self) -> dict[str, Operation]:
        """Describe and Update of the permissions of this kind."""
        return {
            f"Describe{self.kind.noun}Permissions": self._describe_permissions,
            f"Update{self.kind.noun}Permissions": self._update_permissions,
        }

    def add(self, request: Mapping[str, Any], members: Mapping[str, Any]) -> Record:
        """Keep a new resource: its name, tags and permissions are those of the request, the rest is `members`.

        Raises:
            AlreadyExists: the id is taken.
            InvalidParameter: a permission cannot be granted.
            LimitExceeded: there are too many tags.
        """
        identity = request[self._id_member]
        self.check_new(request)
        moment = now()
        record = {
            **members,
            self._id_member: identity,
            "Arn": self.kind.arn(identity),
            "Name": request["Name"],
            "CreatedTime": moment,
            "LastUpdatedTime": moment,
        }
        self._tags.set(record["Arn"], request.get("Tags", []))
        self._permissions.grant(record["Arn"], request.get("Permissions", []))
        self._records[identity] = record
        return record

    def check_new(self, request: Mapping[str, Any]) -> None:
        """What `add` refuses, asked before anything else is done.

        Raises:
            AlreadyExists: the id is taken.
            InvalidParameter: a permission cannot be granted.
        """
        identity = request[self._id_member]
        if identity in self._records:
            raise AlreadyExists(f"{self.kind.noun} {identity} already exists")
        self._permissions.check(self.kind, request.get("Permissions", []))

    def get(self, request: Mapping[str, Any]) -> Record:
        """The resource that a request names.

        Raises:
            NotFound: there is none.
        """
        identity = request[self._id_member]
        if identity not in self._records:
            raise NotFound(f"{self.kind.noun} {self.kind.arn(identity)} is not found")
        return self._records[identity]

    def find(self, arn: str) -> Record | None:
        """The resource with this ARN, or None."""
        return next((record for record in self._records.values() if record["Arn"] == arn), None)

    def remove(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Forget the resource that a request names; the answer of Delete.

        Raises:
            NotFound: there is none.
        """
        record = self.get(request)
        del self._records[record[self._id_member]]
        self._tags.forget(record["Arn"])
        self._permissions.forget(record["Arn"])
        return self.identity(record)

    def page(self, request: Mapping[str, Any], summary: Callable[[Record], dict[str, Any]]) -> dict[str, Any]:
        """One page of List; `summary` picks what it says about a resource."""
        summaries = [
            {**summary(record), **self.identity(record), **_only(record, "Name", "CreatedTime", "LastUpdatedTime")}
            for record in self._records.values()
        ]
        return self._listing.page(summaries, request)

    def identity(self, record: Record) -> dict[str, Any]:
        """ARN and id, as most answers have them."""
        return {"Arn": record["Arn"], self._id_member: record[self._id_member]}

    def _describe_permissions(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._permissions_answer(f"Describe{self.kind.noun}Permissions", request)

    def _update_permissions(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self.get(request)
        self._permissions.check(self.kind, request.get("GrantPermissions", []))
        self._permissions.revoke(record["Arn"], request.get("RevokePermissions", []))
        self._permissions.grant(record["Arn"], request.get("GrantPermissions", []))
        return self._permissions_answer(f"Update{self.kind.noun}Permissions", request)

    def _permissions_answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        record = self.get(request)
        answer = {
            f"{self.kind.noun}Arn": record["Arn"],
            self._id_member: record[self._id_member],
            "Permissions": self._permissions.of(record["Arn"]),
        }
        # Of data sources and data sets, Update does not say what is granted now.
        known = SHAPES.model.operation_model(operation).output_shape.members
        return {member: value for member, value in answer.items() if member in known}


def refuse(request: Mapping[str, Any], *members: str) -> None:
    """Refuse members that the local AWS does not offer.

    Raises:
        InvalidParameter: names the first that is there.
    """
    for member in members:
        if member in request:
            raise InvalidParameter(f"{member}: the local AWS does not offer this")


def _only(record: Record, *members: str) -> dict[str, Any]:
    return {member: record[member] for member in members if member in record}
