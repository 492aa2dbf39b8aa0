"""What QuickSight finds wrong with the definition of an analysis or a dashboard. Pure: no AWS.

    check_definition(definition, {arn: DataSetSchema(columns={"score": "DECIMAL"})}) -> [DefinitionError, ...]

`definition` is in the API's form, as CreateDashboard takes it and DescribeDashboardDefinition gives it. Error types are
those of QuickSight's `DashboardErrorType`. It has none for a sheet, visual, filter or control that is named and not
there (SOURCE_NOT_FOUND here), nor for ids that are taken twice and for limits (INTERNAL_FAILURE here).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.emulator.quicksight.definition_layout import control_ids, structure_errors
from local.emulator.quicksight.definition_parts import (
    ELEMENT_NOT_FOUND,
    DefinitionError,
    Part,
    filters,
    malformed,
    nodes,
    only_member,
    parts,
    sheets,
    visuals,
)

DATA_SET_NOT_FOUND = "DATA_SET_NOT_FOUND"
COLUMN_MISSING = "COLUMN_REPLACEMENT_MISSING"
COLUMN_TYPE_MISMATCH = "COLUMN_TYPE_MISMATCH"
PARAMETER_NOT_FOUND = "PARAMETER_NOT_FOUND"
PARAMETER_TYPE_INVALID = "PARAMETER_TYPE_INVALID"
# Members that hold the name of a parameter of the definition, wherever they stand.
_PARAMETER_MEMBERS = ("ParameterName", "SourceParameterName", "DestinationParameterName", "Parameter")
_NUMBERS, _DATES, _TEXTS = ("INTEGER", "DECIMAL"), ("DATETIME",), ("STRING",)
# Members whose `Column` must be of one of these types. Calculated fields have no declared type and are let pass.
_NEEDED_TYPES = {
    "NumericalDimensionField": _NUMBERS,
    "NumericalMeasureField": _NUMBERS,
    "NumericEqualityFilter": _NUMBERS,
    "NumericRangeFilter": _NUMBERS,
    "DateDimensionField": _DATES,
    "DateMeasureField": _DATES,
    "TimeEqualityFilter": _DATES,
    "TimeRangeFilter": _DATES,
    "RelativeDatesFilter": _DATES,
    "CategoryFilter": _TEXTS,
}
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_COLUMN = re.compile(r"(?<!\$)\{([^{}]+)\}")
_PARAMETER = re.compile(r"\$\{([^{}]+)\}")


@dataclass(frozen=True)
class ParameterSchema:
    """A parameter: `kind` is `String`, `Integer`, `Decimal` or `DateTime`."""

    kind: str
    multi_valued: bool

    def __str__(self) -> str:
        return f"{'multi' if self.multi_valued else 'single'}-valued {self.kind}"


@dataclass(frozen=True)
class DataSetSchema:
    """What a definition can name of a data set: columns, name -> STRING, INTEGER, DECIMAL or DATETIME; parameters."""

    columns: Mapping[str, str]
    parameters: Mapping[str, ParameterSchema] = field(default_factory=dict)


def check_definition(definition: Mapping[str, Any], data_sets: Mapping[str, DataSetSchema]) -> list[DefinitionError]:
    """Everything that is wrong; an empty list for a definition that QuickSight would take.

    `data_sets` are those that exist, by ARN; others may be among them.
    """
    errors = list(malformed(definition))
    if errors:
        return errors
    names = _Names(definition, data_sets)
    errors = [*names.missing_data_sets, *structure_errors(definition)]
    for part in parts(definition):
        for path, node in nodes(part.content, part.path):
            errors += _column_errors(part, path, node, names)
            errors += _type_errors(part, path, node, names)
            errors += _parameter_errors(part, path, node, names)
            errors += _element_errors(part, path, node, names)
    return errors


class _Names:
    """What a definition declares, for its pieces to refer to."""

    def __init__(self, definition: Mapping[str, Any], data_sets: Mapping[str, DataSetSchema]) -> None:
        declared = definition["DataSetIdentifierDeclarations"]
        self.arns = {given["Identifier"]: given["DataSetArn"] for given in declared}
        # Only of data sets that exist.
        self.schemas = {name: data_sets[arn] for name, arn in self.arns.items() if arn in data_sets}
        self.missing_data_sets = [
            DefinitionError(
                DATA_SET_NOT_FOUND,
                f"data set '{given['Identifier']}': {given['DataSetArn']} does not exist",
                f"DataSetIdentifierDeclarations[{index}]",
            )
            for index, given in enumerate(declared)
            if given["DataSetArn"] not in data_sets
        ]
        self.calculated = {(c["DataSetIdentifier"], c["Name"]) for c in definition.get("CalculatedFields", [])}
        self.parameters: dict[str, ParameterSchema] = {}
        for declaration in definition.get("ParameterDeclarations", []):
            kind, content = only_member(declaration)
            # A date has one value, and no ParameterValueType that says so.
            multi_valued = content.get("ParameterValueType") == "MULTI_VALUED"
            self.parameters[content["Name"]] = ParameterSchema(kind.removesuffix("ParameterDeclaration"), multi_valued)
        self.filters = {given["FilterId"] for given in filters(definition)}
        # By sheet; two sheets with one id are told elsewhere.
        self.visuals: dict[str | None, set[str]] = {}
        self.controls: dict[str | None, set[str]] = {}
        for sheet in sheets(definition):
            self.visuals.setdefault(sheet.sheet, set()).update(v.content["VisualId"] for v in visuals(sheet))
            self.controls.setdefault(sheet.sheet, set()).update(control_ids(sheet.content))

    def has_column(self, identifier: str, column: str) -> bool:
        return column in self.schemas[identifier].columns or (identifier, column) in self.calculated


def _column_errors(part: Part, path: str, node: Mapping[str, Any], names: _Names) -> Iterator[DefinitionError]:
    identifier = node.get("DataSetIdentifier")
    if identifier is None:
        return
    if identifier not in names.arns:
        yield part.error(DATA_SET_NOT_FOUND, f"data set '{identifier}' is not declared", path)
        return
    if identifier not in names.schemas:
        return  # That it does not exist is said once, where it is declared.
    named = [node["ColumnName"]] if "ColumnName" in node else []
    named += _COLUMN.findall(_QUOTED.sub("", node.get("Expression", "")))
    for column in named:
        if not names.has_column(identifier, column):
            known = ", ".join(names.schemas[identifier].columns)
            yield part.error(
                COLUMN_MISSING,
                f"Required column '{column}' is missing in data set '{identifier}' ({names.arns[identifier]});"
                f" it has {known}",
                path,
            )


def _type_errors(part: Part, path: str, node: Mapping[str, Any], names: _Names) -> Iterator[DefinitionError]:
    for member, types in _NEEDED_TYPES.items():
        content = node.get(member)
        column = content.get("Column", {}) if isinstance(content, Mapping) else {}
        schema = names.schemas.get(column.get("DataSetIdentifier", ""))
        actual = None if schema is None else schema.columns.get(column["ColumnName"])
        if actual is not None and actual not in types:
            message = f"{member} needs a column of type {' or '.join(types)}; '{column['ColumnName']}' is {actual}"
            yield part.error(COLUMN_TYPE_MISMATCH, message, f"{path}.{member}.Column")


def _parameter_errors(part: Part, path: str, node: Mapping[str, Any], names: _Names) -> Iterator[DefinitionError]:
    named = [node[member] for member in _PARAMETER_MEMBERS if isinstance(node.get(member), str)]
    named += _PARAMETER.findall(node.get("Expression", ""))
    for name in named:
        if name not in names.parameters:
            yield part.error(PARAMETER_NOT_FOUND, f"parameter '{name}' is not declared", path)
    for index, mapped in enumerate(node.get("MappedDataSetParameters", [])):
        schema = names.schemas.get(mapped["DataSetIdentifier"])
        if schema is None:
            continue  # `_column_errors` has said so.
        where = f"parameter '{mapped['DataSetParameterName']}' of data set '{mapped['DataSetIdentifier']}'"
        theirs, ours = schema.parameters.get(mapped["DataSetParameterName"]), names.parameters[node["Name"]]
        place = f"{path}.MappedDataSetParameters[{index}]"
        if theirs is None:
            yield part.error(PARAMETER_NOT_FOUND, f"{where} does not exist", place)
        elif theirs != ours:
            yield part.error(PARAMETER_TYPE_INVALID, f"{where} is a {theirs}, this one a {ours}", place)


def _element_errors(part: Part, path: str, node: Mapping[str, Any], names: _Names) -> Iterator[DefinitionError]:
    """Filters, sheets, visuals and controls that something names."""
    for member, known, word in (
        ("SourceFilterId", names.filters, "filter"),
        ("TargetSheetId", names.visuals, "sheet"),
        ("SourceSheetControlId", names.controls.get(part.sheet, set()), "control"),
    ):
        if member in node and node[member] not in known:
            yield part.error(ELEMENT_NOT_FOUND, f"{word} '{node[member]}' does not exist", path)
    for index, scope in enumerate(node.get("SheetVisualScopingConfigurations", [])):
        where = f"{path}.SheetVisualScopingConfigurations[{index}]"
        if scope["SheetId"] not in names.visuals:
            yield part.error(ELEMENT_NOT_FOUND, f"sheet '{scope['SheetId']}' does not exist", where)
        else:
            yield from _missing_visuals(part, where, scope.get("VisualIds", []), names.visuals[scope["SheetId"]])
    yield from _missing_visuals(part, path, node.get("TargetVisuals", []), names.visuals.get(part.sheet, set()))


def _missing_visuals(part: Part, path: str, wanted: Iterable[str], known: Iterable[str]) -> Iterator[DefinitionError]:
    for visual in wanted:
        if visual not in known:
            yield part.error(ELEMENT_NOT_FOUND, f"visual '{visual}' does not exist", path)
