"""What holds for the page of every dashboard, in a real browser: all is there, its numbers are right, everybody can
use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.server import serving
from stacks.dashboard.parts import Control, Dashboard, Range, Sheet
from tests.dashboard.event_world import EventWorld
from tests.dashboard.expected import expected_numbers
from tests.dashboard.open_page import AXE, OpenPage, file_of, opened
from tests.dashboard.same_numbers import assert_same_numbers
from tests.dashboard.world import World

WORLDS: dict[str, World] = {"reports": World(runs=3, records=40), "events": EventWorld(runs=3, records=40)}
EACH_SHEET = [(name, sheet.id) for name, world in WORLDS.items() for sheet in world.dashboard.sheets]
RUNS = [run.run_id for run in WORLDS["reports"].evaluated]
CHOICES: dict[str, tuple[str, dict[str, str], dict[str, list[str]]]] = {
    "reports as given": ("reports", {}, {}),
    "reports of another run": ("reports", {"run": RUNS[0], "slice": "abnormal", "compare": RUNS[1]}, {}),
    "a slice and ticked models": (
        "reports",
        {"slice": "normal", "order": "largest loss first"},
        {"model": ["fine-tuned", "constant"]},
    ),
    "one evaluation set": ("reports", {}, {"evaluation_set": ["dev1"]}),
    "a task without runs": ("reports", {"task": "adverse_events"}, {}),
    "events as given": ("events", {}, {}),
    "events of another run": ("events", {"run": RUNS[0], "compare": RUNS[1]}, {}),
    "all texts": ("events", {"incoming": "all texts", "judged": "all texts", "order": "false alarms first"}, {}),
    "ticked models of one set": (
        "events",
        {"order": "missed first"},
        {"model": ["fine-tuned", "tf-idf"], "evaluation_set": ["dev1"]},
    ),
    "an event task without runs": ("events", {"task": "it's another task"}, {}),
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    return {name: file_of(world.live(), folder / f"{name}.html", bundles) for name, world in WORLDS.items()}


@pytest.fixture(scope="module")
def served(bundles: Path) -> Iterator[str]:
    with serving({name: world.live() for name, world in WORLDS.items()}, bundles=bundles) as url:
        yield url


def view_of(parameters: dict[str, str], ticks: dict[str, list[str]]) -> str:
    fragment = [f"p.{name}={value}" for name, value in parameters.items()]
    fragment += [f"f.tick-{column.replace('_', '-')}={value}" for column, values in ticks.items() for value in values]
    return "&".join(fragment)


def on_sheet(dashboard: Dashboard, sheet: Sheet) -> tuple[list[str], list[str]]:
    """Titles of the controls that must be on a sheet, and of those that must not."""

    def about(control: Control) -> str:
        return control.column if isinstance(control, Range) else control.parameter

    common = {about(control): control.title for control in dashboard.controls}
    common |= {tick.column: tick.title for tick in dashboard.ticks}
    own = [control.title for control in sheet.controls]
    there = [title for name, title in common.items() if name not in sheet.without]
    return [*there, *own], [common[name] for name in sheet.without]


@pytest.mark.parametrize("name", WORLDS)
def test_every_sheet_shows_every_visual_with_title_and_help(browser: Any, addresses: dict[str, str], name: str) -> None:
    dashboard = WORLDS[name].dashboard
    with opened(browser, addresses[name]) as page:
        for sheet in dashboard.sheets:
            page.go(f"sheet={sheet.id}")
            assert page.page.get_by_role("tab", name=sheet.title, exact=True).get_attribute("aria-selected") == "true"
            assert page.page.locator(".description").inner_text() == sheet.description
            for visual in sheet.visuals:
                tile = page.tile(visual.id)
                assert tile.locator("h3").inner_text() == visual.title
                assert tile.locator(".help").inner_text() == visual.help
                assert tile.locator(".gap, .failure").count() == 0, tile.inner_text()
                assert "Drawn without" not in tile.locator(".notes").inner_text()
            assert page.page.locator(".tile").count() == len(sheet.visuals)
            there, missing = on_sheet(dashboard, sheet)
            controls = page.page.locator(".controls")
            for title in there:
                assert controls.get_by_text(title, exact=True).count() >= 1, title
            for title in missing:
                assert controls.get_by_text(title, exact=True).count() == 0, title
        assert page.complaints == []
        strange = [one for one in page.requests if not one.startswith(("file:", "about:", "data:"))]
        assert strange == []


@pytest.mark.parametrize("choice", CHOICES)
def test_the_numbers_are_those_of_an_independent_computation(
    browser: Any, addresses: dict[str, str], choice: str
) -> None:
    name, parameters, ticks = CHOICES[choice]
    with opened(browser, addresses[name]) as page:
        page.go(view_of(parameters, ticks))
        expected = expected_numbers(WORLDS[name], WORLDS[name].dashboard, parameters, ticks)
        assert_same_numbers(page.numbers(), expected)
        assert page.complaints == []


@pytest.mark.parametrize(("name", "sheet"), EACH_SHEET)
def test_a_phone_needs_no_sideways_scrolling(browser: Any, addresses: dict[str, str], name: str, sheet: str) -> None:
    with opened(browser, addresses[name], viewport={"width": 390, "height": 844}, has_touch=True) as page:
        page.go(f"sheet={sheet}")
        assert page.page.evaluate("document.documentElement.scrollWidth") == 390
        wider = page.page.evaluate(
            "[...document.querySelectorAll('.tile, .control, .tabs button')]"
            ".filter(one => one.getBoundingClientRect().right > 391).map(one => one.className)"
        )
        assert wider == []
        assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", WORLDS)
def test_axe_finds_nothing_serious(browser: Any, addresses: dict[str, str], name: str, scheme: str, width: int) -> None:
    with opened(browser, addresses[name], color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        for sheet in WORLDS[name].dashboard.sheets:
            page.go(f"sheet={sheet.id}")
            assert violations(page) == [], sheet.id
            if page.page.get_by_role("button", name="Show as table").count():
                page.page.get_by_role("button", name="Show as table").first.click()
            if "model" not in sheet.without:
                page.page.get_by_role("button", name="Models: all").click()
            assert violations(page) == [], sheet.id
        assert page.complaints == []


def violations(page: OpenPage) -> list[Any]:
    page.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = page.page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(result => result.violations"
        ".filter(one => one.impact === 'serious' || one.impact === 'critical')"
        ".map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"
    )
    return found


def test_one_server_has_both_and_each_page_leads_to_the_other(browser: Any, served: str) -> None:
    with opened(browser, served) as page:
        page.go()
        links = page.page.get_by_role("navigation", name="Dashboards").get_by_role("link")
        assert links.all_inner_texts() == ["Report tuning", "Adverse events"]
        assert violations(page) == []
        assert_same_numbers(page.numbers(), expected_numbers(WORLDS["reports"], WORLDS["reports"].dashboard))
        for name, title in (("events", "Adverse events"), ("reports", "Report tuning")):
            links.filter(has_text=title).click()
            page.settle()
            assert page.page.locator("h1").inner_text() == title
            assert page.page.locator(".dashboards [aria-current=page]").inner_text() == title
            assert page.page.url == (served if name == "reports" else f"{served}{name}/")
            assert_same_numbers(page.numbers(), expected_numbers(WORLDS[name], WORLDS[name].dashboard))
        assert page.complaints == []
        assert [one for one in page.requests if not one.startswith((served, "about:", "data:"))] == []


@pytest.mark.parametrize("name", WORLDS)
def test_a_file_leads_nowhere(browser: Any, addresses: dict[str, str], name: str) -> None:
    with opened(browser, addresses[name]) as page:
        page.go()
        assert page.page.get_by_role("link").all_inner_texts() == ["Skip to the sheet"]
        assert page.page.get_by_role("navigation").count() == 0
