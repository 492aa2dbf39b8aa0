"""Athena's partition projection, from a Glue table's parameters.

Amazon Athena User Guide, "Supported types for partition projection". Hive layout only (`<column>=<value>/`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

KINDS = ("enum", "integer", "date", "injected")
# Java's date format letters and Python's.
_FORMAT = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_RELATIVE = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?")
_MONTHS = {"YEAR": 12, "MONTH": 1}
_SECONDS = {"WEEK": 604_800, "DAY": 86_400, "HOUR": 3_600, "MINUTE": 60, "SECOND": 1}


class ProjectionError(Exception):
    """A table's projection, or a query over it, is not what Athena accepts."""


@dataclass(frozen=True)
class ProjectedColumn:
    """One partition column. `settings` are its `projection.<name>.*` parameters without that prefix."""

    name: str
    kind: str
    settings: Mapping[str, str]

    def contains(self, value: str) -> bool:
        """Whether Athena would look into the partition of this value.

        Raises:
            ProjectionError: the column's settings are incomplete or unreadable.
        """
        if self.kind == "injected":
            return True
        if self.kind == "enum":
            return value in [item.strip() for item in self._setting("values").split(",")]
        low, _, high = self._setting("range").partition(",")
        if self.kind == "integer":
            return _is_integer(value) and int(low) <= int(value) <= int(high)
        pattern = self._pattern()
        try:
            moment = datetime.strptime(value, pattern).replace(tzinfo=UTC)
        except ValueError:
            return False
        # A bound that is relative to now is cut to the format, as the values are.
        return self._bound(low, pattern) <= moment <= self._bound(high, pattern)

    def _setting(self, name: str) -> str:
        if name not in self.settings:
            raise ProjectionError(f"INVALID_TABLE_PROPERTY: projection.{self.name}.{name} is missing")
        return self.settings[name]

    def _pattern(self) -> str:
        pattern = self._setting("format")
        for letters, directive in _FORMAT.items():
            pattern = pattern.replace(letters, directive)
        if re.search(r"(?<!%)[A-Za-z]", pattern):
            raise ProjectionError(f"INVALID_TABLE_PROPERTY: projection.{self.name}.format is not offered here")
        return pattern

    def _bound(self, text: str, pattern: str) -> datetime:
        found = _RELATIVE.fullmatch(text.strip())
        try:
            moment = datetime.strptime(text.strip(), pattern) if found is None else _relative(found)
            return datetime.strptime(moment.strftime(pattern), pattern).replace(tzinfo=UTC)
        except ValueError as error:
            raise ProjectionError(f"INVALID_TABLE_PROPERTY: projection.{self.name}.range is unreadable") from error


def is_projected(table: Mapping[str, Any]) -> bool:
    """Whether a Glue table has partition projection switched on."""
    return str((table.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true"


def projected_columns(table: Mapping[str, Any]) -> list[ProjectedColumn]:
    """The partition columns of a projected table, in order.

    Raises:
        ProjectionError: a column has no projection, or one that is not offered here.
    """
    parameters = table["Parameters"]
    if "storage.location.template" in parameters:
        raise ProjectionError("storage.location.template: the local Athena offers the Hive layout only")
    columns = []
    for key in table.get("PartitionKeys") or []:
        prefix = f"projection.{key['Name']}."
        settings = {n.removeprefix(prefix): str(v) for n, v in parameters.items() if n.startswith(prefix)}
        if settings.get("type") not in KINDS:
            raise ProjectionError(f"INVALID_TABLE_PROPERTY: {prefix}type must be one of {', '.join(KINDS)}")
        columns.append(ProjectedColumn(key["Name"], settings["type"], settings))
    return columns


def _is_integer(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None


def _relative(found: "re.Match[str]") -> datetime:
    """`NOW`, `NOW-3YEARS`, `NOW+1DAY`: a moment without zone, UTC."""
    now = datetime.now(UTC).replace(tzinfo=None)
    if found[1] is None:
        return now
    amount = int(found[2]) * (1 if found[1] == "+" else -1)
    if found[3] in _SECONDS:
        return now + timedelta(seconds=amount * _SECONDS[found[3]])
    months = now.year * 12 + now.month - 1 + amount * _MONTHS[found[3]]
    # Day 28 exists in every month; no format here is finer than what that changes by more than three days.
    return now.replace(year=months // 12, month=months % 12 + 1, day=min(now.day, 28))
