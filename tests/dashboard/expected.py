"""What every visual must show, computed from the dashboard's own description and the rows, apart from the page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from stacks.dashboard.parts import Dashboard, Kind, Range, Sheet
from stacks.dashboard.visual_kinds import AnyVisual, Bars, BarsAndLines, Boxes, Kpi, Lines, Measure, Points, Rows
from tests.dashboard.world import Row, World

Numbers = dict[str, Any]
_GRANULARITY = {"MINUTE": 60_000, "DAY": 86_400_000}
_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "AVERAGE": lambda values: float(np.mean(values)),
    "SUM": lambda values: float(np.sum(values)),
    "MIN": min,
    "MAX": max,
    "COUNT": lambda values: float(len(values)),
}


def expected_numbers(
    world: World,
    dashboard: Dashboard,
    parameters: Mapping[str, str] | None = None,
    ticks: Mapping[str, list[str]] | None = None,
) -> dict[str, Numbers]:
    """Visual id -> its numbers. `parameters` are the reader's choices, `ticks` column -> values ticked."""
    chosen = {one.name: one.default for one in dashboard.parameters} | dict(parameters or {})
    return {
        visual.id: _numbers(dashboard, sheet, visual, _rows(world, dashboard, sheet, visual, chosen, ticks or {}))
        for sheet in dashboard.sheets
        for visual in sheet.visuals
    }


def _rows(
    world: World,
    dashboard: Dashboard,
    sheet: Sheet,
    visual: AnyVisual,
    chosen: Mapping[str, str],
    ticks: Mapping[str, list[str]],
) -> list[Row]:
    data_set = dashboard.data_set(visual.data_set)
    rows = world.rows(data_set.name, {name: chosen[name] for name in data_set.parameters})
    equal = dict(visual.where)
    for name in dashboard.fixed:
        if data_set.has(name) and name not in data_set.parameters:
            equal[name] = chosen[name]
    ranges = [one for one in sheet.controls if isinstance(one, Range) and one.data_set == data_set.name]
    return [
        row
        for row in rows
        if all(row[column] == value for column, value in equal.items())
        and all(row[column] in values for column, values in ticks.items() if data_set.has(column))
        and all(row[one.column] is None or one.low <= row[one.column] <= one.high for one in ranges)
    ]


def _numbers(dashboard: Dashboard, sheet: Sheet, visual: AnyVisual, rows: list[Row]) -> Numbers:
    match visual:
        case Kpi():
            value = _over(rows, visual.value.column, visual.value.aggregation)
            target = _over(rows, visual.target.column, visual.target.aggregation) if visual.target else None
            known = value is not None and target is not None
            return {"value": value, "target": target, "difference": value - target if known else None}
        case Points():
            return {"points": _points(visual, rows)}
        case Boxes():
            return {"boxes": [box(name, values) for name, values in _groups(rows, visual)]}
        case Rows():
            shown = [cell.column for cell in visual.cells if not cell.hidden]
            ordered = sorted(rows, key=lambda row: _key(row[visual.order.column]), reverse=visual.order.descending)
            return {"columns": shown, "rows": [[row[column] for column in shown] for row in ordered]}
        case Bars():
            return _chart(dashboard, visual, rows, visual.category, visual.color, visual.value, ())
        case BarsAndLines():
            return _chart(dashboard, visual, rows, visual.category, visual.color, visual.bars, visual.lines)
        case Lines():
            return _chart(dashboard, visual, rows, visual.x, visual.color, visual.y, ())


def _chart(
    dashboard: Dashboard,
    visual: Any,
    rows: list[Row],
    category: Any,
    color: Any,
    measure: Measure,
    lines: Sequence[Measure],
) -> Numbers:
    kind = dashboard.data_set(visual.data_set).column(category.column).kind
    step = _GRANULARITY[category.granularity or "DAY"] if kind is Kind.TIME else None

    def place(row: Row) -> Any:
        return row[category.column] // step * step if step else row[category.column]

    order = getattr(visual, "order", None)
    categories = sorted({place(row) for row in rows})
    if order and order.aggregation:
        by = {one: _over([r for r in rows if place(r) == one], order.column, order.aggregation) for one in categories}
        categories.sort(key=lambda one: (-1 if order.descending else 1) * by[one])
    elif order and order.descending:
        categories.reverse()

    def over(one: Measure, some: list[Row]) -> list[float | None]:
        return [_over([row for row in some if place(row) == at], one.column, one.aggregation) for at in categories]

    if color is None:
        series = {measure.title: over(measure, rows)}
    else:
        colors = sorted({row[color.column] for row in rows})
        series = {one: over(measure, [row for row in rows if row[color.column] == one]) for one in colors}
    series |= {line.title: over(line, rows) for line in lines}
    return {"categories": categories, "series": series}


def _points(visual: Points, rows: list[Row]) -> list[list[Any]]:
    """[color, name, x, y] of each point that has a place; in no particular order."""
    places = {(row[visual.color.column], row[visual.point.column]) for row in rows}
    found = []
    for color, name in places:
        of = [row for row in rows if (row[visual.color.column], row[visual.point.column]) == (color, name)]
        x, y = (_over(of, one.column, one.aggregation) for one in (visual.x, visual.y))
        if x is not None and y is not None:
            found.append([color, name, x, y])
    return found


def _over(rows: Iterable[Row], column: str, aggregation: str) -> float | None:
    values = [row[column] for row in rows if row[column] is not None]
    return _AGGREGATIONS[aggregation](values) if values else None


def _groups(rows: list[Row], visual: Boxes) -> list[tuple[str, list[float]]]:
    names = sorted({row[visual.group.column] for row in rows})
    return [(name, [row[visual.value.column] for row in rows if row[visual.group.column] == name]) for name in names]


def box(name: str, values: list[float]) -> Numbers:
    """A box plot of values: quartiles by linear interpolation, whiskers within 1.5 times the box."""
    q1, median, q3 = (float(np.quantile(values, share)) for share in (0.25, 0.5, 0.75))
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    within = [value for value in values if low <= value <= high]
    return {
        "name": name, "count": len(values), "min": min(values), "q1": q1, "median": median, "q3": q3,
        "max": max(values), "low": min(*within, q1), "high": max(*within, q3),
        "outliers": sorted(value for value in values if not low <= value <= high),
    }  # fmt: skip


def _key(value: Any) -> tuple[bool, Any]:
    return (value is None, value)
