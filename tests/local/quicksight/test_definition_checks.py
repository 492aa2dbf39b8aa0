"""Each check of a definition: it passes on the good one, and fails by name on one that is changed in one place."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.emulator.quicksight.definition_checks import DataSetSchema, ParameterSchema, check_definition
from local.emulator.quicksight.definition_layout import MOST_SHEETS, MOST_VISUALS
from tests.local.quicksight.definitions import COLUMNS, SCORES_ARN, column, definition, placed, sheet, table_visual

SCORES = DataSetSchema(COLUMNS, {"run": ParameterSchema("String", multi_valued=False)})
Change = Callable[[dict[str, Any]], object]


def errors_of(changed: dict[str, Any], schema: DataSetSchema = SCORES) -> list[tuple[str, str]]:
    return [(error.type, error.message) for error in check_definition(changed, {SCORES_ARN: schema})]


def overview(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = given["Sheets"][0]
    return found


def means(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = overview(given)["Visuals"][0]["TableVisual"]
    return found


def wells(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = means(given)["ChartConfiguration"]["FieldWells"]["TableAggregatedFieldWells"]
    return found


def elements(given: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = overview(given)["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
    return found


def scope(given: dict[str, Any]) -> dict[str, Any]:
    selected = given["FilterGroups"][0]["ScopeConfiguration"]["SelectedSheets"]
    found: dict[str, Any] = selected["SheetVisualScopingConfigurations"][0]
    return found


def run_parameter(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = given["ParameterDeclarations"][0]["StringParameterDeclaration"]
    return found


def action_target(given: dict[str, Any]) -> dict[str, Any]:
    operation = means(given)["Actions"][0]["ActionOperations"][0]["FilterOperation"]
    found: dict[str, Any] = operation["TargetVisualsConfiguration"]["SameSheetTargetVisualConfiguration"]
    return found


def test_a_good_definition_has_no_errors() -> None:
    assert errors_of(definition()) == []


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            lambda d: wells(d)["GroupBy"][0]["CategoricalDimensionField"].update(Column=column("metrik")),
            "COLUMN_REPLACEMENT_MISSING",
            "sheet 'overview', visual 'means': Required column 'metrik' is missing in data set 'scores'"
            f" ({SCORES_ARN}); it has run_id, metric, score, records, started_at",
        ),
        (
            lambda d: d["FilterGroups"][0]["Filters"][0]["CategoryFilter"].update(Column=column("metrik")),
            "COLUMN_REPLACEMENT_MISSING",
            "filter group 'chosen': Required column 'metrik'",
        ),
        (
            lambda d: overview(d)["ParameterControls"][0]["Dropdown"]["SelectableValues"].update(
                LinkToDataSetColumn=column("run")
            ),
            "COLUMN_REPLACEMENT_MISSING",
            "sheet 'overview': Required column 'run'",
        ),
        (
            lambda d: d["ColumnConfigurations"][0].update(Column=column("scor")),
            "COLUMN_REPLACEMENT_MISSING",
            "column configuration '0': Required column 'scor'",
        ),
        (
            lambda d: d["CalculatedFields"][0].update(Expression="{scor} * 2"),
            "COLUMN_REPLACEMENT_MISSING",
            "calculated field 'chosen': Required column 'scor'",
        ),
        (
            lambda d: wells(d)["Values"][0]["NumericalMeasureField"].update(Column=column("metric")),
            "COLUMN_TYPE_MISMATCH",
            "visual 'means': NumericalMeasureField needs a column of type INTEGER or DECIMAL; 'metric' is STRING",
        ),
        (
            lambda d: d["FilterGroups"][0]["Filters"][0]["CategoryFilter"].update(Column=column("score")),
            "COLUMN_TYPE_MISMATCH",
            "CategoryFilter needs a column of type STRING; 'score' is DECIMAL",
        ),
        (
            lambda d: wells(d)["GroupBy"].append(
                {"DateDimensionField": {"FieldId": "when", "Column": column("metric")}}
            ),
            "COLUMN_TYPE_MISMATCH",
            "DateDimensionField needs a column of type DATETIME",
        ),
        (
            lambda d: d["DataSetIdentifierDeclarations"].append(
                {"Identifier": "gone", "DataSetArn": SCORES_ARN + "-gone"}
            ),
            "DATA_SET_NOT_FOUND",
            f"data set 'gone': {SCORES_ARN}-gone does not exist",
        ),
        (
            lambda d: wells(d)["GroupBy"][0]["CategoricalDimensionField"].update(Column=column("metric", "runs")),
            "DATA_SET_NOT_FOUND",
            "sheet 'overview', visual 'means': data set 'runs' is not declared",
        ),
        (
            lambda d: d["CalculatedFields"][0].update(DataSetIdentifier="runs"),
            "DATA_SET_NOT_FOUND",
            "calculated field 'chosen': data set 'runs' is not declared",
        ),
        (
            lambda d: overview(d)["ParameterControls"][0]["Dropdown"].update(SourceParameterName="Runs"),
            "PARAMETER_NOT_FOUND",
            "sheet 'overview': parameter 'Runs' is not declared",
        ),
        (
            lambda d: d["FilterGroups"][0]["Filters"][1]["NumericRangeFilter"].update(
                RangeMinimum={"Parameter": "Low"}
            ),
            "PARAMETER_NOT_FOUND",
            "filter group 'chosen': parameter 'Low' is not declared",
        ),
        (
            lambda d: d["CalculatedFields"][0].update(Expression="ifelse({run_id} = ${Ran}, 1, 0)"),
            "PARAMETER_NOT_FOUND",
            "calculated field 'chosen': parameter 'Ran' is not declared",
        ),
        (
            lambda d: run_parameter(d)["MappedDataSetParameters"][0].update(DataSetParameterName="ran"),
            "PARAMETER_NOT_FOUND",
            "parameter 'Run': parameter 'ran' of data set 'scores' does not exist",
        ),
        (
            lambda d: run_parameter(d)["MappedDataSetParameters"][0].update(DataSetIdentifier="runs"),
            "DATA_SET_NOT_FOUND",
            "parameter 'Run': data set 'runs' is not declared",
        ),
        (
            lambda d: run_parameter(d).update(ParameterValueType="MULTI_VALUED"),
            "PARAMETER_TYPE_INVALID",
            "parameter 'run' of data set 'scores' is a single-valued String, this one a multi-valued String",
        ),
        (
            lambda d: elements(d).append(placed("VISUAL", "nothing", 32)),
            "SOURCE_NOT_FOUND",
            "sheet 'overview': the layout places visual 'nothing', which does not exist",
        ),
        (
            lambda d: elements(d).append(placed("PARAMETER_CONTROL", "means", 32)),
            "SOURCE_NOT_FOUND",
            "the layout places parameter control 'means', which does not exist",
        ),
        (
            lambda d: elements(d).pop(),
            "SOURCE_NOT_FOUND",
            "sheet 'overview', visual 'means': it is in no layout of its sheet",
        ),
        (
            lambda d: elements(d).append(placed("VISUAL", "means", 32)),
            "INTERNAL_FAILURE",
            "sheet 'overview': the layout places 'means' 2 times",
        ),
        (lambda d: scope(d).update(SheetId="other"), "SOURCE_NOT_FOUND", "filter group 'chosen': sheet 'other'"),
        (
            lambda d: scope(d)["VisualIds"].append("other"),
            "SOURCE_NOT_FOUND",
            "filter group 'chosen': visual 'other' does not exist",
        ),
        (
            lambda d: overview(d)["FilterControls"][0]["Dropdown"].update(SourceFilterId="other"),
            "SOURCE_NOT_FOUND",
            "sheet 'overview': filter 'other' does not exist",
        ),
        (
            lambda d: action_target(d).update(TargetVisuals=["other"]),
            "SOURCE_NOT_FOUND",
            "visual 'means': visual 'other' does not exist",
        ),
        (
            lambda d: d["Sheets"].extend(sheet(f"s{n}", f"v{n}") for n in range(MOST_SHEETS)),
            "INTERNAL_FAILURE",
            f"the definition has {MOST_SHEETS + 1} Sheets, at most {MOST_SHEETS} are allowed",
        ),
        (
            lambda d: d["CalculatedFields"].extend(
                {"DataSetIdentifier": "scores", "Name": f"f{n}", "Expression": "1"} for n in range(2000)
            ),
            "INTERNAL_FAILURE",
            "the definition has 2001 CalculatedFields, at most 2000 are allowed",
        ),
        (
            lambda d: d["Sheets"].append({"SheetId": "overview"}),
            "INTERNAL_FAILURE",
            "sheet 'overview' is defined 2 times",
        ),
        (
            lambda d: d["Sheets"].append(sheet("second", "means")),
            "INTERNAL_FAILURE",
            "visual 'means' is defined 2 times",
        ),
        (
            lambda d: d["CalculatedFields"].append(copy.deepcopy(d["CalculatedFields"][0])),
            "INTERNAL_FAILURE",
            "calculated field 'chosen of scores' is defined 2 times",
        ),
        (
            lambda d: overview(d)["Visuals"][0].update(EmptyVisual={"VisualId": "e", "DataSetIdentifier": "scores"}),
            "INTERNAL_FAILURE",
            "Sheets[0].Visuals[0]: exactly one kind is expected, got TableVisual, EmptyVisual",
        ),
    ],
)
def test_what_is_wrong_is_named(change: Change, kind: str, message: str) -> None:
    changed = definition()
    change(changed)

    (error,) = errors_of(changed)

    assert error[0] == kind
    assert message in error[1]


def test_more_visuals_on_a_sheet_than_are_allowed() -> None:
    changed = definition()
    many = [table_visual(f"v{n}") for n in range(MOST_VISUALS)]
    overview(changed)["Visuals"] += many
    elements(changed).extend(placed("VISUAL", f"v{n}", 8) for n in range(MOST_VISUALS))

    (error,) = errors_of(changed)

    assert f"sheet 'overview' has {MOST_VISUALS + 1} Visuals" in error[1]


def test_a_calculated_field_is_a_column() -> None:
    changed = definition()
    wells(changed)["Values"][0]["NumericalMeasureField"]["Column"] = column("chosen")
    assert errors_of(changed) == []


def test_a_visual_acts_on_visuals_of_its_own_sheet_only() -> None:
    changed = definition()
    changed["Sheets"].append(sheet("second", "others"))
    action_target(changed)["TargetVisuals"] = ["others"]

    (error,) = errors_of(changed)

    assert error[1] == "sheet 'overview', visual 'means': visual 'others' does not exist"


def test_a_data_set_that_does_not_exist_is_told_once() -> None:
    found = check_definition(definition(), {})
    assert [error.type for error in found] == ["DATA_SET_NOT_FOUND"]


def test_a_sheet_without_layout_is_laid_out_by_quicksight() -> None:
    changed = definition()
    del overview(changed)["Layouts"]
    assert errors_of(changed) == []


def test_an_error_leads_to_its_place() -> None:
    changed = definition()
    wells(changed)["GroupBy"][0]["CategoricalDimensionField"]["Column"] = column("metrik")

    (error,) = check_definition(changed, {SCORES_ARN: SCORES})

    assert error.path == (
        "Sheets[0].Visuals[0].TableVisual.ChartConfiguration.FieldWells.TableAggregatedFieldWells"
        ".GroupBy[0].CategoricalDimensionField.Column"
    )
