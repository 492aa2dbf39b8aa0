"""The kinds of visuals that a sheet may have, and what they show: plain values, as in parts.py."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Aggregation = Literal["AVERAGE", "SUM", "MIN", "MAX", "COUNT"]
Granularity = Literal["DAY", "MINUTE"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a number is written. `percent` multiplies by 100."""

    decimals: int = 0
    percent: bool = False
    prefix: str = ""
    suffix: str = ""


SCORE = Format(decimals=4)
SHARE = Format(decimals=1, percent=True)
COUNT = Format()


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A column whose values tell bars, lines or groups apart. For times only: `granularity`, and in which `pattern` of
    QuickSight's they are written (`MM-DD`)."""

    column: str
    title: str
    granularity: Granularity | None = None
    pattern: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number, put together over the rows of a bar, a point or a tile.

    `color_of` is for a line that stands for one value of a column: (column, value), whose colour it has.
    """

    column: str
    title: str
    aggregation: Aggregation = "AVERAGE"
    format: Format = SCORE
    color_of: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A column of a table; `width` in pixels. A hidden one is there to be sorted by."""

    column: str
    title: str
    width: int = 120
    format: Format | None = None
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Order:
    """Sort by a column; where rows are put together, by its `aggregation` over them."""

    column: str
    descending: bool = False
    aggregation: Aggregation | None = None


@dataclass(frozen=True, kw_only=True)
class Visual:
    """What all visuals have.

    `title` says what is shown, its unit and what is better; `help` is a plain sentence for somebody new; `where` are
    column values that every row it shows has.
    """

    id: str
    title: str
    help: str
    data_set: str
    where: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> Iterator[str]:
        """Every column that it shows, sorts by or filters on."""
        yield from self.where


@dataclass(frozen=True, kw_only=True)
class Kpi(Visual):
    """One number, beside another one that it is compared with."""

    value: Measure
    target: Measure | None = None

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield self.value.column
        if self.target:
            yield self.target.column


@dataclass(frozen=True, kw_only=True)
class Bars(Visual):
    """Bars: one a category, or one a category and value of `color`, beside one another or `stacked`."""

    category: Dimension
    value: Measure
    color: Dimension | None = None
    horizontal: bool = False
    stacked: bool = False
    order: Order | None = None

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (self.category.column, self.value.column)
        if self.color:
            yield self.color.column
        if self.order:
            yield self.order.column


@dataclass(frozen=True, kw_only=True)
class BarsAndLines(Visual):
    """Bars by category and `color`, beside one another or `stacked`, with `lines` across the categories, or with a
    mark in place of each line's points where `lines_are_marks`: categories that follow no order have nothing between
    them."""

    category: Dimension
    bars: Measure
    color: Dimension
    lines: tuple[Measure, ...]
    stacked: bool = False
    lines_are_marks: bool = False
    order: Order | None = None

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (self.category.column, self.bars.column, self.color.column)
        yield from (line.column for line in self.lines)
        if self.order:
            yield self.order.column


@dataclass(frozen=True, kw_only=True)
class Lines(Visual):
    """A line a value of `color` over times or numbers."""

    x: Dimension
    y: Measure
    color: Dimension

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (self.x.column, self.y.column, self.color.column)


@dataclass(frozen=True, kw_only=True)
class Points(Visual):
    """A scatter plot: a point for each value of `point`, whose colour is that of its `color`."""

    x: Measure
    y: Measure
    point: Dimension
    color: Dimension

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (self.x.column, self.y.column, self.point.column, self.color.column)


@dataclass(frozen=True, kw_only=True)
class Boxes(Visual):
    """Box plots: one a group, over that group's rows."""

    group: Dimension
    value: Measure

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (self.group.column, self.value.column)


@dataclass(frozen=True, kw_only=True)
class Rows(Visual):
    """A table with one row a row of the data set; QuickSight cuts what is higher than `cell_height` (8..500 pixels)."""

    cells: tuple[Cell, ...]
    order: Order
    cell_height: int = 120

    @property
    def columns(self) -> Iterator[str]:
        yield from super().columns
        yield from (cell.column for cell in self.cells)
        yield self.order.column


AnyVisual = Kpi | Bars | BarsAndLines | Lines | Points | Boxes | Rows
