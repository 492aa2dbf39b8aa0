"""The page where there is nothing, much, hostile, missing or unknown."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.coverage import Limits
from local.dashboard.document import Answer
from local.dashboard.server import serving
from local.dashboard.source import DeployedDataSet
from local.errors import RunError
from tests.dashboard.event_world import EventWorld
from tests.dashboard.open_page import file_of, opened
from tests.dashboard.world import World

HOSTILE = (
    "<script>alert('script')</script><img src=x onerror=alert(1)>",
    "\"quotes\" 'and' `ticks` &amp; &lt;b&gt; \\u0041 ${x} {{y}}",
    "emoji 🩻👩🏽‍⚕️🇺🇦 and combined é",
    "ריאות נקיות, ללא תפליט, 12 mm nodule",
    "⟦−unclosed and ⟦+nested ⟦−marks⟧",
    "word " * 4000,
    "x" * 20_000,
    "javascript:alert(1)\n=HYPERLINK(1)\r\n\ttab",
)


def test_texts_are_shown_as_texts_whatever_they_are(browser: Any, tmp_path: Path, bundles: Path) -> None:
    address = file_of(World(runs=1, records=4, texts=HOSTILE).live(), tmp_path / "hostile.html", bundles)
    with opened(browser, address) as page:
        page.go("sheet=reports")
        cells = page.tile("reports-table").locator(".table-body [role=row] > :nth-child(1)")
        assert cells.count() == len(HOSTILE)
        for button in page.page.locator(".more").all():
            button.click()
        shown = {text.removesuffix("Show less") for text in cells.all_text_contents()}
        with_mark = "⟦−unclosed and ⟦+nested [missing: −marks]"
        assert shown == {*HOSTILE} - {HOSTILE[4]} | {with_mark}
        assert page.page.locator(".tile img, .tile script").count() == 0
        right_to_left = cells.filter(has_text="ריאות").locator("div")
        assert right_to_left.evaluate("element => getComputedStyle(element).direction") == "rtl"
        assert page.complaints == []


def test_the_gates_reasons_are_all_there_at_once(browser: Any, tmp_path: Path, bundles: Path) -> None:
    with opened(browser, file_of(World(runs=1).live(), tmp_path / "gate.html", bundles)) as page:
        page.go("sheet=overview")
        row = page.tile("overview-gate").locator(".table-body [role=row]").first
        assert len(row.inner_text()) > 900, "more than a narrow cell would show"
        assert row.locator(".more").count() == 0


def test_a_very_long_text_opens_on_demand(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = World(runs=1, records=1, sets=("dev1",), texts=("word " * 4000,))
    with opened(browser, file_of(world.live(), tmp_path / "long.html", bundles)) as page:
        page.go("sheet=reports")
        row = page.tile("reports-table").locator(".table-body [role=row]").first
        before = row.bounding_box()["height"]
        button = row.locator(".more").first
        assert button.inner_text() == "Show all 20,000 characters"
        button.click()
        assert button.get_attribute("aria-expanded") == "true" and button.inner_text() == "Show less"
        page.page.wait_for_timeout(200)
        assert row.bounding_box()["height"] > 4 * before
        assert page.complaints == []


@pytest.mark.parametrize("world", [World(runs=0), World(runs=1, records=1), World(runs=200, records=3)], ids=str)
def test_nothing_one_run_and_many_runs(browser: Any, tmp_path: Path, bundles: Path, world: World) -> None:
    with opened(browser, file_of(world.live(), tmp_path / "runs.html", bundles)) as page:
        for sheet in (one.id for one in world.dashboard.sheets):
            page.go(f"sheet={sheet}")
            assert page.page.locator(".failure, .gap").count() == 0
            empty = page.page.locator(".empty").count()
            # The costs of the invented runs are not known, so their chart is without a value. The first run compared
            # nothing, and only the tile of the recommendation says so in a sentence.
            without = {"training": 1, "choice": 5 if world.runs == 1 else 0}
            tiles = page.page.locator(".tile").count()
            assert empty == (tiles if world.runs == 0 else without.get(sheet, 0)), sheet
        page.go()
        assert page.control("Run").locator("option").count() == max(1, world.runs + 1)
        if world.runs:
            assert page.tile("overview-runs").locator(".row-count").inner_text() == f"{world.runs + 1} rows"
            assert len(page.numbers()["overview-history"]["categories"]) == world.runs
        assert page.complaints == []


def test_no_event_and_no_run(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = EventWorld(runs=0, incoming=0)
    with opened(browser, file_of(world.live(), tmp_path / "nothing.html", bundles)) as page:
        for sheet in world.dashboard.sheets:
            page.go(f"sheet={sheet.id}")
            assert page.page.locator(".failure, .gap").count() == 0
            # How many texts came in is known: none.
            counts = ("events-texts", "events-events", "events-notices") if sheet.id == "events" else ()
            assert page.page.locator(".empty").count() == len(sheet.visuals) - len(counts) - (sheet.id == "events")
            assert [page.tile(tile).locator(".kpi-value").inner_text() for tile in counts] == ["0"] * len(counts)
        page.go("sheet=events")
        assert page.tile("events-share").locator(".kpi-value").inner_text().startswith("–")
        assert page.complaints == []


def test_a_single_day_is_drawn(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = EventWorld(runs=1, records=2, incoming=40, days=2)
    with opened(browser, file_of(world.live(), tmp_path / "day.html", bundles)) as page:
        page.go("sheet=events")
        assert len(page.numbers()["events-rate"]["categories"]) == 1
        # Yesterday, and today without a text.
        assert len(page.numbers()["events-days"]["categories"]) == 2
        assert page.page.locator(".failure, .gap, .empty").count() == 0
        assert page.complaints == []


def test_a_run_that_is_not_in_the_file_is_said(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = World(runs=9, records=2)
    limits = Limits(linked_values=2)
    with opened(browser, file_of(world.live(), tmp_path / "few.html", bundles, limits)) as page:
        old = world.evaluated[0].run_id
        page.go("sheet=distributions")
        options = page.control("Run").locator("option").all_inner_texts()
        assert f"{old} (not in this file)" in options and world.evaluated[-1].run_id in options
        page.control("Run").select_option(old)
        page.settle()
        said = page.tile("distributions-rouge1").inner_text()
        assert f"This file does not hold run “{old}”" in said and "“newest”" in said
        # What is kept of every run is there all the same.
        assert page.tile("distributions-table").locator(".row-count").inner_text() == "48 rows"
        assert page.complaints == []


def test_what_a_file_leaves_out_is_said_on_every_sheet(browser: Any, tmp_path: Path, bundles: Path) -> None:
    address = file_of(World(runs=3, records=2).live(), tmp_path / "cut.html", bundles, Limits(combinations=3))
    with opened(browser, address) as page:
        page.go("sheet=data")
        assert "leaves out the answers to some choices" in page.page.locator(".notices").inner_text()
        page.go("sheet=reports&p.slice=abnormal&p.order=largest loss first")
        assert "does not hold" in page.tile("reports-table").inner_text()


def test_rows_that_were_not_read_are_said_in_their_place(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = World(runs=1, records=5, total_rows={"reports": 61_234})
    with opened(browser, file_of(world.live(), tmp_path / "part.html", bundles)) as page:
        page.go("sheet=reports")
        assert "Only 10 of 61,234 rows were read" in page.tile("reports-table").locator(".notes").inner_text()


def test_what_is_not_drawn_is_named(browser: Any, tmp_path: Path, bundles: Path) -> None:
    world = World(runs=1, records=2)
    deployed = world.deployed()
    definition = copy.deepcopy(deployed.definition)
    overview = definition["Sheets"][0]
    title = {"Visibility": "VISIBLE", "FormatText": {"PlainText": "What stands out"}}
    overview["Visuals"].append({"InsightVisual": {"VisualId": "insight", "Title": title, "DataSetIdentifier": "runs"}})
    overview["TextBoxes"] = [{"SheetTextBoxId": "words", "Content": "<text-box>x</text-box>"}]
    overview["FilterControls"].append(
        {"RelativeDateTime": {"FilterControlId": "when", "Title": "When", "SourceFilterId": "tick-model"}}
    )
    overview["Visuals"][4]["TableVisual"]["ChartConfiguration"]["TotalOptions"] = {"TotalsVisibility": "VISIBLE"}
    definition["FilterGroups"].append(
        {
            "FilterGroupId": "top",
            "Filters": [
                {
                    "TopBottomFilter": {
                        "FilterId": "best",
                        "Column": {"DataSetIdentifier": "run_list", "ColumnName": "x"},
                    }
                }
            ],
            "ScopeConfiguration": {"AllSheets": {}},
            "Status": "ENABLED",
            "CrossDataset": "SINGLE_DATASET",
        }
    )
    live = world.live(replace(deployed, definition=definition))
    with opened(browser, file_of(live, tmp_path / "gaps.html", bundles)) as page:
        page.go()
        insight = page.tile("insight").inner_text()
        assert "What stands out" in insight and "kind InsightVisual is not drawn here; it is in QuickSight" in insight
        assert "TextBoxes" in page.tile("TextBoxes").inner_text()
        assert "TopBottomFilter (best) is not applied here" in page.tile("overview-runs").inner_text()
        assert "A control of kind RelativeDateTime is not offered here" in page.page.locator(".controls").inner_text()
        assert "Drawn without: TotalOptions" in page.tile("overview-gate").inner_text()
        # What has nothing to do with them is drawn.
        assert page.tile("overview-rougel").locator(".kpi-value").count() == 1
        assert page.complaints == []


def test_an_answer_that_fails_can_be_asked_again(browser: Any, bundles: Path) -> None:
    world = World(runs=1, records=2)
    failing = {"lengths"}

    def ask(data_set: DeployedDataSet, parameters: Mapping[str, str]) -> Answer:
        if data_set.identifier in failing:
            raise RunError("Athena query 7 failed: out of patience")
        return world.answer(data_set, parameters)

    with serving({"reports": replace(world.live(), ask=ask)}, bundles=bundles) as url, opened(browser, url) as page:
        page.go("sheet=data")
        tile = page.tile("data-lengths-input")
        assert "Athena query 7 failed: out of patience" in tile.inner_text()
        assert page.tile("data-flow").get_by_role("img").count() == 1
        failing.clear()
        tile.get_by_role("button", name="Try again").click()
        tile.get_by_role("img").wait_for()


def test_a_new_run_appears_by_itself_and_is_announced(browser: Any, bundles: Path) -> None:
    worlds = [World(runs=1, records=2)]
    first = worlds[0].live()
    live = replace(
        first,
        ask=lambda data_set, parameters: worlds[-1].answer(data_set, parameters),
        revision=lambda: str(worlds[-1].runs),
    )
    with serving({"reports": live}, bundles=bundles) as url, opened(browser, url) as page:
        page.go("sheet=training")
        assert page.control("Run").locator("option").count() == 2
        page.control("Slice").select_option("normal")
        page.settle()
        worlds.append(World(runs=2, records=2))
        page.page.wait_for_selector("[aria-live=polite]:has-text('There is something new')", state="attached")
        assert page.control("Run").locator("option").count() == 3
        assert page.control("Slice").input_value() == "normal"
        worlds.append(World(runs=3, records=2))
        page.page.get_by_role("button", name="Refresh").click()
        page.page.wait_for_selector("[aria-live=polite]:text-is('The dashboard was refreshed.')", state="attached")
        page.settle()
        assert page.control("Run").locator("option").count() == 4
        assert page.complaints == []
