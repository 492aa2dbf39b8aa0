"""Dashboards and their versions. The first version is published when it is made, every other one on request."""

from collections.abc import Mapping
from typing import Any

from local.emulator.listing import Listing, now
from local.emulator.quicksight.analyses import Analyses
from local.emulator.quicksight.definitions import Definitions
from local.emulator.quicksight.errors import Conflict, InvalidNextToken, InvalidParameter, NotFound
from local.emulator.quicksight.names import arn
from local.emulator.quicksight.permissions import DASHBOARD, Permissions
from local.emulator.quicksight.resources import Operation, Record, Resources, refuse
from local.emulator.quicksight.tags import Tags

_PUBLISHED = "$PUBLISHED"
_LATEST = "$LATEST"
# Members of a version's record that DescribeDashboardDefinition alone says.
_DEFINITION_MEMBERS = ("Definition", "DashboardPublishOptions")
VERSIONS = Listing(
    "DashboardVersionSummaryList", "Arn", descending=False, created="VersionNumber", invalid_token=InvalidNextToken
)


class Dashboards:
    """Dashboards by id. A record's `versions` is number -> version, `published` the number of the published one."""

    def __init__(self, *, permissions: Permissions, tags: Tags, definitions: Definitions, analyses: Analyses) -> None:
        self._resources = Resources(DASHBOARD, permissions=permissions, tags=tags, listed="DashboardSummaryList")
        self._definitions = definitions
        self._analyses = analyses

    def operations(self) -> dict[str, Operation]:
        permissions = self._resources.permission_operations()
        return {
            "CreateDashboard": self._create,
            "DescribeDashboard": self._describe,
            "DescribeDashboardDefinition": self._describe_definition,
            "UpdateDashboard": self._update,
            "UpdateDashboardPublishedVersion": self._publish,
            "UpdateDashboardLinks": self._update_links,
            "DeleteDashboard": self._delete,
            "ListDashboards": lambda request: self._resources.page(request, _summary),
            "ListDashboardVersions": self._list_versions,
            **permissions,
            "UpdateDashboardPermissions": lambda request: _without_links(
                permissions["UpdateDashboardPermissions"], request
            ),
        }

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        refuse(request, "LinkSharingConfiguration")
        self._resources.check_new(request)
        links = self._links(request.get("LinkEntities", []))
        version = self._version(request, 1)
        record = self._resources.add(
            request,
            {"versions": {1: version}, "published": 1, "LastPublishedTime": now(), "LinkEntities": links},
        )
        return {**self._version_identity(record, version), "CreationStatus": "CREATION_IN_PROGRESS"}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        number = max(record["versions"]) + 1
        record["versions"][number] = self._version(request, number)
        record.update(Name=request["Name"], LastUpdatedTime=now())
        answer = self._version_identity(record, record["versions"][number])
        return {**answer, "CreationStatus": "CREATION_IN_PROGRESS"}

    def _publish(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        version = _version_of(record, request["VersionNumber"])
        if version["Status"] != "CREATION_SUCCESSFUL":
            raise Conflict(f"{version['Arn']} is {version['Status']}; it cannot be published")
        record.update(published=version["VersionNumber"], LastPublishedTime=now())
        return {"DashboardId": record["DashboardId"], "DashboardArn": record["Arn"]}

    def _update_links(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        record["LinkEntities"] = self._links(request["LinkEntities"])
        return {"DashboardArn": record["Arn"], "LinkEntities": record["LinkEntities"]}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        version = _chosen(record, request)
        described = {member: value for member, value in record.items() if member not in ("versions", "published")}
        kept = {member: value for member, value in version.items() if member not in _DEFINITION_MEMBERS}
        return {"Dashboard": {**described, "Version": kept}}

    def _describe_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        version = _chosen(record, request)
        members = ("Errors", "ThemeArn", *_DEFINITION_MEMBERS)
        return {
            **{member: version[member] for member in members if member in version},
            "DashboardId": record["DashboardId"],
            "Name": record["Name"],
            "ResourceStatus": version["Status"],
        }

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        if "VersionNumber" not in request:
            return self._resources.remove(request)
        record = self._resources.get(request)
        version = _version_of(record, request["VersionNumber"])
        if version["VersionNumber"] == record["published"]:
            raise Conflict(f"{version['Arn']} is published; publish another version before deleting it")
        del record["versions"][version["VersionNumber"]]
        return self._resources.identity(record)

    def _list_versions(self, request: dict[str, Any]) -> dict[str, Any]:
        versions = self._resources.get(request)["versions"].values()
        members = ("Arn", "CreatedTime", "VersionNumber", "Status", "Description")
        return VERSIONS.page([{member: v[member] for member in members if member in v} for v in versions], request)

    def _version(self, request: Mapping[str, Any], number: int) -> Record:
        checked = self._definitions.checked(request)
        given = {"Description": "VersionDescription", "ThemeArn": "ThemeArn"}
        return {
            **{member: request[source] for member, source in given.items() if source in request},
            **checked.described("CREATION"),
            "VersionNumber": number,
            "Arn": arn("dashboard", request["DashboardId"], "version", str(number)),
            "CreatedTime": now(),
            "Definition": checked.definition,
            "DashboardPublishOptions": request.get("DashboardPublishOptions", {}),
        }

    def _links(self, entities: list[str]) -> list[str]:
        for entity in entities:
            if not self._analyses.exists(entity):
                raise InvalidParameter(f"LinkEntities: {entity} is no analysis")
        return list(entities)

    def _version_identity(self, record: Record, version: Record) -> dict[str, Any]:
        return {**self._resources.identity(record), "VersionArn": version["Arn"]}


def _chosen(record: Record, request: Mapping[str, Any]) -> Record:
    """The version that a Describe request means: by number, by alias, or the published one."""
    if "VersionNumber" in request:
        return _version_of(record, request["VersionNumber"])
    alias = request.get("AliasName", _PUBLISHED)
    if alias not in (_PUBLISHED, _LATEST):
        raise InvalidParameter(f"AliasName: the local AWS offers {_LATEST} and {_PUBLISHED}, not {alias}")
    return _version_of(record, record["published"] if alias == _PUBLISHED else max(record["versions"]))


def _version_of(record: Record, number: int) -> Record:
    if number not in record["versions"]:
        raise NotFound(f"Dashboard {record['Arn']} has no version {number}")
    version: Record = record["versions"][number]
    return version


def _summary(record: Record) -> dict[str, Any]:
    return {"PublishedVersionNumber": record["published"], "LastPublishedTime": record["LastPublishedTime"]}


def _without_links(update: Operation, request: dict[str, Any]) -> dict[str, Any]:
    refuse(request, "GrantLinkPermissions", "RevokeLinkPermissions")
    return update(request)
