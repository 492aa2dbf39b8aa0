"""Refresh schedules of SPICE data sets: kept and checked. The local AWS does not run them; CreateIngestion does."""

import re
from collections.abc import Mapping
from typing import Any

from local.emulator.quicksight.errors import AlreadyExists, InvalidParameter, LimitExceeded, NotFound
from local.emulator.quicksight.names import arn

MOST_SCHEDULES = 5
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Interval -> the day that it needs.
_DAYS = {"WEEKLY": "DayOfWeek", "MONTHLY": "DayOfMonth"}
_INCREMENTAL_ONLY = ("MINUTE15", "MINUTE30")


class RefreshSchedules:
    """Schedules by data set and id."""

    def __init__(self) -> None:
        self._by_data_set: dict[str, dict[str, dict[str, Any]]] = {}

    def create(self, data_set: str, schedule: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a new schedule.

        Raises:
            AlreadyExists: the id is taken.
            LimitExceeded: the data set has five.
            InvalidParameter: its times do not fit its interval.
        """
        known = self._by_data_set.setdefault(data_set, {})
        if schedule["ScheduleId"] in known:
            raise AlreadyExists(f"Refresh schedule {schedule['ScheduleId']} already exists")
        if len(known) == MOST_SCHEDULES:
            raise LimitExceeded(f"a data set has at most {MOST_SCHEDULES} refresh schedules")
        return self._keep(data_set, schedule)

    def update(self, data_set: str, schedule: Mapping[str, Any]) -> dict[str, Any]:
        """Replace a schedule.

        Raises:
            NotFound: there is none with this id.
            InvalidParameter: its times do not fit its interval.
        """
        self.get(data_set, schedule["ScheduleId"])
        return self._keep(data_set, schedule)

    def get(self, data_set: str, identity: str) -> dict[str, Any]:
        """One schedule.

        Raises:
            NotFound: there is none with this id.
        """
        known = self._by_data_set.get(data_set, {})
        if identity not in known:
            raise NotFound(f"Refresh schedule {_arn(data_set, identity)} is not found")
        return known[identity]

    def all(self, data_set: str) -> list[dict[str, Any]]:
        """Every schedule of a data set."""
        return list(self._by_data_set.get(data_set, {}).values())

    def delete(self, data_set: str, identity: str) -> dict[str, Any]:
        """Forget a schedule; what it was.

        Raises:
            NotFound: there is none with this id.
        """
        schedule = self.get(data_set, identity)
        del self._by_data_set[data_set][identity]
        return schedule

    def forget(self, data_set: str) -> None:
        """A data set is gone; so are its schedules."""
        self._by_data_set.pop(data_set, None)

    def _keep(self, data_set: str, schedule: Mapping[str, Any]) -> dict[str, Any]:
        _check(schedule)
        kept = {**schedule, "Arn": _arn(data_set, schedule["ScheduleId"])}
        self._by_data_set[data_set][schedule["ScheduleId"]] = kept
        return kept


def _arn(data_set: str, identity: str) -> str:
    return arn("dataset", data_set, "refresh-schedule", identity)


def _check(schedule: Mapping[str, Any]) -> None:
    if schedule["RefreshType"] == "INCREMENTAL_REFRESH":
        raise InvalidParameter("RefreshType: the local AWS offers FULL_REFRESH")
    frequency = schedule["ScheduleFrequency"]
    interval = frequency["Interval"]
    if interval in _INCREMENTAL_ONLY:
        raise InvalidParameter(f"Interval {interval} is for incremental refreshes")
    if interval != "HOURLY" and _TIME.fullmatch(frequency.get("TimeOfTheDay", "")) is None:
        raise InvalidParameter(f"TimeOfTheDay as HH:MM is required with interval {interval}")
    day = _DAYS.get(interval)
    if day is not None and day not in frequency.get("RefreshOnDay", {}):
        raise InvalidParameter(f"RefreshOnDay.{day} is required with interval {interval}")
