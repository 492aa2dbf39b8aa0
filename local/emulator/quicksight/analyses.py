"""Analyses: one definition each, without versions. A deleted one can be restored for some days."""

from datetime import timedelta
from typing import Any

from local.emulator.listing import now
from local.emulator.quicksight.definitions import CheckedDefinition, Definitions
from local.emulator.quicksight.errors import Conflict, InvalidParameter
from local.emulator.quicksight.permissions import ANALYSIS, Permissions
from local.emulator.quicksight.resources import Operation, Record, Resources
from local.emulator.quicksight.tags import Tags

_DEFAULT_RECOVERY_DAYS = 30
_DELETED = "DELETED"


class Analyses:
    """Analyses by id."""

    def __init__(self, *, permissions: Permissions, tags: Tags, definitions: Definitions) -> None:
        self._resources = Resources(ANALYSIS, permissions=permissions, tags=tags, listed="AnalysisSummaryList")
        self._definitions = definitions

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateAnalysis": self._create,
            "DescribeAnalysis": self._describe,
            "DescribeAnalysisDefinition": self._describe_definition,
            "UpdateAnalysis": self._update,
            "DeleteAnalysis": self._delete,
            "RestoreAnalysis": self._restore,
            "ListAnalyses": lambda request: self._resources.page(request, lambda record: {"Status": record["Status"]}),
            **self._resources.permission_operations(),
        }

    def exists(self, arn: str) -> bool:
        """Whether an ARN names an analysis that is not deleted."""
        record = self._resources.find(arn)
        return record is not None and record["Status"] != _DELETED

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.check_new(request)
        checked = self._definitions.checked(request)
        record = self._resources.add(request, _members(request, checked, "CREATION"))
        return {**self._resources.identity(record), "CreationStatus": "CREATION_IN_PROGRESS"}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        if record["Status"] == _DELETED:
            raise Conflict(f"Analysis {record['Arn']} is deleted; restore it first")
        changed = _members(request, self._definitions.checked(request), "UPDATE")
        kept = {member: record[member] for member in ("AnalysisId", "Arn", "CreatedTime")}
        record.clear()
        record.update({**kept, **changed, "Name": request["Name"], "LastUpdatedTime": now()})
        return {**self._resources.identity(record), "UpdateStatus": "UPDATE_IN_PROGRESS"}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        return {"Analysis": {member: value for member, value in record.items() if member != "Definition"}}

    def _describe_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        members = ("AnalysisId", "Name", "Errors", "ThemeArn", "Definition")
        known = {member: record[member] for member in members if member in record}
        return {**known, "ResourceStatus": record["Status"]}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("ForceDeleteWithoutRecovery", False):
            if "RecoveryWindowInDays" in request:
                raise InvalidParameter("RecoveryWindowInDays and ForceDeleteWithoutRecovery exclude each other")
            return self._resources.remove(request)
        record = self._resources.get(request)
        if record["Status"] == _DELETED:
            raise Conflict(f"Analysis {record['Arn']} is deleted already")
        days = request.get("RecoveryWindowInDays", _DEFAULT_RECOVERY_DAYS)
        record.update(Status=_DELETED, LastUpdatedTime=now())
        return {**self._resources.identity(record), "DeletionTime": now() + timedelta(days=days)}

    def _restore(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        if record["Status"] != _DELETED:
            raise Conflict(f"Analysis {record['Arn']} is not deleted")
        record.update(Status="CREATION_FAILED" if "Errors" in record else "CREATION_SUCCESSFUL")
        return self._resources.identity(record)


def _members(request: dict[str, Any], checked: CheckedDefinition, verb: str) -> Record:
    theme = {"ThemeArn": request["ThemeArn"]} if "ThemeArn" in request else {}
    return {**theme, **checked.described(verb), "Definition": checked.definition}
