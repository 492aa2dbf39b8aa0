"""What a data set reads and which columns it has: its physical table, and what its logical table makes of it.

The local AWS offers one physical table a data set (custom SQL, or a table of the Glue catalogue) and a logical table
that keeps, renames, casts or describes its columns. Joins and computed columns belong into the SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.emulator.quicksight.errors import InvalidParameter

# Column types that mean the same in a data set's source and in the data set.
COLUMN_TYPES = ("STRING", "INTEGER", "DECIMAL", "DATETIME")
# Athena's types as QuickSight reads them. A type that is not here is taken as it is.
_OF_ATHENA = {
    "varchar": "STRING",
    "char": "STRING",
    "tinyint": "INTEGER",
    "smallint": "INTEGER",
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "float": "DECIMAL",
    "real": "DECIMAL",
    "double": "DECIMAL",
    "decimal": "DECIMAL",
    "date": "DATETIME",
    "timestamp": "DATETIME",
}
_CATALOG = "AwsDataCatalog"
_TRANSFORMS = ("ProjectOperation", "RenameColumnOperation", "CastColumnTypeOperation", "TagColumnOperation")


@dataclass(frozen=True)
class SourceTable:
    """A data set's physical table: the SQL that reads it, and its declared columns, name -> type."""

    identity: str
    data_source: str
    sql: str
    columns: Mapping[str, str]

    def problems(self, athena_columns: Mapping[str, str]) -> list[str]:
        """What of the declared columns the SQL's result does not have; `athena_columns` is name -> Athena's type."""
        # Athena's names are in lower case, whatever the SQL says.
        found = {name.lower(): kind for name, kind in athena_columns.items()}
        problems = []
        for name, declared in self.columns.items():
            if name.lower() not in found:
                problems.append(f"the SQL gives no column '{name}'; it gives {', '.join(athena_columns)}")
                continue
            actual = _OF_ATHENA.get(found[name.lower()], declared)
            # A whole number is a decimal as well.
            if actual != declared and (actual, declared) != ("INTEGER", "DECIMAL"):
                problems.append(f"column '{name}' is declared {declared}, but the SQL gives {found[name.lower()]}")
        return problems


def source_table(data_set: Mapping[str, Any]) -> SourceTable:
    """The one physical table of a data set (the request or what Describe says).

    Raises:
        InvalidParameter: there are several or none, or it is none that the local AWS offers.
    """
    tables = data_set["PhysicalTableMap"]
    if len(tables) != 1:
        raise InvalidParameter(f"PhysicalTableMap: the local AWS offers one table a data set, got {len(tables)}")
    ((identity, table),) = tables.items()
    if set(table) == {"CustomSql"}:
        sql = table["CustomSql"]["SqlQuery"]
        columns = _declared_columns(table["CustomSql"].get("Columns", []))
        return SourceTable(identity, table["CustomSql"]["DataSourceArn"], sql, columns)
    if set(table) == {"RelationalTable"}:
        relation = table["RelationalTable"]
        columns = _declared_columns(relation["InputColumns"])
        return SourceTable(identity, relation["DataSourceArn"], _select(relation, columns), columns)
    raise InvalidParameter(
        f"PhysicalTableMap.{identity}: the local AWS offers CustomSql and RelationalTable, got {sorted(table)}"
    )


def output_columns(data_set: Mapping[str, Any], table: SourceTable) -> list[dict[str, Any]]:
    """The data set's columns as Describe says them in `OutputColumns`.

    Raises:
        InvalidParameter: a transform names a column that is not there, or is none that the local AWS offers.
    """
    columns = {name: {"Name": name, "Type": kind} for name, kind in table.columns.items()}
    logical = data_set.get("LogicalTableMap", {})
    if len(logical) > 1:
        raise InvalidParameter(f"LogicalTableMap: the local AWS offers one table a data set, got {len(logical)}")
    for identity, definition in logical.items():
        where = f"LogicalTableMap.{identity}"
        if definition["Source"] != {"PhysicalTableId": table.identity}:
            raise InvalidParameter(
                f"{where}.Source: the local AWS offers PhysicalTableId {table.identity}, not {definition['Source']}"
            )
        for transform in definition.get("DataTransforms", []):
            columns = _transformed(columns, transform, where)
    return list(columns.values())


def _declared_columns(given: list[dict[str, Any]]) -> dict[str, str]:
    if not given:
        raise InvalidParameter("PhysicalTableMap: a table without columns")
    columns: dict[str, str] = {}
    for column in given:
        if column["Name"] in columns:
            raise InvalidParameter(f"PhysicalTableMap: column {column['Name']} is declared twice")
        if column["Type"] not in COLUMN_TYPES:
            raise InvalidParameter(
                f"PhysicalTableMap: column {column['Name']}: the local AWS offers {', '.join(COLUMN_TYPES)},"
                f" not {column['Type']}; cast it in the SQL"
            )
        columns[column["Name"]] = column["Type"]
    return columns


def _select(relation: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    if relation.get("Catalog", _CATALOG) != _CATALOG or "Schema" not in relation:
        raise InvalidParameter(f"RelationalTable: a Schema in Catalog {_CATALOG} is needed")
    names = ", ".join(_quoted(name) for name in columns)
    return f"SELECT {names} FROM {_quoted(relation['Schema'])}.{_quoted(relation['Name'])}"


def _transformed(
    columns: dict[str, dict[str, Any]], transform: Mapping[str, Any], where: str
) -> dict[str, dict[str, Any]]:
    (kind,) = transform
    if kind not in _TRANSFORMS:
        raise InvalidParameter(f"{where}: the local AWS offers {', '.join(_TRANSFORMS)}, not {kind}")
    operation = transform[kind]
    named = operation["ProjectedColumns"] if kind == "ProjectOperation" else [operation["ColumnName"]]
    missing = [name for name in named if name not in columns]
    if missing:
        raise InvalidParameter(f"{where}: {kind} names columns that are not there: {', '.join(missing)}")
    if kind == "ProjectOperation":
        return {name: columns[name] for name in named}
    (name,) = named
    changed = dict(columns[name])
    if kind == "RenameColumnOperation":
        changed["Name"] = operation["NewColumnName"]
    elif kind == "CastColumnTypeOperation":
        changed["Type"] = operation["NewColumnType"]
    else:
        descriptions = [tag["ColumnDescription"]["Text"] for tag in operation["Tags"] if "ColumnDescription" in tag]
        if descriptions:
            changed["Description"] = descriptions[-1]
    return {column["Name"]: column for column in (changed if key == name else c for key, c in columns.items())}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
