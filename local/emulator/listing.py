"""The List operations of a service: filter, sort, page."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.emulator.errors import EmulatorError, ValidationError

DEFAULT_PAGE = 100
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """How one List operation sorts and filters.

    `result` is the response's member that holds the items; `identity` the item's member that names it, which breaks
    ties; `sort_members` maps a value of `SortBy` to the item's member; `filters` maps a request's member to the
    item's member that must equal it; `descending` is AWS's default order; `invalid_token` is the service's error for
    a token that it did not give out.
    """

    result: str
    identity: str
    descending: bool
    created: str = "CreationTime"
    name: str | None = None
    sort_members: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    invalid_token: type[EmulatorError] = ValidationError

    def page(self, items: Iterable[Item], request: Mapping[str, Any]) -> dict[str, Any]:
        """One page of what `request` asks for.

        The token names the last item of the page before, so that what is created meanwhile moves no page.

        Raises:
            EmulatorError: NextToken was not given out by this operation.
        """
        member = self.sort_members.get(request.get("SortBy", ""), self.created)
        order = request.get("SortOrder")
        descending = self.descending if order is None else order == "Descending"

        def key(item: Item) -> tuple[Any, str]:
            return (_sortable(item[member]), item[self.identity])

        chosen = sorted((item for item in items if self._wanted(item, request)), key=key, reverse=descending)
        if token := request.get("NextToken"):
            last = self._decode(token)
            chosen = [item for item in chosen if (key(item) < last if descending else key(item) > last)]
        limit = request.get("MaxResults", DEFAULT_PAGE)
        page: dict[str, Any] = {self.result: [dict(item) for item in chosen[:limit]]}
        if len(chosen) > limit:
            page["NextToken"] = _encode(key(chosen[limit - 1]))
        return page

    def _wanted(self, item: Item, request: Mapping[str, Any]) -> bool:
        bounds = (
            ("CreationTimeAfter", "CreationTimeBefore", self.created),
            ("CreatedAfter", "CreatedBefore", self.created),
            ("LastModifiedTimeAfter", "LastModifiedTimeBefore", "LastModifiedTime"),
        )
        for after, before, member in bounds:
            if after in request and _sortable(item[member]) <= _sortable(request[after]):
                return False
            if before in request and _sortable(item[member]) >= _sortable(request[before]):
                return False
        contains = request.get("NameContains", "")
        if contains and contains.lower() not in str(item[self.name or self.identity]).lower():
            return False
        return all(item[mine] == request[theirs] for theirs, mine in self.filters.items() if theirs in request)

    def _decode(self, token: str) -> tuple[Any, str]:
        try:
            value, identity = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (binascii.Error, ValueError, TypeError) as error:
            raise self.invalid_token("NextToken was not given out by this operation") from error
        return (value, identity)


def now() -> datetime:
    """The current time, UTC."""
    return datetime.now(UTC)


def _sortable(value: Any) -> Any:
    """A time as seconds, whether it came over the wire or not; a text as it is."""
    return value.timestamp() if isinstance(value, datetime) else value


def _encode(key: tuple[Any, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
