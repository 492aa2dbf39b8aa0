"""A dashboard definition with one of everything that can refer to something, and the data set behind it."""

from typing import Any

SCORES_ARN = "arn:aws:quicksight:us-east-1:000000000000:dataset/scores"
COLUMNS = {"run_id": "STRING", "metric": "STRING", "score": "DECIMAL", "records": "INTEGER", "started_at": "DATETIME"}


def column(name: str, data_set: str = "scores") -> dict[str, str]:
    return {"DataSetIdentifier": data_set, "ColumnName": name}


def table_visual(identity: str, name: str = "metric") -> dict[str, Any]:
    """A table that groups by one text column and shows the mean of `score`."""
    wells = {
        "GroupBy": [{"CategoricalDimensionField": {"FieldId": f"{identity}-group", "Column": column(name)}}],
        "Values": [
            {
                "NumericalMeasureField": {
                    "FieldId": f"{identity}-value",
                    "Column": column("score"),
                    "AggregationFunction": {"SimpleNumericalAggregation": "AVERAGE"},
                }
            }
        ],
    }
    return {
        "TableVisual": {
            "VisualId": identity,
            "ChartConfiguration": {"FieldWells": {"TableAggregatedFieldWells": wells}},
            "Actions": [
                {
                    "CustomActionId": f"{identity}-choose",
                    "Name": "choose",
                    "Trigger": "DATA_POINT_CLICK",
                    "ActionOperations": [
                        {
                            "FilterOperation": {
                                "SelectedFieldsConfiguration": {"SelectedFieldOptions": "ALL_FIELDS"},
                                "TargetVisualsConfiguration": {
                                    "SameSheetTargetVisualConfiguration": {"TargetVisuals": [identity]}
                                },
                            }
                        }
                    ],
                }
            ],
        }
    }


def placed(kind: str, identity: str, row: int) -> dict[str, Any]:
    """An element of a grid layout, as wide as the sheet."""
    return {
        "ElementId": identity,
        "ElementType": kind,
        "ColumnIndex": 0,
        "ColumnSpan": 36,
        "RowIndex": row,
        "RowSpan": 8,
    }


def sheet(identity: str = "overview", visual: str = "means") -> dict[str, Any]:
    return {
        "SheetId": identity,
        "Name": identity.title(),
        "Visuals": [table_visual(visual)],
        "TextBoxes": [{"SheetTextBoxId": f"{identity}-text", "Content": "<text-box>How good is it?</text-box>"}],
        "ParameterControls": [
            {
                "Dropdown": {
                    "ParameterControlId": f"{identity}-run",
                    "Title": "Run",
                    "SourceParameterName": "Run",
                    "SelectableValues": {"LinkToDataSetColumn": column("run_id")},
                }
            }
        ],
        "FilterControls": [
            {"Dropdown": {"FilterControlId": f"{identity}-metric", "Title": "Metric", "SourceFilterId": "metric"}}
        ],
        "Layouts": [
            {
                "Configuration": {
                    "GridLayout": {
                        "Elements": [
                            placed("TEXT_BOX", f"{identity}-text", 0),
                            placed("PARAMETER_CONTROL", f"{identity}-run", 8),
                            placed("FILTER_CONTROL", f"{identity}-metric", 16),
                            placed("VISUAL", visual, 24),
                        ]
                    }
                }
            }
        ],
    }


def definition(data_set: str = SCORES_ARN) -> dict[str, Any]:
    """A definition that QuickSight takes, over the columns above."""
    return {
        "DataSetIdentifierDeclarations": [{"Identifier": "scores", "DataSetArn": data_set}],
        "Sheets": [sheet()],
        "CalculatedFields": [
            {
                "DataSetIdentifier": "scores",
                "Name": "chosen",
                "Expression": "ifelse({run_id} = ${Run}, {score}, 0) /* '{not a column}' */",
            }
        ],
        "ParameterDeclarations": [
            {
                "StringParameterDeclaration": {
                    "Name": "Run",
                    "ParameterValueType": "SINGLE_VALUED",
                    "DefaultValues": {"StaticValues": ["r1"]},
                    "MappedDataSetParameters": [{"DataSetIdentifier": "scores", "DataSetParameterName": "run"}],
                }
            },
            {"DecimalParameterDeclaration": {"Name": "Lowest", "ParameterValueType": "SINGLE_VALUED"}},
        ],
        "FilterGroups": [
            {
                "FilterGroupId": "chosen",
                "CrossDataset": "SINGLE_DATASET",
                "ScopeConfiguration": {
                    "SelectedSheets": {
                        "SheetVisualScopingConfigurations": [
                            {"SheetId": "overview", "Scope": "SELECTED_VISUALS", "VisualIds": ["means"]}
                        ]
                    }
                },
                "Filters": [
                    {
                        "CategoryFilter": {
                            "FilterId": "metric",
                            "Column": column("metric"),
                            "Configuration": {"FilterListConfiguration": {"MatchOperator": "CONTAINS"}},
                        }
                    },
                    {
                        "NumericRangeFilter": {
                            "FilterId": "score",
                            "Column": column("score"),
                            "RangeMinimum": {"Parameter": "Lowest"},
                            "NullOption": "NON_NULLS_ONLY",
                        }
                    },
                ],
            }
        ],
        "ColumnConfigurations": [{"Column": column("score"), "Role": "MEASURE"}],
    }
