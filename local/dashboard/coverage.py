"""Which answers a file holds.

A file can ask nobody, so it holds the answers to what a reader may choose there: every value of a control that offers
fixed values, and the newest few values of a control that offers a column's (runs). A text that is typed has no end of
values: its default alone is held, and the page finds words in the rows that it has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local.dashboard.document import Answer, DataSet, Json, Value

Parameters = dict[str, str]


@dataclass(frozen=True)
class Limits:
    """How much a file holds.

    `linked_values` are those of a column besides the default; `combinations` and `rows` those of one data set, over all
    its answers.
    """

    linked_values: int = 5
    combinations: int = 120
    rows: int = 150_000


@dataclass(frozen=True)
class _Control:
    parameter: str
    values: tuple[str, ...]
    linked: tuple[str, str] | None
    # (parameter, column): the column's rows that have the parameter's value.
    narrowed_by: tuple[tuple[str, str], ...]


def combinations(
    definition: Json, data_sets: Mapping[str, DataSet], spice: Mapping[str, Answer], name: str, limits: Limits
) -> list[Parameters]:
    """Every combination of a direct data set's parameters that a reader may choose, nearest to the default first."""
    defaults, mapped = _parameters(definition)
    controls = {control.parameter: control for control in _controls(definition)}
    sources = {own: parameter for parameter, (data_set, own) in mapped if data_set == name}
    own_defaults = {parameter.name: parameter.default for parameter in data_sets[name].parameters}
    order = _dependencies_first([sources[own] for own in own_defaults if own in sources], controls)
    found: list[tuple[int, Parameters]] = [(0, {})]
    for parameter in order:
        found = [
            (distance + place, {**chosen, parameter: value})
            for distance, chosen in found
            for place, value in enumerate(
                _values(controls.get(parameter), defaults[parameter], {**defaults, **chosen}, spice, limits)
            )
        ]
    found.sort(key=lambda one: one[0])
    return [
        {own: chosen[sources[own]] if own in sources else default for own, default in own_defaults.items()}
        for _, chosen in found
    ]


def _values(
    control: _Control | None, default: str, chosen: Parameters, spice: Mapping[str, Answer], limits: Limits
) -> list[str]:
    if control is None:
        return [default]
    if control.linked is None:
        return [default, *(value for value in control.values if value != default)]
    data_set, column = control.linked
    # Without rows to look into, nothing but the default can be known.
    if data_set not in spice:
        return [default]
    held = _newest_first(
        spice[data_set], column, [(name, chosen[parameter]) for parameter, name in control.narrowed_by]
    )
    return [default, *[value for value in held if value != default][: limits.linked_values]]


def _newest_first(answer: Answer, column: str, conditions: Sequence[tuple[str, str]]) -> list[str]:
    """Different values of a column, those of the newest rows first where there is a time."""
    columns = {one.name: values for one, values in zip(answer.columns, answer.values, strict=True)}
    times = next((columns[one.name] for one in answer.columns if one.type == "DATETIME"), None)
    newest: dict[str, float] = {}
    for row in range(answer.rows):
        value = columns[column][row]
        if value is None or any(columns[name][row] != wanted for name, wanted in conditions):
            continue
        newest[str(value)] = max(newest.get(str(value), float("-inf")), _number(times[row] if times else None))
    return sorted(newest, key=lambda value: (-newest[value], value))


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else float("-inf")


def _parameters(definition: Json) -> tuple[dict[str, str], list[tuple[str, tuple[str, str]]]]:
    """Default of each parameter of the dashboard, and what each is mapped to (data set, its own parameter)."""
    defaults: dict[str, str] = {}
    mapped: list[tuple[str, tuple[str, str]]] = []
    for declaration in definition.get("ParameterDeclarations") or []:
        parameter = declaration["StringParameterDeclaration"]
        values = (parameter.get("DefaultValues") or {}).get("StaticValues") or [""]
        defaults[parameter["Name"]] = str(values[0])
        for mapping in parameter.get("MappedDataSetParameters") or []:
            mapped.append((parameter["Name"], (mapping["DataSetIdentifier"], mapping["DataSetParameterName"])))
    return defaults, mapped


def _controls(definition: Json) -> Iterable[_Control]:
    for sheet in definition["Sheets"]:
        found = [next(iter(one.values())) for one in sheet.get("ParameterControls") or []]
        parameters = {control["ParameterControlId"]: control["SourceParameterName"] for control in found}
        for control in found:
            values = control.get("SelectableValues")
            if values is None:
                continue
            link = values.get("LinkToDataSetColumn")
            sources = (control.get("CascadingControlConfiguration") or {}).get("SourceControls") or []
            yield _Control(
                parameter=control["SourceParameterName"],
                values=tuple(values.get("Values") or ()),
                linked=(link["DataSetIdentifier"], link["ColumnName"]) if link else None,
                narrowed_by=tuple(
                    (parameters[source["SourceSheetControlId"]], source["ColumnToMatch"]["ColumnName"])
                    for source in sources
                ),
            )


def _dependencies_first(parameters: Sequence[str], controls: Mapping[str, _Control]) -> list[str]:
    """A parameter after those that its control's values depend on."""
    ordered: list[str] = []

    def add(parameter: str) -> None:
        if parameter in ordered:
            return
        control = controls.get(parameter)
        for source, _ in control.narrowed_by if control else ():
            if source in parameters and source != parameter:
                add(source)
        ordered.append(parameter)

    for parameter in parameters:
        add(parameter)
    return ordered
