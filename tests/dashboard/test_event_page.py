"""The page of adverse events in a real browser: what it does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.server import serving
from tests.dashboard.event_world import EventWorld
from tests.dashboard.open_page import OpenPage, file_of, opened

WORLD = EventWorld(runs=2, records=160, sets=("holdout",))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> str:
    return file_of(WORLD.live(), tmp_path_factory.mktemp("file") / "dashboard.html", bundles)


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[OpenPage]:
    with opened(browser, address) as page:
        yield page
        assert page.complaints == []


def answers(name: str, **chosen: str) -> list[dict[str, Any]]:
    values = {one.name: one.default for one in WORLD.dashboard.parameters} | chosen
    return WORLD.rows(name, {one: values[one] for one in WORLD.dashboard.data_set(name).parameters})


def test_newest_events_come_first_and_other_texts_on_demand(page: OpenPage) -> None:
    page.go()
    tile = page.tile("events-newest")
    arrived = page.rows("events-newest", 0)
    assert len(arrived) > 5 and arrived == sorted(arrived, reverse=True)
    assert set(page.rows("events-newest", 3)) == {"Adverse_Event"}
    page.control("Show in the table").select_option("all texts")
    page.settle()
    everything = answers("newest_events", incoming="all texts")
    assert tile.locator(".row-count").inner_text() == f"{len(everything)} rows"
    # For whoever is to judge an event: its id is there, and not shown.
    assert "event" not in [text.strip() for text in tile.get_by_role("columnheader").all_inner_texts()]


def test_a_range_narrows_the_table_alone(page: OpenPage) -> None:
    page.go("r.range-probability=0.8,1")
    kept = [row for row in answers("newest_events") if row["probability"] >= 0.8]
    tile = page.tile("events-newest")
    assert tile.locator(".row-count").inner_text() == f"{len(kept)} rows"
    assert page.numbers()["events-events"]["value"] == answers("event_totals")[0]["events"] > len(kept)


def test_a_stack_is_as_high_as_its_events_together(page: OpenPage) -> None:
    page.go()
    numbers = page.numbers()["events-days"]
    heights = [
        sum(series["values"][place] for series in numbers["series"]) for place in range(len(numbers["categories"]))
    ]
    assert sum(heights) == answers("event_totals")[0]["events"]
    drawn = page.page.evaluate(
        "dashboard.tiles.find(tile => tile.visual.id === 'events-days').view.chart.getOption().series.map(s => s.stack)"
    )
    assert len(drawn) == 6 and set(drawn) == {"all"}


def test_missed_events_or_false_alarms_come_first(page: OpenPage) -> None:
    page.go("sheet=mistakes&p.order=missed first")
    verdicts = page.rows("mistakes-table", 3)
    missed = verdicts.count("missed")
    assert 0 < missed < len(verdicts) and verdicts == ["missed"] * missed + ["false alarm"] * (len(verdicts) - missed)
    wrong_by = [float(text) for text in page.rows("mistakes-table", 7)]
    assert wrong_by[:missed] == sorted(wrong_by[:missed], reverse=True)
    page.go("sheet=mistakes&p.order=false alarms first")
    assert page.rows("mistakes-table", 3) == verdicts[missed:] + verdicts[:missed]


def test_a_chosen_threshold_stands_out_of_its_curve(page: OpenPage) -> None:
    page.go("sheet=quality")
    legend = page.tile("quality-precision-recall").locator(".legend").inner_text()
    assert "fine-tuned, chosen" in legend and "tf-idf, chosen" not in legend
    drawn = page.page.evaluate(
        "dashboard.tiles.find(tile => tile.visual.id === 'quality-precision-recall').view.chart.getOption().series"
        ".map(series => [series.name, series.data.length, series.symbolSize])"
    )
    sizes = {name: (points, size) for name, points, size in drawn}
    assert sizes["fine-tuned, chosen"][0] == 1 and sizes["fine-tuned"][0] > 5
    assert sizes["fine-tuned, chosen"][1] > sizes["fine-tuned"][1]


def test_points_are_drawn_named_and_read_as_a_table(page: OpenPage) -> None:
    page.go("sheet=search")
    tile = page.tile("search-learning-rate")
    assert tile.locator(".legend").inner_text().split() == ["best", "others"]
    jobs = [row for row in answers("search_jobs") if row["objective"] is not None]
    drawn = page.page.evaluate(
        "dashboard.tiles.find(tile => tile.visual.id === 'search-learning-rate').view.chart.getOption().series"
        ".map(series => [series.type, series.data.length])"
    )
    assert drawn == [["scatter", 1], ["scatter", len(jobs) - 1]]
    tile.get_by_role("button", name="Show as table").click()
    heads = [text.strip() for text in tile.get_by_role("columnheader").all_inner_texts()]
    assert heads == ["job", "kind", "learning rate (millionths)", "F1 on the validation texts"]
    assert sorted(page.rows("search-learning-rate", 0)) == sorted(row["job"] for row in jobs)


def test_what_comes_in_appears_by_itself_and_leaves_the_reader_where_they_are(browser: Any, bundles: Path) -> None:
    worlds = [replace(WORLD, incoming=300)]
    live = replace(
        worlds[0].live(),
        ask=lambda data_set, parameters: worlds[-1].answer(data_set, parameters),
        revision=lambda: str(worlds[-1].incoming),
    )
    with serving({"events": live}, bundles=bundles) as url, opened(browser, url) as page:
        page.go()
        before = page.numbers()["events-texts"]["value"]
        page.page.get_by_label("Find in this table").fill("rash")
        scroller = page.tile("events-newest").locator(".table-scroller")
        scroller.evaluate("element => { element.scrollTop = 200; }")
        worlds.append(replace(WORLD, incoming=330))
        page.page.wait_for_selector("[aria-live=polite]:has-text('There is something new')", state="attached")
        after = page.numbers()["events-texts"]["value"]
        assert after > before and f"{after:,.0f}" in page.tile("events-texts").inner_text()
        find = page.page.get_by_label("Find in this table")
        assert find.input_value() == "rash" and find.evaluate("element => element === document.activeElement")
        assert scroller.evaluate("element => element.scrollTop") == 200
        assert page.complaints == []


def test_events_are_searched_in_the_served_page(browser: Any, bundles: Path) -> None:
    with serving({"events": WORLD.live()}, bundles=bundles) as url, opened(browser, url) as page:
        page.go()
        page.page.get_by_label("Search in the table's texts").fill("LITHIUM")
        expected = len(answers("newest_events", searched="LITHIUM"))
        assert 0 < expected < len(answers("newest_events"))
        page.page.wait_for_selector(f".row-count:text-is('{expected} rows')")
        assert page.complaints == []
