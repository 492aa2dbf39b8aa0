"""The dashboard's description, its translation into QuickSight's words, and the stack that deploys it."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model
import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from botocore.validate import ParamValidator

from app import build_app
from local.emulator.quicksight.definition_checks import DataSetSchema, ParameterSchema, check_definition
from stacks.config import load_stage, load_tasks
from stacks.dashboard.dashboards import dashboards, data_sets
from stacks.dashboard.definition import definition
from stacks.dashboard.events import stream_data_sets
from stacks.dashboard.events.event_dashboard import event_dashboard
from stacks.dashboard.parts import DashboardError, DataSet, Sheet
from stacks.dashboard.report.choice_data_sets import KINDS, NO_ERRORS, RULES
from stacks.dashboard.report.overview import OVERVIEW
from stacks.dashboard.report.report_dashboard import report_dashboard
from stacks.dashboard.theme import THEME
from stacks.dashboard.visual_kinds import Kpi
from stacks.dashboard_stack import data_set_id, refreshed_data_sets
from tests.stacks.conftest import REPOSITORY
from tests.stacks.shapes import broken_constraints

Templates = Mapping[str, Mapping[str, Template]]
_QUICKSIGHT = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("quicksight", "service-2"))
REPORTS = report_dashboard(["clinical_notes", "radiology_impressions"])
EVENTS = event_dashboard({"adverse_events": "Adverse_Event"})
# Kind of task -> its dashboard.
DASHBOARDS = {"summary": REPORTS, "classification": EVENTS}
ALL_DATA_SETS = {one.name: one for dashboard in DASHBOARDS.values() for one in dashboard.data_sets}
ARNS = {name: f"arn:aws:quicksight:us-east-1:111111111111:dataset/{name}" for name in ALL_DATA_SETS}
DEFINITIONS = {kind: definition(dashboard, ARNS) for kind, dashboard in DASHBOARDS.items()}
SCHEMAS = {
    ARNS[one.name]: DataSetSchema(
        columns={column.name: column.kind.value for column in one.columns},
        parameters={name: ParameterSchema("String", multi_valued=False) for name in one.parameters},
    )
    for one in ALL_DATA_SETS.values()
}
of_each = pytest.mark.parametrize("kind", DASHBOARDS)


def problems(value: Any, shape_name: str) -> list[str]:
    """What QuickSight would refuse."""
    shape = _QUICKSIGHT.shape_for(shape_name)
    report = ParamValidator().validate(value, shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(broken_constraints(value, shape))


@pytest.mark.parametrize("shape", ["DashboardVersionDefinition", "AnalysisDefinition"])
@of_each
def test_the_definition_is_of_quicksights_shape(kind: str, shape: str) -> None:
    assert problems(DEFINITIONS[kind], shape) == []
    assert problems({**DEFINITIONS[kind], "Sheet": []}, shape) != []


def test_the_theme_is_of_quicksights_shape() -> None:
    assert problems(THEME, "ThemeConfiguration") == []


@pytest.mark.parametrize(("kind", "needed"), [("summary", "scores"), ("classification", "event_scores")])
def test_quicksight_would_find_nothing_wrong_with_it(kind: str, needed: str) -> None:
    assert check_definition(DEFINITIONS[kind], SCHEMAS) == []
    without_scores = {arn: schema for arn, schema in SCHEMAS.items() if arn != ARNS[needed]}
    assert check_definition(DEFINITIONS[kind], without_scores) != []


def visuals(sheet: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for visual in sheet["Visuals"]:
        ((kind, content),) = visual.items()
        yield kind, content


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Every (data set, column) below `value`."""
    if isinstance(value, dict):
        if {"DataSetIdentifier", "ColumnName"} <= value.keys():
            yield value["DataSetIdentifier"], value["ColumnName"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@of_each
def test_every_column_exists_in_its_data_set(kind: str) -> None:
    found = set(references(DEFINITIONS[kind]))
    assert len(found) > 60
    declared = {one["Identifier"] for one in DEFINITIONS[kind]["DataSetIdentifierDeclarations"]}
    # A data set that nothing shows would be asked for nothing.
    assert {data_set for data_set, _ in found} == declared
    for data_set, column in found:
        assert DASHBOARDS[kind].data_set(data_set).has(column), f"{data_set}.{column}"


@of_each
def test_every_visual_has_its_place_and_no_two_overlap(kind: str) -> None:
    for sheet in DEFINITIONS[kind]["Sheets"]:
        elements = sheet["Layouts"][0]["Configuration"]["GridLayout"]["Elements"]
        assert sorted(element["ElementId"] for element in elements) == sorted(
            content["VisualId"] for _, content in visuals(sheet)
        )
        taken: set[tuple[int, int]] = set()
        for element in elements:
            cells = {
                (row, column)
                for row in range(element["RowIndex"], element["RowIndex"] + element["RowSpan"])
                for column in range(element["ColumnIndex"], element["ColumnIndex"] + element["ColumnSpan"])
            }
            assert not cells & taken
            assert all(column < 36 for _, column in cells)
            taken |= cells


@of_each
def test_filters_parameters_and_controls_refer_to_something(kind: str) -> None:
    parameters = {one["StringParameterDeclaration"]["Name"] for one in DEFINITIONS[kind]["ParameterDeclarations"]}
    filters = {
        content["FilterId"]: content
        for group in DEFINITIONS[kind]["FilterGroups"]
        for one in group["Filters"]
        for content in one.values()
    }
    for content in filters.values():
        custom = content.get("Configuration", {}).get("CustomFilterConfiguration", {})
        assert custom.get("ParameterName") in {None, *parameters}
    used: set[str] = set()
    for sheet in DEFINITIONS[kind]["Sheets"]:
        ids = {content["VisualId"] for _, content in visuals(sheet)}
        for control in sheet["ParameterControls"]:
            (content,) = control.values()
            assert content["SourceParameterName"] in parameters
            used.add(content["SourceParameterName"])
        for control in sheet["FilterControls"]:
            (content,) = control.values()
            assert content["SourceFilterId"] in filters
        for group in DEFINITIONS[kind]["FilterGroups"]:
            for scope in (
                group["ScopeConfiguration"].get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", [])
            ):
                if scope["SheetId"] == sheet["SheetId"]:
                    assert set(scope["VisualIds"]) <= ids
    # A parameter that nobody can set would hold its filter where it is.
    assert used == parameters
    for declared in DEFINITIONS[kind]["ParameterDeclarations"]:
        content = declared["StringParameterDeclaration"]
        for mapped in content["MappedDataSetParameters"]:
            assert mapped["DataSetParameterName"] in DASHBOARDS[kind].data_set(mapped["DataSetIdentifier"]).parameters


@of_each
def test_task_run_and_slice_narrow_every_visual_that_is_about_one_run(kind: str) -> None:
    narrowed: dict[str, set[str]] = {}
    for group in DEFINITIONS[kind]["FilterGroups"]:
        (one,) = group["Filters"]
        name = one.get("CategoryFilter", {}).get("Configuration", {}).get("CustomFilterConfiguration", {})
        for scope in group["ScopeConfiguration"].get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", []):
            for visual in scope["VisualIds"]:
                narrowed.setdefault(visual, set()).update({name["ParameterName"]} if "ParameterName" in name else ())
    for sheet in DASHBOARDS[kind].sheets:
        for visual in sheet.visuals:
            data_set = DASHBOARDS[kind].data_set(visual.data_set)
            asked = narrowed.get(visual.id, set()) | set(data_set.parameters)
            assert "task" in asked, visual.id
            if data_set.has("run"):
                assert "run" in asked, visual.id
            # Labels have no slices: every score is of all records.
            if data_set.has("slice") and kind == "summary":
                assert "slice" in asked, visual.id


@of_each
def test_no_kpi_has_partial_options(kind: str) -> None:
    wanted = set(_QUICKSIGHT.shape_for("KPIOptions").members)
    tiles = [
        content for sheet in DEFINITIONS[kind]["Sheets"] for kind, content in visuals(sheet) if kind == "KPIVisual"
    ]
    assert tiles
    for content in tiles:
        assert set(content["ChartConfiguration"]["KPIOptions"]) == wanted


@of_each
def test_every_visual_says_what_is_better_and_what_it_means(kind: str) -> None:
    for sheet in DASHBOARDS[kind].sheets:
        for visual in sheet.visuals:
            assert len(visual.title) > 15 and len(visual.help) > 30, visual.id
            if isinstance(visual, Kpi) and visual.target:
                assert "better" in visual.title, visual.id


def test_cells_are_high_enough_for_what_must_be_read() -> None:
    heights = {
        content["VisualId"]: content["ChartConfiguration"]["TableOptions"]["CellStyle"]["Height"]
        for found in DEFINITIONS.values()
        for sheet in found["Sheets"]
        for kind, content in visuals(sheet)
        if kind == "TableVisual"
    }
    assert (heights["overview-gate"], heights["quality-gate"], heights["reports-table"]) == (300, 300, 240)
    assert heights["before-and-after-table"] == 300
    assert set(heights.values()) == {120, 240, 300}


def test_candidates_whatever_their_names_have_the_colour_of_their_kind() -> None:
    (choice,) = [sheet for sheet in DEFINITIONS["summary"]["Sheets"] if sheet["SheetId"] == "choice"]
    colored = {
        content["VisualId"]: {
            rule["Element"]["FieldValue"]
            for rule in content["ChartConfiguration"]["VisualPalette"]["ColorMap"]
            if "FieldValue" in rule["Element"]
        }
        for kind, content in visuals(choice)
        if kind != "TableVisual"
    }
    assert colored == {
        "choice-rouge-l": set(KINDS),
        "choice-clinical-errors": set(KINDS),
        "choice-errors": {*RULES, NO_ERRORS},
    }


def test_the_ends_of_an_interval_are_marks_without_a_line_between_candidates() -> None:
    (choice,) = [sheet for sheet in DEFINITIONS["summary"]["Sheets"] if sheet["SheetId"] == "choice"]
    charts = {content["VisualId"]: content["ChartConfiguration"] for _, content in visuals(choice)}
    for name in ("choice-rouge-l", "choice-clinical-errors"):
        assert charts[name]["DefaultSeriesSettings"]["LineStyleSettings"] == {"LineVisibility": "HIDDEN"}
        assert charts[name]["BarsArrangement"] == "STACKED"
        assert len(charts[name]["FieldWells"]["ComboChartAggregatedFieldWells"]["LineValues"]) == 2


def test_clinical_text_is_asked_for_and_never_copied() -> None:
    texts = {"findings", "doctor", "marked", "similar_reports", "pretrained_text", "input", "reference", "prediction"}
    texts |= {"text", "drugs", "effects", "before", "after", "before_errors", "after_errors"}
    holding = {one.name for one in ALL_DATA_SETS.values() if any(column.name in texts for column in one.columns)}
    assert {"reports", "before_and_after", "newest_events", "event_answers", "synthetic_texts"} <= holding
    assert all(ALL_DATA_SETS[name].is_direct for name in holding)


@pytest.mark.parametrize("name", [name for name, one in ALL_DATA_SETS.items() if "run" in one.parameters])
def test_a_query_about_a_run_reads_its_partitions_alone(name: str) -> None:
    sql = ALL_DATA_SETS[name].sql
    runs = sql.count("run_id = <<$run>>") + sql.count("run_id = <<$compare>>")
    assert runs == sql.count("task = <<$task>>") == sql.count("FROM db.") > 0


@pytest.mark.parametrize("name", [one.name for one in stream_data_sets.DATA_SETS])
def test_a_query_about_what_came_in_reads_one_task_and_the_last_days(name: str) -> None:
    sql = ALL_DATA_SETS[name].sql
    asked = sql.count("task = <<$task>> AND day >= date_format(current_date - INTERVAL '89' DAY, '%Y-%m-%d')")
    assert asked == sql.count("FROM db.") >= sql.count("FROM db.events") == 1
    shown = [visual for sheet in EVENTS.sheets for visual in sheet.visuals if visual.data_set == name]
    assert shown and all("last 90 days" in visual.title for visual in shown)


def test_a_label_is_the_chosen_tasks_whatever_it_is() -> None:
    dashboard = event_dashboard({"adverse_events": "Adverse_Event", "falls": "It's a fall"})
    for data_set in dashboard.data_sets:
        assert "<positive label>" not in data_set.sql
        if "label =" in data_set.sql:
            assert "CASE <<$task>> WHEN 'adverse_events' THEN 'Adverse_Event' WHEN 'falls' THEN 'It''s a fall' END" in (
                data_set.sql
            )


def test_only_kinds_that_there_are_tasks_of_have_a_dashboard() -> None:
    tasks = load_tasks("dev")
    assert {kind: one.title for kind, one in dashboards(tasks).items()} == {
        "summary": "Report tuning",
        "classification": "Adverse events",
    }
    for kind, title in (("summary", "Report tuning"), ("classification", "Adverse events")):
        alone = [task for task in tasks if task.kind == kind]
        assert [one.title for one in dashboards(alone).values()] == [title]
        refreshed = refreshed_data_sets("dev", alone)
        assert ("report-tuning-dev-event-scores" in refreshed) == (kind == "classification")
        assert ("report-tuning-dev-scores" in refreshed) == (kind == "summary")
    shared = [data_set.name for data_set, _ in data_sets(dashboards(tasks))]
    assert (
        len(shared) == len(set(shared)) == len(ALL_DATA_SETS) < sum(len(one.data_sets) for one in DASHBOARDS.values())
    )


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio of two colours #RRGGBB, 1 to 21."""

    def luminance(color: str) -> float:
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_stand_out_from_the_background() -> None:
    ui = THEME["UIColorPalette"]
    given = [color for one in DASHBOARDS.values() for colors in one.colors.values() for color in colors.values()]
    for color in (*THEME["DataColorPalette"]["Colors"], *given):
        assert contrast(color, ui["PrimaryBackground"]) >= 3, color
    for text, background in (
        ("PrimaryForeground", "PrimaryBackground"),
        ("SecondaryForeground", "SecondaryBackground"),
    ):
        assert contrast(ui[text], ui[background]) >= 4.5
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)


def test_a_mistake_in_the_description_is_named() -> None:
    broken = dataclasses.replace(OVERVIEW.visuals[0], data_set="nothing")
    rows = (
        dataclasses.replace(OVERVIEW.rows[0], tiles=(dataclasses.replace(OVERVIEW.rows[1].tiles[0], visual=broken),)),
    )
    with pytest.raises(DashboardError, match="no data set nothing"):
        dataclasses.replace(REPORTS, sheets=(Sheet(id="a", title="A", description="", rows=rows),))
    with pytest.raises(DashboardError, match="does not use the parameter run"):
        DataSet(name="a", title="", sql="SELECT 1", columns=(), parameters=("run",))
    with pytest.raises(DashboardError, match="must be 36"):
        Sheet(id="a", title="A", description="", rows=(dataclasses.replace(rows[0], tiles=()),))
    with pytest.raises(DashboardError, match="at most 21"):
        Sheet(id="a", title="A", description="", rows=(dataclasses.replace(rows[0], height=22),))


def test_the_stack_deploys_what_is_described(templates: Templates) -> None:
    template = templates["prod"]["Dashboard"]
    template.resource_count_is("AWS::QuickSight::DataSet", len(ALL_DATA_SETS))
    template.resource_count_is(
        "AWS::QuickSight::RefreshSchedule", len([one for one in ALL_DATA_SETS.values() if not one.is_direct])
    )
    for kind in ("Analysis", "Dashboard"):
        deployed = {
            resource["Properties"][f"{kind}Id"]: resource["Properties"]["Definition"]["Sheets"]
            for resource in template.find_resources(f"AWS::QuickSight::{kind}").values()
        }
        assert deployed == {
            f"report-tuning-prod-{dashboard.prefix}{kind.lower()}": json.loads(json.dumps(DEFINITIONS[one]["Sheets"]))
            for one, dashboard in DASHBOARDS.items()
        }
    for resource in template.find_resources("AWS::QuickSight::DataSet").values():
        (table,) = resource["Properties"]["PhysicalTableMap"].values()
        assert '"report_tuning_prod".' in table["CustomSql"]["SqlQuery"]
        assert "db." not in table["CustomSql"]["SqlQuery"]
    (output,) = template.find_outputs("Dashboards").values()
    assert json.loads(output["Value"]) == {
        "summary": "report-tuning-prod-dashboard",
        "classification": "report-tuning-prod-events-dashboard",
    }


def test_a_dashboard_waits_for_its_own_data_sets(templates: Templates) -> None:
    resources = templates["prod"]["Dashboard"].to_json()["Resources"]
    for kind in ("Analysis", "Dashboard"):
        for name, dashboard in ((kind, REPORTS), (f"Events{kind}", EVENTS)):
            waited = [resources[one] for one in resources[name]["DependsOn"]]
            ids = {one["Properties"]["DataSetId"] for one in waited if one["Type"] == "AWS::QuickSight::DataSet"}
            assert ids == {data_set_id("prod", data_set) for data_set in dashboard.data_sets}


def test_everything_waits_for_the_check_and_is_for_the_readers_group(templates: Templates) -> None:
    template = templates["prod"]["Dashboard"]
    resources = template.to_json()["Resources"]

    def waits_for(name: str) -> set[str]:
        direct = resources[name].get("DependsOn", [])
        return {*direct, *(one for further in direct for one in waits_for(further))}

    of_quicksight = {name: one for name, one in resources.items() if one["Type"].startswith("AWS::QuickSight::")}
    for name, resource in of_quicksight.items():
        assert any(resources[other]["Type"] == "Custom::DashboardReady" for other in waits_for(name)), name
        for permission in resource["Properties"].get("Permissions", []):
            assert "group/default/report-readers" in json.dumps(permission["Principal"])
    template.has_resource_properties("Custom::DashboardReady", Match.object_like({"Group": "report-readers"}))


def test_readers_are_of_the_identity_region_wherever_the_stage_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = load_stage("dev").model_copy(update={"region": "eu-central-1"})
    monkeypatch.setattr("app.load_stage", lambda _: stage)
    (dashboard,) = [stack for stack in build_app(_app()) if stack.stack_name.endswith("Dashboard")]
    resources = Template.from_stack(dashboard).find_resources("AWS::QuickSight::Dashboard")
    assert len(resources) == 2
    for resource in resources.values():
        principal = json.dumps(resource["Properties"]["Permissions"][0]["Principal"])
        assert ":quicksight:us-east-1:" in principal
        assert ":quicksight:eu-central-1:" in json.dumps(resource["Properties"]["ThemeArn"])


def test_the_template_is_not_more_than_cloudformation_takes() -> None:
    app = _app()
    (dashboard,) = [stack for stack in build_app(app) if stack.stack_name.endswith("Dashboard")]
    template = Path(app.synth().get_stack_by_name(dashboard.stack_name).template_full_path)
    # A megabyte, with room for a task's longer names.
    assert template.stat().st_size < 900_000


def test_a_stage_without_readers_has_no_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = load_stage("dev").model_copy(update={"dashboard": None})
    monkeypatch.setattr("app.load_stage", lambda _: stage)
    assert [stack for stack in build_app(_app()) if stack.stack_name.endswith("Dashboard")] == []


def _app() -> App:
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return App(context={**context, "stage": "dev"})
