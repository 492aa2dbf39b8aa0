"""Definitions of analyses and dashboards: refused at once, or kept with the errors that QuickSight finds later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.emulator.quicksight.data_set_parameters import declared_parameters
from local.emulator.quicksight.data_sets import DataSets
from local.emulator.quicksight.definition_checks import DataSetSchema, ParameterSchema, check_definition
from local.emulator.quicksight.errors import InvalidParameter
from local.emulator.quicksight.resources import refuse
from local.emulator.quicksight.themes import Themes

_NOT_OFFERED = ("SourceEntity", "Parameters", "FolderArns")
_MOST_ENTITIES = 200


@dataclass(frozen=True)
class CheckedDefinition:
    """A definition, and what Describe says about it."""

    definition: Mapping[str, Any]
    errors: list[dict[str, Any]]
    data_set_arns: list[str]
    sheets: list[dict[str, Any]]

    def described(self, verb: str) -> dict[str, Any]:
        """`Status`, and the members that follow from the definition; `verb` is CREATION or UPDATE."""
        members = {"DataSetArns": self.data_set_arns, "Sheets": self.sheets}
        if self.errors:
            return {**members, "Status": f"{verb}_FAILED", "Errors": self.errors}
        return {**members, "Status": f"{verb}_SUCCESSFUL"}


class Definitions:
    """Checks definitions against the data sets and themes that there are."""

    def __init__(self, *, data_sets: DataSets, themes: Themes) -> None:
        self._data_sets = data_sets
        self._themes = themes

    def checked(self, request: Mapping[str, Any]) -> CheckedDefinition:
        """The definition of a Create or Update request.

        Raises:
            InvalidParameter: there is none, or it uses something that the local AWS does not offer.
            NotFound: the theme does not exist.
        """
        refuse(request, *_NOT_OFFERED)
        if request.get("ValidationStrategy", {"Mode": "STRICT"})["Mode"] != "STRICT":
            raise InvalidParameter("ValidationStrategy: the local AWS offers STRICT")
        if "Definition" not in request:
            raise InvalidParameter("Definition is required; the local AWS has no templates")
        if "ThemeArn" in request:
            self._themes.check_arn(request["ThemeArn"])
        definition = request["Definition"]
        refuse(definition, "TopicIdentifierDeclarations", "TooltipSheets", "StaticFiles")
        arns = [declared["DataSetArn"] for declared in definition["DataSetIdentifierDeclarations"]]
        found = check_definition(definition, {arn: schema for arn in arns if (schema := self._schema(arn))})
        errors = [
            {"Type": error.type, "Message": error.message, "ViolatedEntities": [{"Path": error.path}]}
            for error in found[:_MOST_ENTITIES]
        ]
        sheets = [
            {"SheetId": sheet["SheetId"], **({"Name": sheet["Name"]} if "Name" in sheet else {})}
            for sheet in definition.get("Sheets", [])
        ]
        return CheckedDefinition(definition, errors, list(dict.fromkeys(arns)), sheets)

    def _schema(self, arn: str) -> DataSetSchema | None:
        data_set = self._data_sets.find(arn)
        return None if data_set is None else data_set_schema(data_set)


def data_set_schema(data_set: Mapping[str, Any]) -> DataSetSchema:
    """What a definition can name of a data set, from what DescribeDataSet says."""
    return DataSetSchema(
        columns={column["Name"]: column["Type"] for column in data_set["OutputColumns"]},
        parameters={
            name: ParameterSchema(parameter.kind, parameter.multi_valued)
            for name, parameter in declared_parameters(data_set).items()
        },
    )
