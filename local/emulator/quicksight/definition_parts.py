"""The definition of an analysis or a dashboard taken apart: pieces with names, structures with paths. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ELEMENT_NOT_FOUND = "SOURCE_NOT_FOUND"
STRUCTURE = "INTERNAL_FAILURE"
# Members whose items have exactly one member each, which says what kind of thing the item is.
_UNIONS_OF_SHEET = ("Visuals", "FilterControls", "ParameterControls")
_NAMED = (
    ("FilterGroups", "filter group"),
    ("CalculatedFields", "calculated field"),
    ("ColumnConfigurations", "column configuration"),
    ("ParameterDeclarations", "parameter"),
)


@dataclass(frozen=True)
class DefinitionError:
    """One thing that is wrong. `path` leads to it: `Sheets[0].Visuals[2].TableVisual...`."""

    type: str
    message: str
    path: str


@dataclass(frozen=True)
class Part:
    """A piece of a definition with the words that a user knows it by (`sheet 'a', visual 'b'`), and its sheet's id."""

    name: str
    path: str
    content: Any
    sheet: str | None = None

    def error(self, kind: str, message: str, path: str | None = None) -> DefinitionError:
        """An error in this piece, at `path` within the definition, else at the piece itself."""
        return DefinitionError(kind, f"{self.name}: {message}", path or self.path)


def parts(definition: Mapping[str, Any]) -> Iterator[Part]:
    """Every piece that can refer to something: sheets without their visuals, visuals, filter groups, ..."""
    for sheet in sheets(definition):
        rest = {member: value for member, value in sheet.content.items() if member != "Visuals"}
        yield Part(sheet.name, sheet.path, rest, sheet.sheet)
        yield from visuals(sheet)
    for member, word in _NAMED:
        for index, content in enumerate(definition.get(member, [])):
            yield Part(f"{word} '{_known_as(member, content, index)}'", f"{member}[{index}]", content)


def sheets(definition: Mapping[str, Any]) -> Iterator[Part]:
    """Every sheet, whole."""
    for index, sheet in enumerate(definition.get("Sheets", [])):
        yield Part(f"sheet '{sheet['SheetId']}'", f"Sheets[{index}]", sheet, sheet["SheetId"])


def visuals(sheet: Part) -> Iterator[Part]:
    """Every visual of a sheet, without the member that says its kind."""
    for index, visual in enumerate(sheet.content.get("Visuals", [])):
        kind, content = only_member(visual)
        name = f"{sheet.name}, visual '{content['VisualId']}'"
        yield Part(name, f"{sheet.path}.Visuals[{index}].{kind}", content, sheet.sheet)


def filters(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every filter of every group, without the member that says its kind."""
    return [only_member(given)[1] for group in definition.get("FilterGroups", []) for given in group["Filters"]]


def nodes(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every structure within a value, itself included, with its path."""
    if isinstance(value, Mapping):
        yield path, value
        for member, item in value.items():
            yield from nodes(item, f"{path}.{member}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nodes(item, f"{path}[{index}]")


def only_member(structure: Mapping[str, Any]) -> tuple[str, Any]:
    """The one member that says what kind of thing this is: `{"TableVisual": {...}}`. `malformed` finds others."""
    ((kind, content),) = structure.items()
    return kind, content


def malformed(definition: Mapping[str, Any]) -> Iterator[DefinitionError]:
    """Visuals, filters, controls and parameters that are of no kind or of several; nothing else can be said then."""
    lists = [("ParameterDeclarations", definition.get("ParameterDeclarations", []))]
    lists += [
        (f"FilterGroups[{i}].Filters", group["Filters"]) for i, group in enumerate(definition.get("FilterGroups", []))
    ]
    lists += [
        (f"{sheet.path}.{member}", sheet.content.get(member, []))
        for sheet in sheets(definition)
        for member in _UNIONS_OF_SHEET
    ]
    for path, items in lists:
        for index, item in enumerate(items):
            if len(item) != 1:
                kinds = ", ".join(item) or "none"
                where = f"{path}[{index}]"
                yield DefinitionError(STRUCTURE, f"{where}: exactly one kind is expected, got {kinds}", where)


def _known_as(member: str, content: Mapping[str, Any], index: int) -> str:
    if member == "FilterGroups":
        return str(content["FilterGroupId"])
    if member == "CalculatedFields":
        return str(content["Name"])
    if member == "ParameterDeclarations":
        return str(only_member(content)[1]["Name"])
    return str(index)
