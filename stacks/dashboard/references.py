"""Ids and references that all parts of a definition share: made of the description's own names."""

from typing import Any

from stacks.dashboard.parts import Range, Tick
from stacks.dashboard.visual_kinds import AnyVisual

Json = dict[str, Any]
SHOWN = {"Visibility": "VISIBLE"}
HIDDEN = {"Visibility": "HIDDEN"}


def column_reference(data_set: str, column: str) -> Json:
    return {"DataSetIdentifier": data_set, "ColumnName": column}


def field_id(visual: AnyVisual, column: str) -> str:
    return f"{visual.id}.{column}"


def tick_id(tick: Tick) -> str:
    """Id of the filter behind a list to tick."""
    return f"tick-{dashed(tick.column)}"


def range_id(control: Range) -> str:
    """Id of the filter behind a slider."""
    return f"range-{dashed(control.column)}"


def dashed(name: str) -> str:
    return name.replace("_", "-")
