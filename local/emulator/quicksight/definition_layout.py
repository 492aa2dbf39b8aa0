"""How a definition is put together: layouts and what they place, ids that are taken twice, limits. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from local.emulator.quicksight.definition_parts import (
    ELEMENT_NOT_FOUND,
    STRUCTURE,
    DefinitionError,
    Part,
    filters,
    nodes,
    only_member,
    sheets,
    visuals,
)

MOST_SHEETS = 20
MOST_VISUALS = 50
MOST_CALCULATED_FIELDS = 2000
# What a layout can place: type of element -> where the sheet keeps such things, and their id member.
_ELEMENTS = {
    "VISUAL": ("Visuals", "VisualId"),
    "FILTER_CONTROL": ("FilterControls", "FilterControlId"),
    "PARAMETER_CONTROL": ("ParameterControls", "ParameterControlId"),
    "TEXT_BOX": ("TextBoxes", "SheetTextBoxId"),
    "IMAGE": ("Images", "SheetImageId"),
}
# Items of these have their id themselves; those of the others have it behind the member that says their kind.
_PLAIN = ("TextBoxes", "Images")


def structure_errors(definition: Mapping[str, Any]) -> Iterator[DefinitionError]:
    """Everything of this module's kind that is wrong."""
    yield from _limits(definition)
    yield from _duplicates(definition)
    for sheet in sheets(definition):
        yield from _layout_errors(sheet)


def control_ids(sheet: Mapping[str, Any]) -> list[str]:
    """Ids of a sheet's controls, of filters and of parameters."""
    return [*_ids(sheet, *_ELEMENTS["FILTER_CONTROL"]), *_ids(sheet, *_ELEMENTS["PARAMETER_CONTROL"])]


def _layout_errors(sheet: Part) -> Iterator[DefinitionError]:
    """Elements that a sheet places and does not have, and visuals that it has and does not place."""
    placed: Counter[tuple[str, str]] = Counter()
    for member in ("Layouts", "SheetControlLayouts"):
        for path, node in nodes(sheet.content.get(member, []), f"{sheet.path}.{member}"):
            if "ElementId" not in node:
                continue
            kind, identity = node["ElementType"], node["ElementId"]
            placed[kind, identity] += 1
            if identity not in _ids(sheet.content, *_ELEMENTS[kind]):
                word = kind.lower().replace("_", " ")
                yield sheet.error(
                    ELEMENT_NOT_FOUND, f"the layout places {word} '{identity}', which does not exist", path
                )
    for (_, identity), times in placed.items():
        if times > 1:
            yield sheet.error(STRUCTURE, f"the layout places '{identity}' {times} times")
    if not sheet.content.get("Layouts"):
        return  # QuickSight then places everything itself.
    for visual in visuals(sheet):
        if ("VISUAL", visual.content["VisualId"]) not in placed:
            yield visual.error(ELEMENT_NOT_FOUND, "it is in no layout of its sheet")


def _ids(sheet: Mapping[str, Any], member: str, name: str) -> list[str]:
    items = sheet.get(member, [])
    return [item[name] if member in _PLAIN else only_member(item)[1][name] for item in items]


def _limits(definition: Mapping[str, Any]) -> Iterator[DefinitionError]:
    counted = [
        ("the definition", "Sheets", definition, MOST_SHEETS),
        ("the definition", "CalculatedFields", definition, MOST_CALCULATED_FIELDS),
        *((sheet.name, "Visuals", sheet.content, MOST_VISUALS) for sheet in sheets(definition)),
    ]
    for where, member, holder, most in counted:
        count = len(holder.get(member, []))
        if count > most:
            yield DefinitionError(STRUCTURE, f"{where} has {count} {member}, at most {most} are allowed", member)


def _duplicates(definition: Mapping[str, Any]) -> Iterator[DefinitionError]:
    taken: dict[str, list[Any]] = {
        "sheet": [sheet.sheet for sheet in sheets(definition)],
        "visual": [visual.content["VisualId"] for sheet in sheets(definition) for visual in visuals(sheet)],
        "filter group": [group["FilterGroupId"] for group in definition.get("FilterGroups", [])],
        "filter": [given["FilterId"] for given in filters(definition)],
        "calculated field": [
            f"{given['Name']} of {given['DataSetIdentifier']}" for given in definition.get("CalculatedFields", [])
        ],
        "parameter": [only_member(given)[1]["Name"] for given in definition.get("ParameterDeclarations", [])],
        "data set": [given["Identifier"] for given in definition["DataSetIdentifierDeclarations"]],
    }
    for word, ids in taken.items():
        for identity, times in Counter(ids).items():
            if times > 1:
                yield DefinitionError(STRUCTURE, f"{word} '{identity}' is defined {times} times", word)
