"""The page by keyboard, and its colours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.dashboard.open_page import OpenPage, file_of, opened
from tests.dashboard.world import World

WORLD = World(runs=2, records=30)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> str:
    return file_of(WORLD.live(), tmp_path_factory.mktemp("file") / "dashboard.html", bundles)


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[OpenPage]:
    with opened(browser, address) as page:
        page.go()
        yield page
        assert page.complaints == []


def _focused(page: OpenPage) -> str:
    """The accessible name, or else the text, of what has the focus."""
    name: str = page.page.evaluate(
        "(element => element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent)"
        "(document.activeElement)"
    )
    return name.strip()


def _press(page: OpenPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def test_a_walk_through_tabs_and_controls(page: OpenPage) -> None:
    _press(page, "Tab")
    assert _focused(page) == "Skip to the sheet"
    _press(page, "Tab", "Tab")
    assert _focused(page) == "Overview"
    _press(page, *["ArrowRight"] * 4)
    page.settle()
    assert _focused(page) == "Reports side by side"
    assert page.page.locator("[role=tabpanel]").get_attribute("aria-labelledby") == "tab-reports"
    _press(page, "End")
    assert _focused(page) == "Data"
    _press(page, "ArrowRight")
    assert _focused(page) == "Overview"
    _press(page, "ArrowLeft", "ArrowLeft", "ArrowLeft")
    page.settle()
    names = []
    for _ in range(8):
        _press(page, "Tab")
        names.append(_focused(page))
    assert names == [
        "Task",
        "Run",
        "Slice",
        "Sort by",
        "Evaluation sets: all",
        "Models: all",
        "Fine-tuned ROUGE-L, from",
        "Fine-tuned ROUGE-L, to",
    ]


def test_one_tab_stop_leads_past_the_tabs(page: OpenPage) -> None:
    stops = page.page.evaluate("[...document.querySelectorAll('[role=tab]')].filter(tab => tab.tabIndex === 0).length")
    assert stops == 1


def test_a_list_is_ticked_by_keyboard(page: OpenPage) -> None:
    button = page.page.get_by_role("button", name="Models: all")
    button.focus()
    _press(page, "Enter")
    # The browser says that the list is open when it gets to it.
    expect(button).to_have_attribute("aria-expanded", "true")
    assert _focused(page) == "All"
    _press(page, "Tab", "Space")
    expect(page.page.get_by_role("button", name="Models: 9 values")).to_have_count(1)
    # The list stays open, and the focus in it, for the next one.
    _press(page, "Tab", "Space")
    expect(page.page.get_by_role("button", name="Models: 8 values")).to_have_attribute("aria-expanded", "true")
    _press(page, "Escape")
    expect(page.page.get_by_role("button", name="Models: 8 values")).to_be_focused()
    assert page.page.locator(".popup:popover-open").count() == 0


def test_a_choice_is_made_by_keyboard_and_keeps_the_focus(page: OpenPage) -> None:
    page.control("Slice").focus()
    _press(page, "ArrowDown")
    page.settle()
    assert "p.slice=normal" in page.page.url and _focused(page) == "Slice"


def test_neither_end_of_a_range_passes_the_other(page: OpenPage) -> None:
    page.go("sheet=reports&r.range-fine-tuned-score=0.4,0.5")
    page.page.get_by_label("Fine-tuned ROUGE-L, from").focus()
    _press(page, *["ArrowRight"] * 6)
    page.settle()
    assert page.page.get_by_label("Fine-tuned ROUGE-L, from").input_value() == "0.5"
    page.page.get_by_label("Fine-tuned ROUGE-L, to").focus()
    _press(page, "End")
    page.settle()
    assert "r.range-fine-tuned-score=0.5%2C1" in page.page.url


def test_tables_scroll_and_sort_by_keyboard(page: OpenPage) -> None:
    page.go("sheet=reports")
    scroller = page.tile("reports-table").locator(".table-scroller")
    scroller.focus()
    _press(page, "PageDown", "PageDown")
    page.page.wait_for_timeout(300)
    assert scroller.evaluate("element => element.scrollTop") > 300
    _press(page, "Tab")
    assert _focused(page).startswith("findings")
    _press(page, "Enter")
    assert page.tile("reports-table").get_by_role("columnheader", name="findings").first.get_attribute("aria-sort") == (
        "ascending"
    )
    assert _focused(page).startswith("findings")


def test_every_row_says_which_of_how_many_it_is(page: OpenPage) -> None:
    page.go("sheet=reports")
    table = page.tile("reports-table").get_by_role("table")
    assert table.get_attribute("aria-rowcount") == str(60 + 1)
    places = table.locator(".table-body [role=row]").evaluate_all("rows => rows.map(row => row.ariaRowIndex)")
    assert places == [str(place) for place in range(2, 2 + len(places))]


def test_the_colours_follow_the_system_or_the_readers_choice(page: OpenPage) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.page.evaluate(ground)
    page.page.get_by_label("Colours").select_option("dark")
    dark = page.page.evaluate(ground)
    assert light != dark
    page.page.emulate_media(color_scheme="dark")
    page.page.get_by_label("Colours").select_option("as the system")
    assert page.page.evaluate(ground) == dark
    page.page.get_by_label("Colours").select_option("light")
    assert page.page.evaluate(ground) == light
