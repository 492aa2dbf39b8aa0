"""The page of reports in a real browser: what it does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.server import serving
from stacks.dashboard.report.report_dashboard import report_dashboard
from tests.dashboard.open_page import OpenPage, file_of, opened
from tests.dashboard.world import TASKS, World

DASHBOARD = report_dashboard(TASKS)
WORLD = World(runs=3, records=40)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, bundles: Path) -> str:
    return file_of(WORLD.live(), tmp_path_factory.mktemp("file") / "dashboard.html", bundles)


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[OpenPage]:
    with opened(browser, address) as page:
        yield page
        assert page.complaints == []
        assert {request for request in page.requests if not request.startswith(("file:", "about:", "data:"))} == set()


@pytest.fixture(scope="module")
def served(bundles: Path) -> Iterator[str]:
    with serving({"reports": WORLD.live()}, bundles=bundles) as url:
        yield url


def test_a_tables_order_is_the_definitions(page: OpenPage) -> None:
    page.go("sheet=reports&p.order=largest gain first")
    shown = [row[8] for row in page.numbers()["reports-table"]["rows"]]
    assert shown == sorted(shown, reverse=True) and len(set(shown)) > 10


def test_what_is_seen_is_what_was_computed(page: OpenPage) -> None:
    page.go()
    numbers = page.numbers()["overview-rougel"]
    tile = page.tile("overview-rougel").inner_text()
    assert f"{numbers['value']:.4f}" in tile and f"{numbers['target']:.4f}" in tile
    assert f"+{numbers['difference']:.4f}" in tile
    missed = page.numbers()["overview-missed"]
    assert f"{missed['value']:.1%}" in page.tile("overview-missed").inner_text()


def test_ticking_changes_the_numbers_and_back_brings_them_again(page: OpenPage) -> None:
    page.go("sheet=distributions")
    tile = page.tile("distributions-table")
    assert tile.locator(".row-count").inner_text() == "80 rows"
    page.page.get_by_role("button", name="Models: all").click()
    page.page.get_by_role("checkbox", name="All", exact=True).click()
    page.settle()
    assert "No rows for this choice" in tile.inner_text() and "leave out 80 rows" in tile.inner_text()
    page.page.get_by_role("checkbox", name="constant").click()
    page.settle()
    assert tile.locator(".row-count").inner_text() == "8 rows"
    assert "leave out 72 rows" in tile.locator(".notes").inner_text()
    page.page.keyboard.press("Escape")
    page.page.go_back()
    page.page.go_back()
    page.page.wait_for_selector(".row-count:has-text('80 rows')")


def test_a_choice_and_a_range_change_the_reports(page: OpenPage) -> None:
    page.go("sheet=reports")
    tile = page.tile("reports-table")
    assert tile.locator(".row-count").inner_text() == "80 rows"
    page.control("Slice").select_option("normal")
    page.settle()
    normal = len(WORLD.rows("reports", {**_defaults(), "slice": "normal"}))
    assert tile.locator(".row-count").inner_text() == f"{normal} rows"
    lowest = page.page.get_by_label("Fine-tuned ROUGE-L, from")
    lowest.focus()
    for _ in range(10):
        page.page.keyboard.press("ArrowRight")
    page.settle()
    kept = [row for row in page.numbers()["reports-table"]["rows"] if row[6] >= 0.5]
    assert tile.locator(".row-count").inner_text() == f"{len(kept)} rows"
    assert f"leave out {normal - len(kept)} rows" in tile.locator(".notes").inner_text()


def _defaults() -> dict[str, str]:
    names = DASHBOARD.data_set("reports").parameters
    return {one.name: one.default for one in DASHBOARD.parameters if one.name in names}


def test_a_table_sorts_by_its_heads(page: OpenPage) -> None:
    page.go("sheet=distributions")
    tile = page.tile("distributions-table")
    head = tile.get_by_role("columnheader", name="mean")
    as_given = page.rows("distributions-table", 4)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    means = page.rows("distributions-table", 4)
    assert means == sorted(means) != as_given
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert page.rows("distributions-table", 4) == means[::-1]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "none" and page.rows("distributions-table", 4) == as_given


def test_words_are_found_in_a_table(page: OpenPage) -> None:
    page.go("sheet=distributions")
    tile = page.tile("distributions-table")
    tile.get_by_label("Find in this table").fill("ROUGE-LSUM")
    assert tile.locator(".row-count").inner_text() == "20 of 80 rows found"
    assert set(page.rows("distributions-table", 1)) == {"ROUGE-Lsum"}


def test_what_differs_is_marked_for_every_reader(page: OpenPage) -> None:
    page.go("sheet=reports")
    cell = page.tile("reports-table").locator(".table-body [role=row]").first.locator("[role=cell]").nth(2)
    missing, added = cell.locator("del"), cell.locator("ins")
    assert "⟦" not in cell.inner_text() and added.text_content() == "[added: +no acute disease]"
    assert missing.text_content().startswith("[missing: −")
    decoration = "element => getComputedStyle(element).textDecorationLine"
    assert (missing.evaluate(decoration), added.evaluate(decoration)) == ("line-through", "underline")


def test_the_recommendation_is_a_sentence_and_the_recommended_one_is_marked(page: OpenPage) -> None:
    page.go("sheet=choice")
    sentences = dict(zip(page.rows("choice-recommendation", 0), page.rows("choice-recommendation", 1), strict=True))
    assert sentences["dev1"].startswith("Recommended: bart-of-2025, for it is level with fine-tuned")
    assert sentences["holdout"].startswith("None is recommended")
    names = page.rows("choice-table", 0)
    assert names[0] == "dev1 · bart-of-2025 ★ recommended" and sum("★" in name for name in names) == 1
    assert len(names) == 22
    page.go(f"sheet=choice&p.run={WORLD.evaluated[0].run_id}")
    assert page.rows("choice-recommendation", 1)[0].startswith(
        "Nothing was compared: the task file names no candidates"
    )
    assert "No rows for this choice" in page.tile("choice-table").inner_text()
    assert "where the task file names no candidates" in page.tile("choice-table").inner_text()


def test_losses_are_seen_as_easily_as_gains(page: OpenPage) -> None:
    page.go("sheet=before-and-after")
    gains = [float(gain.replace("−", "-")) for gain in page.rows("before-and-after-table", 6)]
    assert gains == sorted(gains, reverse=True) and gains[0] > 0
    page.control("Sort by").first.select_option("largest loss first")
    page.settle()
    losses = [float(gain.replace("−", "-")) for gain in page.rows("before-and-after-table", 6)]
    assert losses == sorted(losses) and losses[0] < 0
    first = page.tile("before-and-after-table").locator(".table-body [role=row]").first.locator("[role=cell]")
    for place in (2, 3):
        assert first.nth(place).locator("del").count() == first.nth(place).locator("ins").count() == 1
    page.control("Sort by").first.select_option("new clinical errors first")
    page.settle()
    assert ": " in page.rows("before-and-after-table", 8)[0] and page.rows("before-and-after-table", 7)[0] == ""


def test_what_an_answer_rested_on_stands_beside_it(page: OpenPage) -> None:
    page.go("sheet=reports")
    row = page.tile("reports-table").locator(".table-body [role=row]").first
    heads = [text.strip() for text in page.tile("reports-table").get_by_role("columnheader").all_inner_texts()]
    lines = row.locator("[role=cell]").nth(heads.index("similar training reports")).inner_text().splitlines()
    worst = min(WORLD.rows("reports", _defaults()), key=lambda report: report["place"])
    assert lines == worst["similar_reports"].splitlines()
    assert [line.split(" · ")[0] for line in lines] == ["1", "2", "3", "9"] and " · consensus: " in lines[3]


def test_a_charts_numbers_can_be_read_as_a_table(page: OpenPage) -> None:
    page.go()
    tile = page.tile("overview-scores")
    chart = tile.get_by_role("img")
    assert chart.get_attribute("aria-label").startswith("ROUGE F1 by evaluation set (0 to 1, higher is better). Bars")
    tile.get_by_role("button", name="Show as table").click()
    assert chart.count() == 0
    heads = [text.strip() for text in tile.get_by_role("columnheader").all_inner_texts()]
    assert heads[:4] == ["evaluation set and score", "pre-trained", "fine-tuned", "constant answer"]
    assert heads[4:] == ["lead sentences", "nearest report", "consensus"]
    bars = {one["name"]: one["values"] for one in page.numbers()["overview-scores"]["series"]}
    assert page.rows("overview-scores", 2) == [f"{value:.4f}" for value in bars["fine-tuned"]]


def test_a_shared_link_opens_the_same_view(page: OpenPage) -> None:
    page.go("sheet=training")
    page.control("Compare with run").select_option(WORLD.evaluated[0].run_id)
    page.settle()
    legend = page.tile("training-loss-steps").locator(".legend").inner_text()
    assert "compared run: validation" in legend
    link = page.page.url
    page.page.goto("about:blank")
    page.page.goto(link)
    page.settle()
    assert page.control("Compare with run").input_value() == WORLD.evaluated[0].run_id
    assert page.tile("training-loss-steps").locator(".legend").inner_text() == legend


def test_another_task_has_other_runs(page: OpenPage) -> None:
    page.go(f"p.run={WORLD.evaluated[0].run_id}")
    page.control("Task").select_option(TASKS[1])
    page.settle()
    assert page.control("Run").input_value() == "newest"
    assert "No rows for this choice" in page.tile("overview-rougel").inner_text()


def test_the_served_page_searches(browser: Any, served: str) -> None:
    with opened(browser, served) as page:
        page.go("sheet=reports")
        word = str(WORLD.rows("reports", _defaults())[3]["doctor"])[:30].upper()
        page.page.get_by_label("Search in the texts").fill(word)
        expected = len(WORLD.rows("reports", {**_defaults(), "search": word}))
        assert 0 < expected < 80
        page.page.wait_for_selector(f".row-count:text-is('{expected} rows')")
        assert "p.search=" in page.page.url
