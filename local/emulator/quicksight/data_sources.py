"""Data sources: Athena, the one kind that the local AWS has."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.emulator.clients import Clients
from local.emulator.listing import now
from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.quicksight.permissions import DATA_SOURCE, Permissions
from local.emulator.quicksight.resources import Operation, Record, Resources, refuse
from local.emulator.quicksight.tags import Tags

_DEFAULT_WORKGROUP = "primary"
_NOT_OFFERED = ("Credentials", "VpcConnectionProperties", "FolderArns")
_PARAMETERS_NOT_OFFERED = ("ConsumerAccountRoleArn", "IdentityCenterConfiguration")


class DataSources:
    """Data sources by id. Whether one can be used is looked up in Athena and IAM when it is made or changed."""

    def __init__(self, *, permissions: Permissions, tags: Tags, clients: Clients) -> None:
        self._resources = Resources(DATA_SOURCE, permissions=permissions, tags=tags, listed="DataSources")
        self._clients = clients

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateDataSource": self._create,
            "DescribeDataSource": lambda request: {"DataSource": dict(self._resources.get(request))},
            "UpdateDataSource": self._update,
            "DeleteDataSource": self._resources.remove,
            "ListDataSources": lambda request: self._resources.page(request, lambda record: dict(record)),
            **self._resources.permission_operations(),
        }

    def workgroup(self, arn: str) -> str | None:
        """The Athena workgroup of the data source with this ARN; None where there is no such data source."""
        record = self._resources.find(arn)
        return None if record is None else _workgroup(record)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Type"] != "ATHENA":
            raise InvalidParameter(f"Type: the local AWS offers ATHENA, not {request['Type']}")
        self._resources.check_new(request)
        record = self._resources.add(request, {"Type": "ATHENA", **self._connected(request, "CREATION")})
        return {**self._resources.identity(record), "CreationStatus": "CREATION_IN_PROGRESS"}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        record = self._resources.get(request)
        changed = {**self._connected(request, "UPDATE"), "Name": request["Name"], "LastUpdatedTime": now()}
        kept = {member: record[member] for member in ("Arn", "DataSourceId", "Type", "CreatedTime")}
        record.clear()
        record.update({**kept, **changed})
        return {**self._resources.identity(record), "UpdateStatus": "UPDATE_IN_PROGRESS"}

    def _connected(self, request: Mapping[str, Any], verb: str) -> Record:
        """The members that say how to connect, and whether that works: `Status`, and `ErrorInfo` where it does not.

        Raises:
            InvalidParameter: parameters that are not Athena's, or that the local AWS does not offer.
        """
        refuse(request, *_NOT_OFFERED)
        parameters = request.get("DataSourceParameters", {"AthenaParameters": {}})
        if set(parameters) != {"AthenaParameters"}:
            raise InvalidParameter(f"DataSourceParameters: AthenaParameters is expected, got {sorted(parameters)}")
        refuse(parameters["AthenaParameters"], *_PARAMETERS_NOT_OFFERED)
        members: Record = {"DataSourceParameters": parameters}
        if "SslProperties" in request:
            members["SslProperties"] = request["SslProperties"]
        problem = self._problem(members)
        if problem is None:
            return {**members, "Status": f"{verb}_SUCCESSFUL"}
        return {**members, "Status": f"{verb}_FAILED", "ErrorInfo": problem}

    def _problem(self, record: Record) -> dict[str, str] | None:
        """Why Athena cannot be reached with these parameters, as `ErrorInfo`."""
        workgroup = _workgroup(record)
        try:
            self._clients("athena").get_work_group(WorkGroup=workgroup)
        except ClientError as error:
            return {"Type": "GENERIC_SQL_FAILURE", "Message": error.response["Error"]["Message"]}
        role = record["DataSourceParameters"]["AthenaParameters"].get("RoleArn")
        if role is None:
            return None
        try:
            self._clients("iam").get_role(RoleName=role.rpartition("/")[2])
        except ClientError as error:
            message = f"QuickSight could not assume {role}: {error.response['Error']['Message']}"
            return {"Type": "ACCESS_DENIED", "Message": message}
        return None


def _workgroup(record: Record) -> str:
    name: str = record["DataSourceParameters"]["AthenaParameters"].get("WorkGroup", _DEFAULT_WORKGROUP)
    return name
