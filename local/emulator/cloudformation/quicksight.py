"""QuickSight's resource types.

Ref is AWS's primary identifier: account and id, for a refresh schedule account, data set and id, with `|` between them.
GetAtt knows what AWS's resource reference lists, but for attributes that are lists or structures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.cloudformation.resources import (
    Call,
    Identity,
    Properties,
    Resource,
    attribute_text,
    check_offered,
    removed_tags,
    wait,
)
from local.emulator.environment import ACCOUNT
from local.emulator.errors import EmulatorError, ValidationError
from local.emulator.quicksight.errors import NotFound
from local.emulator.quicksight.shapes import SHAPES

_ACCOUNT = "AwsAccountId"
_OF_VERSION = ("Arn", "VersionNumber", "Status", "Description", "CreatedTime")


@dataclass(frozen=True)
class ResourceType:
    """How a CloudFormation type maps to QuickSight's operations `Create<noun>`, `Describe<noun>`, ...

    `identity` are the members that name the resource besides the account. `replacing` are further properties whose
    change makes a new one. `attributes` are what GetAtt knows of the resource, `of_version` of its version.
    """

    noun: str
    identity: tuple[str, ...]
    attributes: tuple[str, ...]
    replacing: tuple[str, ...] = ()
    of_version: tuple[str, ...] = ()


_TIMES = ("CreatedTime", "LastUpdatedTime")
DATA_SOURCE = ResourceType("DataSource", ("DataSourceId",), ("Arn", "Status", *_TIMES), replacing=("Type",))
DATA_SET = ResourceType("DataSet", ("DataSetId",), ("Arn", "ConsumedSpiceCapacityInBytes", *_TIMES))
SCHEDULE = ResourceType("RefreshSchedule", ("DataSetId",), ("Arn",))
THEME = ResourceType("Theme", ("ThemeId",), ("Arn", "Type", *_TIMES), of_version=(*_OF_VERSION, "BaseThemeId"))
ANALYSIS = ResourceType("Analysis", ("AnalysisId",), ("Arn", *_TIMES))
DASHBOARD = ResourceType(
    "Dashboard", ("DashboardId",), ("Arn", "LastPublishedTime", *_TIMES), of_version=(*_OF_VERSION, "ThemeArn")
)


def quicksight_resources(call: Call) -> list[Resource]:
    """QuickSight's types; `call` does an operation of its API."""
    return [
        _QuickSightResource(DATA_SOURCE, call),
        _DataSet(DATA_SET, call),
        _RefreshSchedule(SCHEDULE, call),
        _QuickSightResource(THEME, call),
        _Analysis(ANALYSIS, call),
        _Dashboard(DASHBOARD, call),
    ]


class _QuickSightResource:
    """The handlers of one type."""

    def __init__(self, kind: ResourceType, call: Call) -> None:
        self._kind = kind
        self._call = call

    @property
    def type_name(self) -> str:
        return f"AWS::QuickSight::{self._kind.noun}"

    @property
    def replacing(self) -> Sequence[str]:
        return (_ACCOUNT, *self._kind.identity, *self._kind.replacing)

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Identity:
        request = self._request(properties)
        answer = self._call(f"Create{self._kind.noun}", request)
        try:
            self._settle(request, answer, properties)
        except EmulatorError:
            # CloudFormation does not know the resource yet, so nobody else would delete it.
            self._delete(self._names(request))
            raise
        return self._identity(request)

    def update(self, _physical_id: str, old: Properties, new: Properties, _stack: str) -> Identity:
        """Properties that replace the resource never come here: ministack creates a new one for them."""
        before, after = self._request(old), self._request(new)
        known = SHAPES.model.operation_model(f"Update{self._kind.noun}").input_shape.members
        changed = {member: after[member] for member in known if member in after}
        if changed != {member: before[member] for member in known if member in before}:
            answer = self._call(f"Update{self._kind.noun}", changed)
            self._settle(after, answer, new)
        arn = self._described(self._names(after))["Arn"]
        self._update_permissions(before, after)
        self._update_tags(arn, old, new)
        return self._identity(after)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        members = (_ACCOUNT, *self._kind.identity)
        try:
            self._delete(dict(zip(members, physical_id.split("|"), strict=True)))
        except NotFound:
            return  # Somebody else deleted it: CloudFormation counts that as deleted.

    def _request(self, properties: Properties) -> Properties:
        """The properties in the API's names and types.

        Raises:
            ValidationError: a property that the local AWS does not know.
        """
        operation = f"Create{self._kind.noun}"
        check_offered(self.type_name, properties, SHAPES.model.operation_model(operation).input_shape.members)
        given = {_ACCOUNT: ACCOUNT, **properties}
        # The API has no empty lists here; a template may.
        request = {m: v for m, v in given.items() if not (m in ("Tags", "Permissions") and v == [])}
        return SHAPES.coerce_properties(operation, request)

    def _names(self, request: Properties) -> Properties:
        missing = [member for member in self._kind.identity if member not in request]
        if missing:
            raise ValidationError(f"{self.type_name}: {', '.join(missing)} is required")
        return {member: request[member] for member in (_ACCOUNT, *self._kind.identity)}

    def _identity(self, request: Properties) -> Identity:
        names = self._names(request)
        described = self._described(names)
        attributes = {name: attribute_text(described[name]) for name in self._kind.attributes if name in described}
        version = described.get("Version", {})
        for name in self._kind.of_version:
            if name in version:
                attributes[f"Version.{name}"] = attribute_text(version[name])
        return "|".join(str(name) for name in names.values()), attributes

    def _described(self, names: Properties) -> dict[str, Any]:
        described: dict[str, Any] = self._call(f"Describe{self._kind.noun}", names)[self._kind.noun]
        return described

    def _settle(self, request: Properties, _answer: Mapping[str, Any], _properties: Properties) -> None:
        """Wait until what was created or changed is ready.

        Raises:
            ValidationError: it is not, with QuickSight's reasons.
        """
        self._await(lambda: self._described(self._names(request)))

    def _await(self, look: Callable[[], Mapping[str, Any]]) -> None:
        """Wait for the `Status` of what `look` gives to be final.

        Raises:
            ValidationError: it is a failure.
        """
        wait(lambda: not look().get("Status", "").endswith("_IN_PROGRESS"), self.type_name)
        found = look()
        if found.get("Status", "").endswith("_FAILED"):
            errors = found.get("Errors") or [found["ErrorInfo"]]
            reasons = "; ".join(f"{error['Type']}: {error['Message']}" for error in errors)
            raise ValidationError(f"{self.type_name}: {found['Status']}: {reasons}")

    def _update_permissions(self, before: Properties, after: Properties) -> None:
        old = {grant["Principal"]: grant["Actions"] for grant in before.get("Permissions", [])}
        new = {grant["Principal"]: grant["Actions"] for grant in after.get("Permissions", [])}
        gone = {who: [action for action in actions if action not in new.get(who, [])] for who, actions in old.items()}
        request = {
            "GrantPermissions": _grants({who: actions for who, actions in new.items() if actions != old.get(who)}),
            "RevokePermissions": _grants({who: actions for who, actions in gone.items() if actions}),
        }
        request = {member: grants for member, grants in request.items() if grants}
        if request:
            self._call(f"Update{self._kind.noun}Permissions", {**self._names(after), **request})

    def _update_tags(self, arn: str, old: Properties, new: Properties) -> None:
        gone = removed_tags(old, new)
        if gone:
            self._call("UntagResource", {"ResourceArn": arn, "TagKeys": gone})
        if new.get("Tags") and new["Tags"] != old.get("Tags"):
            self._call("TagResource", {"ResourceArn": arn, "Tags": new["Tags"]})

    def _delete(self, names: Properties) -> None:
        self._call(f"Delete{self._kind.noun}", names)


class _DataSet(_QuickSightResource):
    """CloudFormation waits for the import of a SPICE data set, unless its `IngestionWaitPolicy` says otherwise."""

    def _request(self, properties: Properties) -> Properties:
        given = {member: value for member, value in properties.items() if member != "IngestionWaitPolicy"}
        if "FieldFolders" in given:  # CloudFormation's names begin with capitals, the API's here do not.
            given["FieldFolders"] = {
                folder: {member.lower(): value for member, value in content.items()}
                for folder, content in given["FieldFolders"].items()
            }
        return super()._request(given)

    def _settle(self, request: Properties, answer: Mapping[str, Any], properties: Properties) -> None:
        policy = properties.get("IngestionWaitPolicy", {})
        if "IngestionId" not in answer or str(policy.get("WaitForSpiceIngestion", True)).lower() == "false":
            return
        names = {**self._names(request), "IngestionId": answer["IngestionId"]}

        def ingestion() -> dict[str, Any]:
            found: dict[str, Any] = self._call("DescribeIngestion", names)["Ingestion"]
            return found

        hours = float(policy.get("IngestionWaitTimeInHours", 36))
        wait(lambda: ingestion()["IngestionStatus"] in ("COMPLETED", "FAILED"), "the SPICE ingestion", hours * 3600)
        found = ingestion()
        if found["IngestionStatus"] == "FAILED":
            error = found["ErrorInfo"]
            raise ValidationError(f"{self.type_name}: SPICE ingestion failed: {error['Type']}: {error['Message']}")


class _RefreshSchedule(_QuickSightResource):
    """A schedule's id stands within its `Schedule`, so a change of it comes to `update`."""

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> Identity:
        request = self._request(new)
        if self._physical_id(request) != physical_id:
            return self.create("", new, stack)  # CloudFormation deletes the other one when the update is through.
        if request != self._request(old):
            self._call("UpdateRefreshSchedule", request)
        return self._identity(request)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        account, data_set, schedule = physical_id.split("|")
        try:
            self._delete({_ACCOUNT: account, "DataSetId": data_set, "ScheduleId": schedule})
        except NotFound:
            return  # It goes with its data set.

    def _request(self, properties: Properties) -> Properties:
        schedule = dict(properties.get("Schedule", {}))
        frequency = dict(schedule.get("ScheduleFrequency", {}))
        if "TimeZone" in frequency:  # The API spells it differently.
            frequency["Timezone"] = frequency.pop("TimeZone")
        return super()._request({**properties, "Schedule": {**schedule, "ScheduleFrequency": frequency}})

    def _names(self, request: Properties) -> Properties:
        return {**super()._names(request), "ScheduleId": request["Schedule"]["ScheduleId"]}

    def _physical_id(self, request: Properties) -> str:
        return "|".join(str(name) for name in self._names(request).values())


class _Analysis(_QuickSightResource):
    def _delete(self, names: Properties) -> None:
        self._call("DeleteAnalysis", {**names, "ForceDeleteWithoutRecovery": True})


class _Dashboard(_QuickSightResource):
    """CloudFormation publishes the version that an update makes, once it is ready."""

    def update(self, physical_id: str, old: Properties, new: Properties, stack: str) -> Identity:
        before, after = self._request(old), self._request(new)
        if before.get("LinkEntities", []) != after.get("LinkEntities", []):
            links = {"LinkEntities": after.get("LinkEntities", [])}
            self._call("UpdateDashboardLinks", {**self._names(after), **links})
        return super().update(physical_id, old, new, stack)

    def _settle(self, request: Properties, answer: Mapping[str, Any], _properties: Properties) -> None:
        names = self._names(request)
        number = int(answer["VersionArn"].rpartition("/")[2])

        def version() -> dict[str, Any]:
            found: dict[str, Any] = self._described({**names, "VersionNumber": number})["Version"]
            return found

        self._await(version)
        self._call("UpdateDashboardPublishedVersion", {**names, "VersionNumber": number})


def _grants(actions: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"Principal": principal, "Actions": list(given)} for principal, given in actions.items()]
