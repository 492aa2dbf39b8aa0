"""What the dashboard is made of. Plain values, free of QuickSight's words; definition.py translates them.

A visual names its data set and the columns it shows; `DashboardError` is raised for a name that does not exist, so a
mistake in a sheet is found at synth.
"""

import re
from dataclasses import dataclass
from enum import Enum

from stacks.dashboard.visual_kinds import AnyVisual
from stacks.errors import ConfigurationError

# QuickSight's limits of its grid.
GRID_COLUMNS = 36
_TALLEST = 21


class DashboardError(ConfigurationError):
    """The dashboard's description contradicts itself."""


class Kind(Enum):
    """What a column holds, in QuickSight's words for it."""

    TEXT = "STRING"
    WHOLE = "INTEGER"
    NUMBER = "DECIMAL"
    TIME = "DATETIME"


@dataclass(frozen=True)
class Column:
    """A column of a data set."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What one query answers; it writes a table of the database as `db.scores`.

    With `parameters`, the dashboard's parameters of these names are filled into the query (`<<$name>>`), and it is run
    anew whenever one of them changes; without, its answer is kept (SPICE) and refreshed after every run.
    """

    name: str
    title: str
    sql: str
    columns: tuple[Column, ...]
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.parameters:
            if f"<<${name}>>" not in self.sql:
                raise DashboardError(f"data set {self.name}: its query does not use the parameter {name}")

    @property
    def is_direct(self) -> bool:
        """Asked anew for every view, and not kept: what holds clinical text or belongs to one run."""
        return bool(self.parameters)

    def query(self, database: str) -> str:
        """The query with the database's real name, which QuickSight does not know otherwise."""
        return re.sub(r"\bdb\.", f'"{database}".', self.sql).strip()

    def column(self, name: str) -> Column:
        """Raises DashboardError if there is no such column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DashboardError(f"data set {self.name} has no column {name}")

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A text that a reader chooses, with the value it has before anybody did."""

    name: str
    default: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A control that sets `parameter` to one of `values`, or of what a data set's column holds.

    `narrowed_by` names a parameter and the column of the same data set that must equal it.
    """

    parameter: str
    title: str
    values: tuple[str, ...] = ()
    column: tuple[str, str] | None = None
    narrowed_by: tuple[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Search:
    """A control into which a text is typed."""

    parameter: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A list to tick, on every sheet: rows of any data set with this column are shown if their value is ticked."""

    column: str
    data_set: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Range:
    """A slider with two ends over a number of one data set, on one sheet; it begins at its full width."""

    column: str
    data_set: str
    title: str
    low: float
    high: float
    step: float


Control = Choice | Search | Range


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A visual's place in a row of its sheet: its width in columns of the grid."""

    visual: AnyVisual
    width: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """Visuals side by side; `height` in rows of the grid."""

    height: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet: its own controls (those of every sheet come before them) and rows of visuals.

    `without` are parameters and columns of those of the dashboard's controls and lists to tick that would change
    nothing on it.
    """

    id: str
    title: str
    description: str
    rows: tuple[Row, ...]
    controls: tuple[Control, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            width = sum(tile.width for tile in row.tiles)
            if width != GRID_COLUMNS:
                raise DashboardError(f"sheet {self.id}: a row is {width} columns wide, it must be {GRID_COLUMNS}")
            if not 1 <= row.height <= _TALLEST:
                raise DashboardError(
                    f"sheet {self.id}: a row is {row.height} rows high, at most {_TALLEST} are allowed"
                )

    @property
    def visuals(self) -> tuple[AnyVisual, ...]:
        return tuple(tile.visual for row in self.rows for tile in row.tiles)


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """The whole.

    `controls` and `ticks` are on every sheet that is not `without` them. `fixed` are the parameters that every visual
    whose data set has a column of that name is filtered by, unless its query takes the parameter itself. `colors` are
    column -> value -> #RRGGBB: the same thing has the same colour on every sheet. `prefix` tells its id from those of
    other dashboards.
    """

    title: str
    data_sets: tuple[DataSet, ...]
    parameters: tuple[Parameter, ...]
    fixed: tuple[str, ...]
    controls: tuple[Control, ...]
    ticks: tuple[Tick, ...]
    sheets: tuple[Sheet, ...]
    colors: dict[str, dict[str, str]]
    prefix: str = ""

    def __post_init__(self) -> None:
        names = {parameter.name for parameter in self.parameters}
        for data_set in self.data_sets:
            unknown = set(data_set.parameters) - names
            if unknown:
                raise DashboardError(f"data set {data_set.name}: no parameter {', '.join(sorted(unknown))}")
        ids = [visual.id for sheet in self.sheets for visual in sheet.visuals]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise DashboardError(f"visuals with the same id: {', '.join(twice)}")
        for sheet in self.sheets:
            for visual in sheet.visuals:
                for column in visual.columns:
                    self.data_set(visual.data_set).column(column)

    def data_set(self, name: str) -> DataSet:
        """Raises DashboardError if there is no such data set."""
        for data_set in self.data_sets:
            if data_set.name == name:
                return data_set
        raise DashboardError(f"no data set {name}")
