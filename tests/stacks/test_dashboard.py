"""The dashboard's description, its translation into QuickSight's words, and the stack that deploys it."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.loaders
import botocore.model
import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from botocore.validate import ParamValidator

from app import build_app
from local.emulator.quicksight.definition_checks import DataSetSchema, ParameterSchema, check_definition
from stacks.config import load_stage
from stacks.dashboard.data_sets import DATA_SETS, REPORTS
from stacks.dashboard.definition import definition
from stacks.dashboard.parts import DashboardError, DataSet, Kpi, Sheet
from stacks.dashboard.report_dashboard import report_dashboard
from stacks.dashboard.sheets.overview import OVERVIEW
from stacks.dashboard.theme import THEME
from stacks.dashboard_stack import refreshed_data_sets
from tests.stacks.conftest import REPOSITORY
from tests.stacks.shapes import broken_constraints

Templates = Mapping[str, Mapping[str, Template]]
_QUICKSIGHT = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("quicksight", "service-2"))
DASHBOARD = report_dashboard(["radiology_impressions"])
ARNS = {one.name: f"arn:aws:quicksight:us-east-1:111111111111:dataset/{one.name}" for one in DATA_SETS}
DEFINITION = definition(DASHBOARD, ARNS)
SCHEMAS = {
    ARNS[one.name]: DataSetSchema(
        columns={column.name: column.kind.value for column in one.columns},
        parameters={name: ParameterSchema("String", multi_valued=False) for name in one.parameters},
    )
    for one in DATA_SETS
}


def problems(value: Any, shape_name: str) -> list[str]:
    """What QuickSight would refuse."""
    shape = _QUICKSIGHT.shape_for(shape_name)
    report = ParamValidator().validate(value, shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(broken_constraints(value, shape))


@pytest.mark.parametrize("shape", ["DashboardVersionDefinition", "AnalysisDefinition"])
def test_the_definition_is_of_quicksights_shape(shape: str) -> None:
    assert problems(DEFINITION, shape) == []
    assert problems({**DEFINITION, "Sheet": []}, shape) != []


def test_the_theme_is_of_quicksights_shape() -> None:
    assert problems(THEME, "ThemeConfiguration") == []


def test_quicksight_would_find_nothing_wrong_with_it() -> None:
    assert check_definition(DEFINITION, SCHEMAS) == []
    without_scores = {arn: schema for arn, schema in SCHEMAS.items() if arn != ARNS["scores"]}
    assert check_definition(DEFINITION, without_scores) != []


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


def test_every_column_exists_in_its_data_set() -> None:
    found = set(references(DEFINITION))
    assert len(found) > 60
    declared = {one["Identifier"] for one in DEFINITION["DataSetIdentifierDeclarations"]}
    assert {data_set for data_set, _ in found} <= declared
    for data_set, column in found:
        assert DASHBOARD.data_set(data_set).has(column), f"{data_set}.{column}"


def test_every_visual_has_its_place_and_no_two_overlap() -> None:
    for sheet in DEFINITION["Sheets"]:
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


def test_filters_parameters_and_controls_refer_to_something() -> None:
    parameters = {one["StringParameterDeclaration"]["Name"] for one in DEFINITION["ParameterDeclarations"]}
    filters = {
        content["FilterId"]: content
        for group in DEFINITION["FilterGroups"]
        for one in group["Filters"]
        for content in one.values()
    }
    for content in filters.values():
        custom = content.get("Configuration", {}).get("CustomFilterConfiguration", {})
        assert custom.get("ParameterName") in {None, *parameters}
    used: set[str] = set()
    for sheet in DEFINITION["Sheets"]:
        ids = {content["VisualId"] for _, content in visuals(sheet)}
        for control in sheet["ParameterControls"]:
            (content,) = control.values()
            assert content["SourceParameterName"] in parameters
            used.add(content["SourceParameterName"])
        for control in sheet["FilterControls"]:
            (content,) = control.values()
            assert content["SourceFilterId"] in filters
        for group in DEFINITION["FilterGroups"]:
            for scope in (
                group["ScopeConfiguration"].get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", [])
            ):
                if scope["SheetId"] == sheet["SheetId"]:
                    assert set(scope["VisualIds"]) <= ids
    # A parameter that nobody can set would hold its filter where it is.
    assert used == parameters
    for declared in DEFINITION["ParameterDeclarations"]:
        content = declared["StringParameterDeclaration"]
        for mapped in content["MappedDataSetParameters"]:
            assert mapped["DataSetParameterName"] in DASHBOARD.data_set(mapped["DataSetIdentifier"]).parameters


def test_task_run_and_slice_narrow_every_visual_that_is_about_one_run() -> None:
    narrowed: dict[str, set[str]] = {}
    for group in DEFINITION["FilterGroups"]:
        (one,) = group["Filters"]
        name = one.get("CategoryFilter", {}).get("Configuration", {}).get("CustomFilterConfiguration", {})
        for scope in group["ScopeConfiguration"].get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", []):
            for visual in scope["VisualIds"]:
                narrowed.setdefault(visual, set()).update({name["ParameterName"]} if "ParameterName" in name else ())
    for sheet in DASHBOARD.sheets:
        for visual in sheet.visuals:
            data_set = DASHBOARD.data_set(visual.data_set)
            asked = narrowed.get(visual.id, set()) | set(data_set.parameters)
            assert "task" in asked, visual.id
            if data_set.has("run"):
                assert "run" in asked, visual.id
            if data_set.has("slice"):
                assert "slice" in asked, visual.id


def test_no_kpi_has_partial_options() -> None:
    wanted = set(_QUICKSIGHT.shape_for("KPIOptions").members)
    tiles = [content for sheet in DEFINITION["Sheets"] for kind, content in visuals(sheet) if kind == "KPIVisual"]
    assert tiles
    for content in tiles:
        assert set(content["ChartConfiguration"]["KPIOptions"]) == wanted


def test_every_visual_says_what_is_better_and_what_it_means() -> None:
    for sheet in DASHBOARD.sheets:
        for visual in sheet.visuals:
            assert len(visual.title) > 15 and len(visual.help) > 30, visual.id
            if isinstance(visual, Kpi) and visual.target:
                assert "better" in visual.title, visual.id


def test_cells_are_high_enough_for_what_must_be_read() -> None:
    heights = {
        content["VisualId"]: content["ChartConfiguration"]["TableOptions"]["CellStyle"]["Height"]
        for sheet in DEFINITION["Sheets"]
        for kind, content in visuals(sheet)
        if kind == "TableVisual"
    }
    assert (heights["overview-gate"], heights["reports-table"]) == (300, 240)
    assert set(heights.values()) == {120, 240, 300}


def test_clinical_text_is_asked_for_and_never_copied() -> None:
    texts = {"findings", "doctor", "marked", "similar_reports", "pretrained_text", "input", "reference", "prediction"}
    for data_set in DATA_SETS:
        if any(column.name in texts for column in data_set.columns):
            assert data_set.is_direct, data_set.name
    # Its query reads the partitions of one run and nothing else.
    assert REPORTS.sql.count("run_id = <<$run>>") == REPORTS.sql.count("FROM db.") == 3


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
    given = [color for colors in DASHBOARD.colors.values() for color in colors.values()]
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
        dataclasses.replace(DASHBOARD, sheets=(Sheet(id="a", title="A", description="", rows=rows),))
    with pytest.raises(DashboardError, match="does not use the parameter run"):
        DataSet(name="a", title="", sql="SELECT 1", columns=(), parameters=("run",))
    with pytest.raises(DashboardError, match="must be 36"):
        Sheet(id="a", title="A", description="", rows=(dataclasses.replace(rows[0], tiles=()),))
    with pytest.raises(DashboardError, match="at most 21"):
        Sheet(id="a", title="A", description="", rows=(dataclasses.replace(rows[0], height=22),))


def test_the_stack_deploys_what_is_described(templates: Templates) -> None:
    template = templates["prod"]["Dashboard"]
    template.resource_count_is("AWS::QuickSight::DataSet", len(DATA_SETS))
    template.resource_count_is("AWS::QuickSight::RefreshSchedule", len(refreshed_data_sets("prod")))
    deployed = {}
    for kind in ("Analysis", "Dashboard"):
        (resource,) = template.find_resources(f"AWS::QuickSight::{kind}").values()
        deployed[kind] = resource["Properties"]["Definition"]
    assert deployed["Analysis"] == deployed["Dashboard"]
    assert deployed["Dashboard"]["Sheets"] == json.loads(json.dumps(DEFINITION["Sheets"]))
    for resource in template.find_resources("AWS::QuickSight::DataSet").values():
        (table,) = resource["Properties"]["PhysicalTableMap"].values()
        assert '"report_tuning_prod".' in table["CustomSql"]["SqlQuery"]
        assert "db." not in table["CustomSql"]["SqlQuery"]


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
    (resource,) = Template.from_stack(dashboard).find_resources("AWS::QuickSight::Dashboard").values()
    principal = json.dumps(resource["Properties"]["Permissions"][0]["Principal"])
    assert ":quicksight:us-east-1:" in principal
    assert ":quicksight:eu-central-1:" in json.dumps(resource["Properties"]["ThemeArn"])


def test_a_stage_without_readers_has_no_dashboard(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = load_stage("dev").model_copy(update={"dashboard": None})
    monkeypatch.setattr("app.load_stage", lambda _: stage)
    assert [stack for stack in build_app(_app()) if stack.stack_name.endswith("Dashboard")] == []


def _app() -> App:
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    return App(context={**context, "stage": "dev"})
