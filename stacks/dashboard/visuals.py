"""Each kind of visual in QuickSight's words."""

from stacks.dashboard.fields import (
    axis_label,
    category_sort,
    cell_field,
    dimension_field,
    field_sort,
    measure_field,
    number_format,
    palette,
)
from stacks.dashboard.parts import Dashboard, DataSet
from stacks.dashboard.references import HIDDEN, SHOWN, Json, column_reference, field_id
from stacks.dashboard.visual_kinds import AnyVisual, Bars, BarsAndLines, Boxes, Cell, Kpi, Lines, Order, Points, Rows

# What a line runs through, without the line.
_MARKS_ALONE: Json = {
    "LineStyleSettings": {"LineVisibility": "HIDDEN"},
    "MarkerStyleSettings": {"MarkerVisibility": "VISIBLE", "MarkerShape": "SQUARE"},
}


def visual_definition(dashboard: Dashboard, visual: AnyVisual) -> Json:
    """A visual with its title, help, fields, sorting and colours."""
    data_set = dashboard.data_set(visual.data_set)
    match visual:
        case Kpi():
            kind, configuration = "KPIVisual", _kpi(visual, data_set)
        case Bars():
            kind, configuration = "BarChartVisual", _bars(dashboard, visual, data_set)
        case BarsAndLines():
            kind, configuration = "ComboChartVisual", _bars_and_lines(dashboard, visual, data_set)
        case Lines():
            kind, configuration = "LineChartVisual", _lines(dashboard, visual, data_set)
        case Points():
            kind, configuration = "ScatterPlotVisual", _points(dashboard, visual, data_set)
        case Boxes():
            kind, configuration = "BoxPlotVisual", _boxes(visual, data_set)
        case Rows():
            kind, configuration = "TableVisual", _rows(visual, data_set)
    return {
        kind: {
            "VisualId": visual.id,
            "Title": {**SHOWN, "FormatText": {"PlainText": visual.title}},
            "Subtitle": {**SHOWN, "FormatText": {"PlainText": visual.help}},
            "ChartConfiguration": configuration,
            "VisualContentAltText": f"{visual.title}. {visual.help}",
        }
    }


def _kpi(visual: Kpi, data_set: DataSet) -> Json:
    targets = [measure_field(visual, data_set, visual.target)] if visual.target else []
    comparison = number_format(visual.value.format)
    return {
        "FieldWells": {
            "Values": [measure_field(visual, data_set, visual.value)],
            "TargetValues": targets,
            "TrendGroups": [],
        },
        # All of them: with some left out QuickSight shows an empty tile.
        "KPIOptions": {
            "ProgressBar": HIDDEN,
            "TrendArrows": SHOWN if targets else HIDDEN,
            "SecondaryValue": SHOWN if targets else HIDDEN,
            "Comparison": {"ComparisonMethod": "DIFFERENCE", "ComparisonFormat": comparison},
            "PrimaryValueDisplayType": "ACTUAL",
            "PrimaryValueFontConfiguration": {"FontSize": {"Relative": "EXTRA_LARGE"}},
            "SecondaryValueFontConfiguration": {"FontSize": {"Relative": "MEDIUM"}},
            "Sparkline": {**HIDDEN, "Type": "LINE"},
            "VisualLayoutOptions": {"StandardLayout": {"Type": "CLASSIC"}},
        },
    }


def _bars(dashboard: Dashboard, visual: Bars, data_set: DataSet) -> Json:
    wells: Json = {
        "Category": [dimension_field(visual, data_set, visual.category)],
        "Values": [measure_field(visual, data_set, visual.value)],
    }
    if visual.color:
        wells["Colors"] = [dimension_field(visual, data_set, visual.color)]
    return {
        "FieldWells": {"BarChartAggregatedFieldWells": wells},
        "Orientation": "HORIZONTAL" if visual.horizontal else "VERTICAL",
        "BarsArrangement": _arrangement(visual.stacked),
        "SortConfiguration": category_sort(visual, data_set, visual.order),
        "CategoryLabelOptions": axis_label(visual, data_set, visual.category),
        "ValueLabelOptions": axis_label(visual, data_set, visual.value),
        "Legend": SHOWN if visual.color else HIDDEN,
        **palette(dashboard, visual, visual.color),
    }


def _bars_and_lines(dashboard: Dashboard, visual: BarsAndLines, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "ComboChartAggregatedFieldWells": {
                "Category": [dimension_field(visual, data_set, visual.category)],
                "BarValues": [measure_field(visual, data_set, visual.bars)],
                "Colors": [dimension_field(visual, data_set, visual.color)],
                "LineValues": [measure_field(visual, data_set, line) for line in visual.lines],
            }
        },
        "BarsArrangement": _arrangement(visual.stacked),
        **({"DefaultSeriesSettings": _MARKS_ALONE} if visual.lines_are_marks else {}),
        "SortConfiguration": category_sort(visual, data_set, visual.order),
        "CategoryLabelOptions": axis_label(visual, data_set, visual.category),
        "PrimaryYAxisLabelOptions": axis_label(visual, data_set, visual.bars, *visual.lines),
        # Bars and lines are the same score: two axes would make a difference of scale look like one of quality.
        "SingleAxisOptions": {"YAxisOptions": {"YAxis": "PRIMARY_Y_AXIS"}},
        "Legend": SHOWN,
        **palette(dashboard, visual, visual.color, visual.lines),
    }


def _arrangement(stacked: bool) -> str:
    return "STACKED" if stacked else "CLUSTERED"


def _lines(dashboard: Dashboard, visual: Lines, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "LineChartAggregatedFieldWells": {
                "Category": [dimension_field(visual, data_set, visual.x)],
                "Values": [measure_field(visual, data_set, visual.y)],
                "Colors": [dimension_field(visual, data_set, visual.color)],
            }
        },
        "Type": "LINE",
        "SortConfiguration": category_sort(visual, data_set, Order(column=visual.x.column)),
        "XAxisLabelOptions": axis_label(visual, data_set, visual.x),
        "PrimaryYAxisLabelOptions": axis_label(visual, data_set, visual.y),
        "Legend": SHOWN,
        **palette(dashboard, visual, visual.color),
    }


def _points(dashboard: Dashboard, visual: Points, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "ScatterPlotCategoricallyAggregatedFieldWells": {
                "XAxis": [measure_field(visual, data_set, visual.x)],
                "YAxis": [measure_field(visual, data_set, visual.y)],
                "Category": [dimension_field(visual, data_set, visual.color)],
                "Label": [dimension_field(visual, data_set, visual.point)],
            }
        },
        "XAxisLabelOptions": axis_label(visual, data_set, visual.x),
        "YAxisLabelOptions": axis_label(visual, data_set, visual.y),
        "Legend": SHOWN,
        **palette(dashboard, visual, visual.color),
    }


def _boxes(visual: Boxes, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "BoxPlotAggregatedFieldWells": {
                "GroupBy": [dimension_field(visual, data_set, visual.group)],
                # Without an aggregation: a box is over its rows.
                "Values": [
                    {
                        "NumericalMeasureField": {
                            "FieldId": field_id(visual, visual.value.column),
                            "Column": column_reference(data_set.name, visual.value.column),
                            "FormatConfiguration": {"FormatConfiguration": number_format(visual.value.format)},
                        }
                    }
                ],
            }
        },
        "BoxPlotOptions": {
            "OutlierVisibility": "VISIBLE",
            "AllDataPointsVisibility": "HIDDEN",
            "StyleOptions": {"FillStyle": "TRANSPARENT"},
        },
        "SortConfiguration": category_sort(visual, data_set, Order(column=visual.group.column)),
        "CategoryLabelOptions": axis_label(visual, data_set, visual.group),
        "PrimaryYAxisLabelOptions": axis_label(visual, data_set, visual.value),
        "Legend": HIDDEN,
    }


def _rows(visual: Rows, data_set: DataSet) -> Json:
    cells = list(visual.cells)
    if visual.order.column not in {cell.column for cell in cells}:
        # QuickSight sorts by what is in the table only.
        cells.append(Cell(column=visual.order.column, title=visual.order.column, hidden=True))
    return {
        "FieldWells": {
            "TableUnaggregatedFieldWells": {"Values": [cell_field(visual, data_set, cell) for cell in cells]}
        },
        "SortConfiguration": {"RowSort": [{"FieldSort": field_sort(visual, visual.order)}]},
        "FieldOptions": {
            "SelectedFieldOptions": [
                {
                    "FieldId": field_id(visual, cell.column),
                    "CustomLabel": cell.title or " ",
                    "Width": f"{cell.width}px",
                    **(HIDDEN if cell.hidden else SHOWN),
                }
                for cell in cells
            ],
            "Order": [field_id(visual, cell.column) for cell in cells],
        },
        "TableOptions": {
            "HeaderStyle": {"TextWrap": "WRAP"},
            "CellStyle": {"TextWrap": "WRAP", "VerticalTextAlignment": "TOP", "Height": visual.cell_height},
        },
    }
