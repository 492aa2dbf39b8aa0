"""The dashboard in QuickSight's own words: the `Definition` that an analysis and a dashboard share.

Names and nesting are those of QuickSight's API (`AnalysisDefinition` of CreateAnalysis), which CloudFormation takes
unchanged. Ids are made of the description's own names, so the same description gives the same definition.
"""

from collections.abc import Mapping

from stacks.dashboard.filters import filter_groups
from stacks.dashboard.parts import Choice, Control, Dashboard, Parameter, Range, Search, Sheet
from stacks.dashboard.references import Json, column_reference, dashed, range_id, tick_id
from stacks.dashboard.visuals import visual_definition

_CANVAS = {"ScreenCanvasSizeOptions": {"ResizeOption": "FIXED", "OptimizedViewPortWidth": "1600px"}}


def definition(dashboard: Dashboard, data_set_arns: Mapping[str, str]) -> Json:
    """`data_set_arns`: data set -> its ARN, a string or what stands for one at synth."""
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": data_set.name, "DataSetArn": data_set_arns[data_set.name]}
            for data_set in dashboard.data_sets
        ],
        "ParameterDeclarations": [_parameter(dashboard, parameter) for parameter in dashboard.parameters],
        "FilterGroups": filter_groups(dashboard),
        "Sheets": [_sheet(dashboard, sheet) for sheet in dashboard.sheets],
    }


def _parameter(dashboard: Dashboard, parameter: Parameter) -> Json:
    return {
        "StringParameterDeclaration": {
            "ParameterValueType": "SINGLE_VALUED",
            "Name": parameter.name,
            "DefaultValues": {"StaticValues": [parameter.default]},
            "MappedDataSetParameters": [
                {"DataSetIdentifier": data_set.name, "DataSetParameterName": parameter.name}
                for data_set in dashboard.data_sets
                if parameter.name in data_set.parameters
            ],
        }
    }


def _sheet(dashboard: Dashboard, sheet: Sheet) -> Json:
    controls = [
        *(control for control in dashboard.controls if _about(control) not in sheet.without),
        *sheet.controls,
    ]
    return {
        "SheetId": sheet.id,
        "Name": sheet.title,
        "Title": sheet.title,
        "Description": sheet.description,
        "ContentType": "INTERACTIVE",
        "ParameterControls": [
            _parameter_control(sheet, control) for control in controls if not isinstance(control, Range)
        ],
        "FilterControls": [
            *(
                {"CrossSheet": {"FilterControlId": f"{sheet.id}-{tick.column}", "SourceFilterId": tick_id(tick)}}
                for tick in dashboard.ticks
                if tick.column not in sheet.without
            ),
            *(_slider(sheet, control) for control in controls if isinstance(control, Range)),
        ],
        "Visuals": [visual_definition(dashboard, visual) for visual in sheet.visuals],
        "Layouts": [{"Configuration": {"GridLayout": {"CanvasSizeOptions": _CANVAS, "Elements": _elements(sheet)}}}],
    }


def _about(control: Control) -> str:
    """What a control changes: its parameter, or the column that it narrows."""
    return control.column if isinstance(control, Range) else control.parameter


def _elements(sheet: Sheet) -> list[Json]:
    elements = []
    top = 0
    for row in sheet.rows:
        left = 0
        for tile in row.tiles:
            elements.append(
                {
                    "ElementId": tile.visual.id,
                    "ElementType": "VISUAL",
                    "ColumnIndex": left,
                    "ColumnSpan": tile.width,
                    "RowIndex": top,
                    "RowSpan": row.height,
                }
            )
            left += tile.width
        top += row.height
    return elements


def _control_id(sheet: Sheet, parameter: str) -> str:
    return f"{sheet.id}-{parameter}"


def _parameter_control(sheet: Sheet, control: Control) -> Json:
    if isinstance(control, Search):
        return {
            "TextField": {
                "ParameterControlId": _control_id(sheet, control.parameter),
                "Title": control.title,
                "SourceParameterName": control.parameter,
            }
        }
    assert isinstance(control, Choice)
    if control.column is not None:
        values: Json = {"LinkToDataSetColumn": column_reference(*control.column)}
    else:
        values = {"Values": list(control.values)}
    dropdown: Json = {
        "ParameterControlId": _control_id(sheet, control.parameter),
        "Title": control.title,
        "SourceParameterName": control.parameter,
        "Type": "SINGLE_SELECT",
        "SelectableValues": values,
    }
    if control.narrowed_by is not None and control.column is not None:
        parameter, column = control.narrowed_by
        dropdown["CascadingControlConfiguration"] = {
            "SourceControls": [
                {
                    "SourceSheetControlId": _control_id(sheet, parameter),
                    "ColumnToMatch": column_reference(control.column[0], column),
                }
            ]
        }
    return {"Dropdown": dropdown}


def _slider(sheet: Sheet, control: Range) -> Json:
    return {
        "Slider": {
            "FilterControlId": f"{sheet.id}-{dashed(control.column)}",
            "Title": control.title,
            "SourceFilterId": range_id(control),
            "Type": "RANGE",
            "MinimumValue": control.low,
            "MaximumValue": control.high,
            "StepSize": control.step,
        }
    }
