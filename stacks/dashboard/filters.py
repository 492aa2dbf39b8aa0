"""The dashboard's filters in QuickSight's words."""

from collections.abc import Iterable

from stacks.dashboard.parts import Dashboard, Range
from stacks.dashboard.references import Json, column_reference, dashed, range_id, tick_id


def filter_groups(dashboard: Dashboard) -> list[Json]:
    """Every filter group; each holds one filter, so that together they narrow (AND)."""
    return [
        *_parameter_filters(dashboard),
        *_own_filters(dashboard),
        *_ticks(dashboard),
        *_ranges(dashboard),
    ]


def _parameter_filters(dashboard: Dashboard) -> Iterable[Json]:
    """For every data set and parameter that is not part of its query: one filter on the visuals that show it."""
    for data_set in dashboard.data_sets:
        for parameter in dashboard.fixed:
            if parameter in data_set.parameters or not data_set.has(parameter):
                continue
            scope = [
                {
                    "SheetId": sheet.id,
                    "Scope": "SELECTED_VISUALS",
                    "VisualIds": [visual.id for visual in sheet.visuals if visual.data_set == data_set.name],
                }
                for sheet in dashboard.sheets
                if any(visual.data_set == data_set.name for visual in sheet.visuals)
            ]
            if scope:
                name = f"{dashed(data_set.name)}-{parameter}"
                yield _filter_group(
                    name,
                    {
                        "CategoryFilter": {
                            "FilterId": f"filter-{name}",
                            "Column": column_reference(data_set.name, parameter),
                            "Configuration": {
                                "CustomFilterConfiguration": {
                                    "MatchOperator": "EQUALS",
                                    "ParameterName": parameter,
                                    "NullOption": "NON_NULLS_ONLY",
                                }
                            },
                        }
                    },
                    scope,
                )


def _own_filters(dashboard: Dashboard) -> Iterable[Json]:
    """What a visual's rows all have (`where`)."""
    for sheet in dashboard.sheets:
        for visual in sheet.visuals:
            for column, value in visual.where.items():
                name = f"{visual.id}-{dashed(column)}"
                configuration = {"MatchOperator": "CONTAINS", "CategoryValues": [value]}
                category_filter = {
                    "FilterId": f"filter-{name}",
                    "Column": column_reference(visual.data_set, column),
                    "Configuration": {"FilterListConfiguration": configuration},
                }
                scope = [{"SheetId": sheet.id, "Scope": "SELECTED_VISUALS", "VisualIds": [visual.id]}]
                yield _filter_group(name, {"CategoryFilter": category_filter}, scope)


def _ticks(dashboard: Dashboard) -> Iterable[Json]:
    for tick in dashboard.ticks:
        yield {
            "FilterGroupId": f"group-{tick_id(tick)}",
            "Filters": [
                {
                    "CategoryFilter": {
                        "FilterId": tick_id(tick),
                        "Column": column_reference(tick.data_set, tick.column),
                        "Configuration": {
                            "FilterListConfiguration": {
                                "MatchOperator": "CONTAINS",
                                "SelectAllOptions": "FILTER_ALL_VALUES",
                            }
                        },
                        "DefaultFilterControlConfiguration": {
                            "Title": tick.title,
                            "ControlOptions": {"DefaultDropdownOptions": {"Type": "MULTI_SELECT"}},
                        },
                    }
                }
            ],
            "ScopeConfiguration": {"AllSheets": {}},
            "Status": "ENABLED",
            "CrossDataset": "ALL_DATASETS",
        }


def _ranges(dashboard: Dashboard) -> Iterable[Json]:
    for sheet in dashboard.sheets:
        for control in sheet.controls:
            if isinstance(control, Range):
                visuals = [visual.id for visual in sheet.visuals if visual.data_set == control.data_set]
                numeric_filter = {
                    "FilterId": range_id(control),
                    "Column": column_reference(control.data_set, control.column),
                    "RangeMinimum": {"StaticValue": control.low},
                    "RangeMaximum": {"StaticValue": control.high},
                    "IncludeMinimum": True,
                    "IncludeMaximum": True,
                    "NullOption": "ALL_VALUES",
                }
                scope = [{"SheetId": sheet.id, "Scope": "SELECTED_VISUALS", "VisualIds": visuals}]
                yield _filter_group(range_id(control), {"NumericRangeFilter": numeric_filter}, scope)


def _filter_group(name: str, one_filter: Json, scope: list[Json]) -> Json:
    return {
        "FilterGroupId": f"group-{name}",
        "Filters": [one_filter],
        "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": scope}},
        "Status": "ENABLED",
        "CrossDataset": "SINGLE_DATASET",
    }
