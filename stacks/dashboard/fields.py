"""What visuals are made of in QuickSight's words: fields, number formats, sorting, titles and colours."""

from collections.abc import Iterable

from stacks.dashboard.parts import Dashboard, DataSet, Kind
from stacks.dashboard.references import SHOWN, Json, column_reference, field_id
from stacks.dashboard.visual_kinds import AnyVisual, Cell, Dimension, Format, Measure, Order, Rows

_TIME_FORMAT = "YYYY-MM-DD HH:mm"


def cell_field(visual: Rows, data_set: DataSet, cell: Cell) -> Json:
    field: Json = {
        "FieldId": field_id(visual, cell.column),
        "Column": column_reference(data_set.name, cell.column),
    }
    kind = data_set.column(cell.column).kind
    if kind in (Kind.WHOLE, Kind.NUMBER):
        number = number_format(cell.format or Format(decimals=0 if kind is Kind.WHOLE else 4))
        field["FormatConfiguration"] = {"NumberFormatConfiguration": {"FormatConfiguration": number}}
    elif kind is Kind.TIME:
        field["FormatConfiguration"] = {"DateTimeFormatConfiguration": {"DateTimeFormat": _TIME_FORMAT}}
    return field


def dimension_field(visual: AnyVisual, data_set: DataSet, dimension: Dimension) -> Json:
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


def measure_field(visual: AnyVisual, data_set: DataSet, measure: Measure) -> Json:
    return {
        "NumericalMeasureField": {
            "FieldId": field_id(visual, measure.column),
            "Column": column_reference(data_set.name, measure.column),
            "AggregationFunction": {"SimpleNumericalAggregation": measure.aggregation},
            "FormatConfiguration": {"FormatConfiguration": number_format(measure.format)},
        }
    }


def number_format(format_: Format) -> Json:
    common: Json = {
        "DecimalPlacesConfiguration": {"DecimalPlaces": format_.decimals},
        "NegativeValueConfiguration": {"DisplayMode": "NEGATIVE"},
        **({"Prefix": format_.prefix} if format_.prefix else {}),
        **({"Suffix": format_.suffix} if format_.suffix else {}),
    }
    if format_.percent:
        return {"PercentageDisplayFormatConfiguration": common}
    return {"NumberDisplayFormatConfiguration": {**common, "NumberScale": "NONE"}}


def category_sort(visual: AnyVisual, data_set: DataSet, order: Order | None) -> Json:
    if order is None:
        return {}
    if order.aggregation is None:
        return {"CategorySort": [{"FieldSort": field_sort(visual, order)}]}
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


def field_sort(visual: AnyVisual, order: Order) -> Json:
    return {"FieldId": field_id(visual, order.column), "Direction": "DESC" if order.descending else "ASC"}


def axis_label(visual: AnyVisual, data_set: DataSet, *shown: Dimension | Measure) -> Json:
    """Titles of the fields on an axis: the first is the axis's own, and all are the legend's."""
    labels = [
        {
            "CustomLabel": one.title,
            "ApplyTo": {"FieldId": field_id(visual, one.column), "Column": column_reference(data_set.name, one.column)},
        }
        for one in shown
    ]
    return {**SHOWN, "AxisLabelOptions": labels}


def palette(dashboard: Dashboard, visual: AnyVisual, color: Dimension | None, lines: Iterable[Measure] = ()) -> Json:
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
