"""The deployed dashboard, its data sets and its theme, as QuickSight's own API describes them.

What this page could not ask or draw truly is refused by name: a data set that is no single query, or one that changes
its rows afterwards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from local.dashboard.document import Column, ColumnType, DataSet, Json, QueryParameter
from local.dashboard.errors import SourceError

_MODES = {"SPICE": "spice", "DIRECT_QUERY": "direct"}
_TYPES = {"BIT": "BOOLEAN"}
# Steps after the query that leave the rows as they are.
_HARMLESS_STEPS = ("TagColumnOperation", "UntagColumnOperation")


@dataclass(frozen=True)
class DeployedDataSet:
    """A data set, and the query that it asks."""

    identifier: str
    sql: str
    contents: DataSet


@dataclass(frozen=True)
class DeployedDashboard:
    """A dashboard as it is deployed."""

    dashboard_id: str
    title: str
    version: int
    definition: Json
    theme: Json | None
    data_sets: Mapping[str, DeployedDataSet]


def read_dashboard(quicksight: Any, account: str, dashboard_id: str) -> DeployedDashboard:
    """Read a dashboard with all it is made of.

    Raises:
        SourceError: QuickSight reports errors of it, or it has what this page cannot read.
    """
    described = quicksight.describe_dashboard_definition(AwsAccountId=account, DashboardId=dashboard_id)
    errors = described.get("Errors") or []
    if errors:
        said = "; ".join(f"{error.get('Type')}: {error.get('Message')}" for error in errors)
        raise SourceError(f"dashboard {dashboard_id} is deployed with errors: {said}")
    published = quicksight.describe_dashboard(AwsAccountId=account, DashboardId=dashboard_id)["Dashboard"]
    definition: Json = described["Definition"]
    theme_arn = described.get("ThemeArn")
    return DeployedDashboard(
        dashboard_id=dashboard_id,
        title=str(described["Name"]),
        version=int(published["Version"]["VersionNumber"]),
        definition=definition,
        theme=_theme(quicksight, account, theme_arn) if theme_arn else None,
        data_sets={
            declared["Identifier"]: _data_set(quicksight, account, declared["Identifier"], declared["DataSetArn"])
            for declared in definition["DataSetIdentifierDeclarations"]
        },
    )


def _theme(quicksight: Any, account: str, arn: str) -> Json | None:
    theme_id = arn.rsplit("/", 1)[-1]
    # QuickSight's own themes (CLASSIC, MIDNIGHT, ...) belong to no account and bring its own colours.
    if arn.split(":")[4] in ("aws", ""):
        return None
    described = quicksight.describe_theme(AwsAccountId=account, ThemeId=theme_id)
    configuration: Json = described["Theme"]["Version"]["Configuration"]
    return configuration


def _data_set(quicksight: Any, account: str, identifier: str, arn: str) -> DeployedDataSet:
    described = quicksight.describe_data_set(AwsAccountId=account, DataSetId=arn.rsplit("/", 1)[-1])["DataSet"]
    query = _only_query(identifier, described)
    mode = _MODES.get(described["ImportMode"])
    if mode is None:
        raise SourceError(f"data set {identifier}: the import mode {described['ImportMode']} is not known here")
    contents = DataSet(
        title=str(described["Name"]),
        mode="spice" if mode == "spice" else "direct",
        columns=tuple(_column(identifier, column) for column in query["Columns"]),
        parameters=tuple(_parameter(identifier, one) for one in described.get("DatasetParameters") or []),
    )
    return DeployedDataSet(identifier, str(query["SqlQuery"]), contents)


def _only_query(identifier: str, described: Json) -> Json:
    tables = list((described.get("PhysicalTableMap") or {}).values())
    if len(tables) != 1:
        raise SourceError(f"data set {identifier}: it has {len(tables)} physical tables, one query can be asked here")
    (kind,) = (name for name, table in tables[0].items() if table)
    if kind != "CustomSql":
        raise SourceError(f"data set {identifier}: it is a {kind}; only a CustomSql can be asked here")
    for refused in ("RowLevelPermissionDataSet", "ColumnLevelPermissionRules", "DataPrepConfiguration"):
        if described.get(refused):
            raise SourceError(f"data set {identifier}: it has {refused}, which is not applied here")
    for step in _steps(described.get("LogicalTableMap") or {}):
        if step not in _HARMLESS_STEPS:
            raise SourceError(f"data set {identifier}: it has a {step}, which is not applied here")
    query: Json = tables[0][kind]
    return query


def _steps(logical_tables: Mapping[str, Json]) -> Iterable[str]:
    for table in logical_tables.values():
        if (table.get("Source") or {}).get("JoinInstruction"):
            yield "JoinInstruction"
        for step in table.get("DataTransforms") or []:
            yield from (name for name, value in step.items() if value)


def _column(identifier: str, column: Mapping[str, str]) -> Column:
    type_ = _TYPES.get(column["Type"], column["Type"])
    if type_ not in get_args(ColumnType):
        raise SourceError(f"data set {identifier}: column {column['Name']} is a {type_}, which is not known here")
    return Column(column["Name"], cast(ColumnType, type_))


def _parameter(identifier: str, json: Json) -> QueryParameter:
    ((kind, parameter),) = json.items()
    if kind != "StringDatasetParameter":
        raise SourceError(
            f"data set {identifier}: parameter {parameter['Name']} is a {kind}; only texts are known here"
        )
    values = (parameter.get("DefaultValues") or {}).get("StaticValues") or []
    return QueryParameter(str(parameter["Name"]), str(values[0]) if values else "")
