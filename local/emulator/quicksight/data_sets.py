"""Data sets, with their ingestions and refresh schedules."""

import uuid
from collections.abc import Mapping
from typing import Any

from local.emulator.clients import Clients
from local.emulator.listing import now
from local.emulator.quicksight.data_set_parameters import check_references, declared_parameters
from local.emulator.quicksight.data_set_tables import output_columns, source_table
from local.emulator.quicksight.data_sources import DataSources
from local.emulator.quicksight.errors import InvalidParameter, NotFound
from local.emulator.quicksight.ingestions import Ingestions
from local.emulator.quicksight.permissions import DATA_SET, Permissions
from local.emulator.quicksight.refresh_schedules import RefreshSchedules
from local.emulator.quicksight.resources import Operation, Record, Resources, refuse
from local.emulator.quicksight.tags import Tags

_NOT_OFFERED = (
    "ColumnGroups",
    "RowLevelPermissionDataSet",
    "RowLevelPermissionTagConfiguration",
    "ColumnLevelPermissionRules",
    "FolderArns",
    "UseAs",
    "DataPrepConfiguration",
    "SemanticModelConfiguration",
)
_KEPT = (
    "PhysicalTableMap",
    "LogicalTableMap",
    "ImportMode",
    "FieldFolders",
    "DataSetUsageConfiguration",
    "DatasetParameters",
    "PerformanceConfiguration",
)
_SPICE = "SPICE"


class DataSets:
    """Data sets by id."""

    def __init__(self, *, permissions: Permissions, tags: Tags, data_sources: DataSources, clients: Clients) -> None:
        self._resources = Resources(DATA_SET, permissions=permissions, tags=tags, listed="DataSetSummaries")
        self._data_sources = data_sources
        self._ingestions = Ingestions(clients)
        self._schedules = RefreshSchedules()

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateDataSet": self._create,
            "DescribeDataSet": lambda request: {"DataSet": self._described(self._resources.get(request))},
            "UpdateDataSet": self._update,
            "DeleteDataSet": self._delete,
            "ListDataSets": lambda request: self._resources.page(request, _summary),
            **self._resources.permission_operations(),
            "CreateIngestion": self._create_ingestion,
            "DescribeIngestion": self._describe_ingestion,
            "ListIngestions": self._list_ingestions,
            "CreateRefreshSchedule": self._create_schedule,
            "DescribeRefreshSchedule": self._describe_schedule,
            "UpdateRefreshSchedule": self._update_schedule,
            "DeleteRefreshSchedule": self._delete_schedule,
            "ListRefreshSchedules": self._list_schedules,
        }

    def find(self, arn: str) -> Mapping[str, Any] | None:
        """The data set with this ARN as Describe says it, or None."""
        record = self._resources.find(arn)
        return None if record is None else self._described(record)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.check_new(request)
        record = self._resources.add(request, self._checked(request))
        return {**self._resources.identity(record), **self._import(record, "INITIAL_INGESTION")}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        changed = {**self._checked(request), "Name": request["Name"], "LastUpdatedTime": now()}
        kept = {member: record[member] for member in ("Arn", "DataSetId", "CreatedTime")}
        record.clear()
        record.update({**kept, **changed})
        return {**self._resources.identity(record), **self._import(record, "EDIT")}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._resources.remove(request)
        self._ingestions.forget(request["DataSetId"])
        self._schedules.forget(request["DataSetId"])
        return answer

    def _checked(self, request: Mapping[str, Any]) -> Record:
        """The members of a data set that can be kept.

        Raises:
            InvalidParameter: something that cannot be, or that the local AWS does not offer.
            InvalidSqlParameter: the SQL uses a parameter that is not declared.
            NotFound: the data source does not exist.
        """
        refuse(request, *_NOT_OFFERED)
        table = source_table(request)
        if self._data_sources.workgroup(table.data_source) is None:
            raise NotFound(f"Data source {table.data_source} is not found")
        check_references(table.sql, declared_parameters(request))
        columns = output_columns(request, table)
        names = {column["Name"] for column in columns}
        for folder, content in request.get("FieldFolders", {}).items():
            missing = sorted(set(content.get("columns", [])) - names)
            if missing:
                raise InvalidParameter(f"FieldFolders.{folder}: columns that are not there: {', '.join(missing)}")
        return {**{member: request[member] for member in _KEPT if member in request}, "OutputColumns": columns}

    def _described(self, record: Record) -> dict[str, Any]:
        return {**record, "ConsumedSpiceCapacityInBytes": self._ingestions.size(record["DataSetId"])}

    def _import(self, record: Record, kind: str) -> dict[str, Any]:
        """What Create and Update say about the import that they start: nothing for a direct query."""
        if record["ImportMode"] != _SPICE:
            return {}
        ingestion = self._start(record, str(uuid.uuid4()), kind)
        return {"IngestionArn": ingestion["Arn"], "IngestionId": ingestion["IngestionId"]}

    def _start(self, record: Record, identity: str, kind: str) -> dict[str, Any]:
        workgroup = self._data_sources.workgroup(source_table(record).data_source)
        return self._ingestions.start(record, identity, kind=kind, workgroup=workgroup)

    def _create_ingestion(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._spice(request)
        if request.get("IngestionType") == "INCREMENTAL_REFRESH":
            raise InvalidParameter("IngestionType: the local AWS offers FULL_REFRESH")
        ingestion = self._start(record, request["IngestionId"], "FULL_REFRESH")
        return {member: ingestion[member] for member in ("Arn", "IngestionId", "IngestionStatus")}

    def _describe_ingestion(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.get(request)
        return {"Ingestion": self._ingestions.get(request["DataSetId"], request["IngestionId"])}

    def _list_ingestions(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.get(request)
        return self._ingestions.page(request["DataSetId"], request)

    def _create_schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._spice(request)
        return _schedule_identity(self._schedules.create(request["DataSetId"], request["Schedule"]))

    def _describe_schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.get(request)
        schedule = self._schedules.get(request["DataSetId"], request["ScheduleId"])
        return {"RefreshSchedule": schedule, "Arn": schedule["Arn"]}

    def _update_schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._spice(request)
        return _schedule_identity(self._schedules.update(request["DataSetId"], request["Schedule"]))

    def _delete_schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.get(request)
        return _schedule_identity(self._schedules.delete(request["DataSetId"], request["ScheduleId"]))

    def _list_schedules(self, request: dict[str, Any]) -> dict[str, Any]:
        self._resources.get(request)
        return {"RefreshSchedules": self._schedules.all(request["DataSetId"])}

    def _spice(self, request: Mapping[str, Any]) -> Record:
        record = self._resources.get(request)
        if record["ImportMode"] != _SPICE:
            raise InvalidParameter(f"The data set {record['DataSetId']} is not a SPICE data set")
        return record


def _summary(record: Record) -> dict[str, Any]:
    return {
        "ImportMode": record["ImportMode"],
        "RowLevelPermissionTagConfigurationApplied": False,
        "ColumnLevelPermissionRulesApplied": False,
    }


def _schedule_identity(schedule: Mapping[str, Any]) -> dict[str, Any]:
    return {"ScheduleId": schedule["ScheduleId"], "Arn": schedule["Arn"]}
