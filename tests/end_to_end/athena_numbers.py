"""What Athena itself answers to the question that each visual of the dashboard asks.

Nothing of the page and nothing of its reading of a definition is used here: a visual's own description becomes one
query over its data set's query, and Athena filters, groups, puts together and sorts.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from stacks.dashboard.parts import Column, Dashboard, DataSet, Kind, Range, Sheet
from stacks.dashboard.visual_kinds import (
    AnyVisual,
    Bars,
    BarsAndLines,
    Boxes,
    Dimension,
    Kpi,
    Lines,
    Measure,
    Order,
    Points,
    Rows,
)
from tests.dashboard.expected import Numbers, box

Ask = Callable[[str], list[dict[str, str | None]]]
_FUNCTIONS = {"AVERAGE": "avg", "SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "count"}


class AthenaNumbers:
    """Asks for all visuals of a dashboard. `parameters` are a reader's choices, `ticks` column -> values ticked."""

    def __init__(
        self,
        ask: Ask,
        dashboard: Dashboard,
        database: str,
        parameters: Mapping[str, str],
        ticks: Mapping[str, list[str]],
    ) -> None:
        self._ask = ask
        self._dashboard = dashboard
        self._database = database
        self._chosen = {one.name: one.default for one in dashboard.parameters} | dict(parameters)
        self._ticks = ticks

    def all(self) -> dict[str, Numbers]:
        """Visual id -> its numbers, in the form of the page's own `dashboard.numbers()`."""
        return {visual.id: self._numbers(sheet, visual) for sheet in self._dashboard.sheets for visual in sheet.visuals}

    def declared_and_answered(self) -> Iterable[tuple[DataSet, list[str]]]:
        """Every data set with the columns that its query has."""
        for data_set in self._dashboard.data_sets:
            rows = self._ask(f"SELECT * FROM ({self._query(data_set)}) LIMIT 1")
            if rows:
                yield data_set, list(rows[0])

    def _numbers(self, sheet: Sheet, visual: AnyVisual) -> Numbers:
        data_set = self._dashboard.data_set(visual.data_set)
        source = f"FROM ({self._query(data_set)}) WHERE {' AND '.join(self._conditions(sheet, visual, data_set))}"
        match visual:
            case Kpi():
                return self._kpi(visual, source)
            case Points():
                return self._points(visual, source)
            case Boxes():
                return self._boxes(visual, source)
            case Rows():
                return self._rows(visual, data_set, source)
            case Bars():
                return self._chart(data_set, source, visual.category, visual.color, visual.value, (), visual.order)
            case BarsAndLines():
                return self._chart(
                    data_set, source, visual.category, visual.color, visual.bars, visual.lines, visual.order
                )
            case Lines():
                return self._chart(data_set, source, visual.x, visual.color, visual.y, (), None)

    def _query(self, data_set: DataSet) -> str:
        query = data_set.query(self._database)
        for name in data_set.parameters:
            query = query.replace(f"<<${name}>>", _text(self._chosen[name]))
        return query

    def _conditions(self, sheet: Sheet, visual: AnyVisual, data_set: DataSet) -> Iterable[str]:
        yield "true"
        for column, value in visual.where.items():
            yield f"{column} = {_text(value)}"
        for name in self._dashboard.fixed:
            if data_set.has(name) and name not in data_set.parameters:
                yield f"{name} = {_text(self._chosen[name])}"
        for column, values in self._ticks.items():
            if data_set.has(column):
                yield f"{column} IN ({', '.join(map(_text, values))})"
        for one in sheet.controls:
            if isinstance(one, Range) and one.data_set == data_set.name:
                yield f"({one.column} IS NULL OR {one.column} BETWEEN {one.low} AND {one.high})"

    def _kpi(self, visual: Kpi, source: str) -> Numbers:
        aimed = _put_together(visual.target) if visual.target else "NULL"
        (row,) = self._answer(f"SELECT {_put_together(visual.value)} AS value, {aimed} AS target {source}")
        value, target = (None if one is None else float(one) for one in row)
        difference = None if value is None or target is None else value - target
        return {"value": value, "target": target, "difference": difference}

    def _points(self, visual: Points, source: str) -> Numbers:
        names = f"{visual.color.column}, {visual.point.column}"
        x, y = _put_together(visual.x), _put_together(visual.y)
        rows = self._answer(
            f"SELECT {names}, {x} AS x, {y} AS y {source} GROUP BY {names} HAVING {x} IS NOT NULL AND {y} IS NOT NULL"
        )
        return {"points": [[color, name, float(str(x)), float(str(y))] for color, name, x, y in rows]}

    def _boxes(self, visual: Boxes, source: str) -> Numbers:
        # approx_percentile is approximate; a box is exact.
        group, value = visual.group.column, visual.value.column
        rows = self._answer(f"SELECT {group} AS name, {value} AS value {source} ORDER BY {group}")
        groups: dict[str, list[float]] = {}
        for name, one in rows:
            groups.setdefault(str(name), []).append(float(str(one)))
        return {"boxes": [box(name, values) for name, values in groups.items()]}

    def _rows(self, visual: Rows, data_set: DataSet, source: str) -> Numbers:
        columns = [data_set.column(cell.column) for cell in visual.cells if not cell.hidden]
        direction = "DESC" if visual.order.descending else "ASC"
        names = ", ".join(column.name for column in columns)
        rows = self._answer(f"SELECT {names} {source} ORDER BY {visual.order.column} {direction}")
        typed = [[_typed(column, text) for column, text in zip(columns, row, strict=True)] for row in rows]
        return {"columns": [column.name for column in columns], "rows": typed}

    def _chart(
        self,
        data_set: DataSet,
        source: str,
        category: Dimension,
        color: Dimension | None,
        measure: Measure,
        lines: tuple[Measure, ...],
        order: Order | None,
    ) -> Numbers:
        column = data_set.column(category.column)
        place = category.column
        if column.kind is Kind.TIME:
            place = f"date_trunc('{(category.granularity or 'DAY').lower()}', {place})"
        by = f"{_FUNCTIONS[order.aggregation]}({order.column})" if order and order.aggregation else "min(1)"
        direction = "DESC" if order and order.descending else "ASC"
        over_lines = "".join(f", {_put_together(line)} AS line_{i}" for i, line in enumerate(lines))
        in_place = self._answer(
            f"SELECT {place} AS place, {by} AS sorted_by{over_lines} {source} GROUP BY {place} "
            f"ORDER BY 2 {direction}, 1 {direction if order and not order.aggregation else 'ASC'}"
        )
        categories = [_typed(column, row[0]) for row in in_place]
        name = color.column if color else f"'{measure.title}'"
        series: dict[str, list[float | None]] = {}
        for at, of, value in self._answer(
            f"SELECT {place} AS place, {name} AS color, {_put_together(measure)} AS value {source} "
            f"GROUP BY {place}, {name} ORDER BY 1, 2"
        ):
            values = series.setdefault(str(of), [None] * len(categories))
            values[categories.index(_typed(column, at))] = None if value is None else float(value)
        for i, line in enumerate(lines):
            series[line.title] = [None if row[2 + i] is None else float(str(row[2 + i])) for row in in_place]
        return {"categories": categories, "series": series}

    def _answer(self, query: str) -> list[tuple[str | None, ...]]:
        return [tuple(row.values()) for row in self._ask(query)]


def _put_together(measure: Measure) -> str:
    return f"{_FUNCTIONS[measure.aggregation]}({measure.column})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _typed(column: Column, text: str | None) -> Any:
    if text is None:
        return None
    match column.kind:
        case Kind.TEXT:
            return text
        case Kind.WHOLE:
            return int(text)
        case Kind.NUMBER:
            return float(text)
        case Kind.TIME:
            return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
