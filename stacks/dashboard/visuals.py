"""Each kind of visual in QuickSight's words."""

from collections.abc import Iterable

from stacks.dashboard.parts import (
    AnyVisual,
    Bars,
    BarsAndLines,
    Boxes,
    Cell,
    Dashboard,
    DataSet,
    Dimension,
    Format,
    Kind,
    Kpi,
    Lines,
    Measure,
    Order,
    Points,
    Rows,
)
from stacks.dashboard.references import HIDDEN, SHOWN, Json, column_reference, field_id

_TIME_FORMAT = "YYYY-MM-DD HH:mm"


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
    targets = [_measure(visual, data_set, visual.target)] if visual.target else []
    comparison = _number_format(visual.value.format)
    return {
        "FieldWells": {
            "Values": [_measure(visual, data_set, visual.value)],
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
        "Category": [_dimension(visual, data_set, visual.category)],
        "Values": [_measure(visual, data_set, visual.value)],
    }
    if visual.color:
        wells["Colors"] = [_dimension(visual, data_set, visual.color)]
    return {
        "FieldWells": {"BarChartAggregatedFieldWells": wells},
        "Orientation": "HORIZONTAL" if visual.horizontal else "VERTICAL",
        "BarsArrangement": "STACKED" if visual.stacked else "CLUSTERED",
        "SortConfiguration": _category_sort(visual, data_set, visual.order),
        "CategoryLabelOptions": _axis_label(visual, data_set, visual.category),
        "ValueLabelOptions": _axis_label(visual, data_set, visual.value),
        "Legend": SHOWN if visual.color else HIDDEN,
        **_palette(dashboard, visual, visual.color),
    }


def _bars_and_lines(dashboard: Dashboard, visual: BarsAndLines, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "ComboChartAggregatedFieldWells": {
                "Category": [_dimension(visual, data_set, visual.category)],
                "BarValues": [_measure(visual, data_set, visual.bars)],
                "Colors": [_dimension(visual, data_set, visual.color)],
                "LineValues": [_measure(visual, data_set, line) for line in visual.lines],
            }
        },
        "BarsArrangement": "CLUSTERED",
        "SortConfiguration": _category_sort(visual, data_set, visual.order),
        "CategoryLabelOptions": _axis_label(visual, data_set, visual.category),
        "PrimaryYAxisLabelOptions": _axis_label(visual, data_set, visual.bars, *visual.lines),
        # Bars and lines are the same score: two axes would make a difference of scale look like one of quality.
        "SingleAxisOptions": {"YAxisOptions": {"YAxis": "PRIMARY_Y_AXIS"}},
        "Legend": SHOWN,
        **_palette(dashboard, visual, visual.color, visual.lines),
    }


def _lines(dashboard: Dashboard, visual: Lines, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "LineChartAggregatedFieldWells": {
                "Category": [_dimension(visual, data_set, visual.x)],
                "Values": [_measure(visual, data_set, visual.y)],
                "Colors": [_dimension(visual, data_set, visual.color)],
            }
        },
        "Type": "LINE",
        "SortConfiguration": _category_sort(visual, data_set, Order(column=visual.x.column)),
        "XAxisLabelOptions": _axis_label(visual, data_set, visual.x),
        "PrimaryYAxisLabelOptions": _axis_label(visual, data_set, visual.y),
        "Legend": SHOWN,
        **_palette(dashboard, visual, visual.color),
    }


def _points(dashboard: Dashboard, visual: Points, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "ScatterPlotCategoricallyAggregatedFieldWells": {
                "XAxis": [_measure(visual, data_set, visual.x)],
                "YAxis": [_measure(visual, data_set, visual.y)],
                "Category": [_dimension(visual, data_set, visual.color)],
                "Label": [_dimension(visual, data_set, visual.point)],
            }
        },
        "XAxisLabelOptions": _axis_label(visual, data_set, visual.x),
        "YAxisLabelOptions": _axis_label(visual, data_set, visual.y),
        "Legend": SHOWN,
        **_palette(dashboard, visual, visual.color),
    }


def _boxes(visual: Boxes, data_set: DataSet) -> Json:
    return {
        "FieldWells": {
            "BoxPlotAggregatedFieldWells": {
                "GroupBy": [_dimension(visual, data_set, visual.group)],
                # Without an aggregation: a box is over its rows.
                "Values": [
                    {
                        "NumericalMeasureField": {
                            "FieldId": field_id(visual, visual.value.column),
                            "Column": column_reference(data_set.name, visual.value.column),
                            "FormatConfiguration": {"FormatConfiguration": _number_format(visual.value.format)},
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
        "SortConfiguration": _category_sort(visual, data_set, Order(column=visual.group.column)),
        "CategoryLabelOptions": _axis_label(visual, data_set, visual.group),
        "PrimaryYAxisLabelOptions": _axis_label(visual, data_set, visual.value),
        "Legend": HIDDEN,
    }


def _rows(visual: Rows, data_set: DataSet) -> Json:
    cells = list(visual.cells)
    if visual.order.column not in {cell.column for cell in cells}:
        # QuickSight sorts by what is in the table only.
        cells.append(Cell(column=visual.order.column, title=visual.order.column, hidden=True))
    return {
        "FieldWells": {"TableUnaggregatedFieldWells": {"Values": [_cell(visual, data_set, cell) for cell in cells]}},
        "SortConfiguration": {"RowSort": [{"FieldSort": _field_sort(visual, visual.order)}]},
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


def _cell(visual: Rows, data_set: DataSet, cell: Cell) -> Json:
    field: Json = {
        "FieldId": field_id(visual, cell.column),
        "Column": column_reference(data_set.name, cell.column),
    }
    kind = data_set.column(cell.column).kind
    if kind in (Kind.WHOLE, Kind.NUMBER):
        number = _number_format(cell.format or Format(decimals=0 if kind is Kind.WHOLE else 4))
        field["FormatConfiguration"] = {"NumberFormatConfiguration": {"FormatConfiguration": number}}
    elif kind is Kind.TIME:
        field["FormatConfiguration"] = {"DateTimeFormatConfiguration": {"DateTimeFormat": _TIME_FORMAT}}
    return field


def _dimension(visual: AnyVisual, data_set: DataSet, dimension: Dimension) -> Json:
    field: Json = {
        "FieldId": field_id(visual, dimension.column),
        "Column": column_reference(data_set.name, dimension.column),
    }
    match data_set.column(dimension.column).kind:
        case Kind.TIME:
            time: Json = {"DateGranularity": dimension.granularity or "DAY"}
            if dimension.pattern:
                time["FormatConfiguration"] = {"DateTimeFormat": dimension.pattern}
            return {"DateDimensionField": {**field, **time}}
        case Kind.WHOLE | Kind.NUMBER:
            return {"NumericalDimensionField": field}
        case Kind.TEXT:
            return {"CategoricalDimensionField": field}


def _measure(visual: AnyVisual, data_set: DataSet, measure: Measure) -> Json:
    return {
        "NumericalMeasureField": {
            "FieldId": field_id(visual, measure.column),
            "Column": column_reference(data_set.name, measure.column),
            "AggregationFunction": {"SimpleNumericalAggregation": measure.aggregation},
            "FormatConfiguration": {"FormatConfiguration": _number_format(measure.format)},
        }
    }


def _number_format(format_: Format) -> Json:
    common: Json = {
        "DecimalPlacesConfiguration": {"DecimalPlaces": format_.decimals},
        "NegativeValueConfiguration": {"DisplayMode": "NEGATIVE"},
        **({"Prefix": format_.prefix} if format_.prefix else {}),
        **({"Suffix": format_.suffix} if format_.suffix else {}),
    }
    if format_.percent:
        return {"PercentageDisplayFormatConfiguration": common}
    return {"NumberDisplayFormatConfiguration": {**common, "NumberScale": "NONE"}}


def _category_sort(visual: AnyVisual, data_set: DataSet, order: Order | None) -> Json:
    if order is None:
        return {}
    if order.aggregation is None:
        return {"CategorySort": [{"FieldSort": _field_sort(visual, order)}]}
    return {
        "CategorySort": [
            {
                "ColumnSort": {
                    "SortBy": column_reference(data_set.name, order.column),
                    "Direction": "DESC" if order.descending else "ASC",
                    "AggregationFunction": {
                        "NumericalAggregationFunction": {"SimpleNumericalAggregation": order.aggregation}
                    },
                }
            }
        ]
    }


def _field_sort(visual: AnyVisual, order: Order) -> Json:
    return {"FieldId": field_id(visual, order.column), "Direction": "DESC" if order.descending else "ASC"}


def _axis_label(visual: AnyVisual, data_set: DataSet, *shown: Dimension | Measure) -> Json:
    """Titles of the fields on an axis: the first is the axis's own, and all are the legend's."""
    labels = [
        {
            "CustomLabel": one.title,
            "ApplyTo": {"FieldId": field_id(visual, one.column), "Column": column_reference(data_set.name, one.column)},
        }
        for one in shown
    ]
    return {**SHOWN, "AxisLabelOptions": labels}


def _palette(dashboard: Dashboard, visual: AnyVisual, color: Dimension | None, lines: Iterable[Measure] = ()) -> Json:
    named: list[tuple[Json, str]] = []
    if color is not None:
        for value, code in dashboard.colors.get(color.column, {}).items():
            named.append(({"FieldId": field_id(visual, color.column), "FieldValue": value}, code))
    for line in lines:
        if line.color_of is not None:
            column, value = line.color_of
            named.append(({"FieldId": field_id(visual, line.column)}, dashboard.colors[column][value]))
    elements = [{"Element": element, "Color": code} for element, code in named]
    return {"VisualPalette": {"ColorMap": elements}} if elements else {}
