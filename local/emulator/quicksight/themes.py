"""Themes and their versions. AWS's own themes can be named as a base and by a dashboard; they cannot be read here."""

from collections.abc import Mapping
from typing import Any

from local.emulator.listing import Listing, now
from local.emulator.quicksight.errors import InvalidNextToken, InvalidParameter, NotFound
from local.emulator.quicksight.names import arn
from local.emulator.quicksight.permissions import THEME, Permissions
from local.emulator.quicksight.resources import Operation, Record, Resources
from local.emulator.quicksight.tags import Tags

AWS_THEMES = ("CLASSIC", "MIDNIGHT", "SEASIDE", "RAINIER")
_AWS_THEME_PREFIX = "arn:aws:quicksight::aws:theme/"
_LATEST = "$LATEST"
VERSIONS = Listing(
    "ThemeVersionSummaryList",
    "Arn",
    descending=False,
    created="VersionNumber",
    invalid_token=InvalidNextToken,
)


class Themes:
    """Themes by id. A record's `versions` are in order; version n is at index n - 1."""

    def __init__(self, *, permissions: Permissions, tags: Tags) -> None:
        self._resources = Resources(THEME, permissions=permissions, tags=tags, listed="ThemeSummaryList")

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTheme": self._create,
            "DescribeTheme": self._describe,
            "UpdateTheme": self._update,
            "DeleteTheme": self._delete,
            "ListThemes": self._list,
            "ListThemeVersions": self._list_versions,
            **self._resources.permission_operations(),
        }

    def check_arn(self, theme: str) -> None:
        """Check that an ARN names a theme.

        Raises:
            NotFound: there is none.
        """
        if theme.removeprefix(_AWS_THEME_PREFIX) not in AWS_THEMES and self._resources.find(theme) is None:
            raise NotFound(f"Theme {theme} is not found")

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.check_new(request)
        version = self._version(request, 1, request["Configuration"])
        record = self._resources.add(request, {"versions": [version]})
        return {**self._identity(record, version), "CreationStatus": "CREATION_IN_PROGRESS"}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        latest = record["versions"][-1]
        version = self._version(
            request, latest["VersionNumber"] + 1, request.get("Configuration", latest["Configuration"])
        )
        record["versions"].append(version)
        record.update(Name=request.get("Name", record["Name"]), LastUpdatedTime=now())
        return {**self._identity(record, version), "CreationStatus": "CREATION_IN_PROGRESS"}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        if request.get("AliasName", _LATEST) != _LATEST:
            raise InvalidParameter(f"AliasName: the local AWS offers {_LATEST}, not {request['AliasName']}")
        number = request.get("VersionNumber", len(record["versions"]))
        if not 1 <= number <= len(record["versions"]):
            raise NotFound(f"Theme {record['Arn']} has no version {number}")
        described = {member: value for member, value in record.items() if member != "versions"}
        return {"Theme": {**described, "Type": "CUSTOM", "Version": record["versions"][number - 1]}}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        if "VersionNumber" in request:
            raise InvalidParameter("VersionNumber: the local AWS deletes a theme with all its versions")
        return self._resources.remove(request)

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("Type") == "QUICKSIGHT":
            raise InvalidParameter("Type: the local AWS lists CUSTOM themes")
        return self._resources.page(request, lambda record: {"LatestVersionNumber": len(record["versions"])})

    def _list_versions(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        members = ("VersionNumber", "Arn", "Description", "CreatedTime", "Status")
        return VERSIONS.page(
            [{member: v[member] for member in members if member in v} for v in record["versions"]], request
        )

    def _version(self, request: Mapping[str, Any], number: int, configuration: Mapping[str, Any]) -> Record:
        base = request["BaseThemeId"]
        if base not in AWS_THEMES:
            self._resources.get({"ThemeId": base})
        description = {"Description": request["VersionDescription"]} if "VersionDescription" in request else {}
        return {
            **description,
            "VersionNumber": number,
            "Arn": arn("theme", request["ThemeId"], "version", str(number)),
            "BaseThemeId": base,
            "CreatedTime": now(),
            "Configuration": configuration,
            "Status": "CREATION_SUCCESSFUL",
        }

    def _identity(self, record: Record, version: Record) -> dict[str, Any]:
        return {**self._resources.identity(record), "VersionArn": version["Arn"]}
