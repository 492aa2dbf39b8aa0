"""The page in a real browser, where a person says whether the model was right."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.dashboard.errors import VerdictError
from local.dashboard.live import LiveDashboard
from local.dashboard.reviewing import Review, Reviewing
from local.dashboard.server import serving
from tests.dashboard.event_rows import Row
from tests.dashboard.event_world import LABELS, EventWorld
from tests.dashboard.open_page import AXE, OpenPage, file_of, opened

TASK, OTHER_TASK = LABELS


class Reviewed(EventWorld):
    """A world in which verdicts can be given."""

    @property
    def reviews(self) -> list[Row]:  # type: ignore[override]
        found: list[Row] = self.__dict__.setdefault("_reviews", [])
        return found

    def give(self, review: Review) -> str:
        others = [row for row in self.reviews if row["event_id"] != review.event_id]
        said = {"event_id": review.event_id, "source": review.source, "verdict": review.verdict}
        self.__dict__["_reviews"] = [*others, said]
        return "Adverse_Event" if review.verdict == "confirmed" else "Not_AE"


def live_of(world: Reviewed, give: Any = None) -> LiveDashboard:
    return replace(
        world.live(),
        revision=lambda: str(len(world.reviews)),
        reviewing=Reviewing("newest_events", (TASK,), give or world.give),
    )


@pytest.fixture
def world() -> Reviewed:
    return Reviewed(runs=1, records=4, incoming=200)


@contextmanager
def served(browser: Any, bundles: Path, live: LiveDashboard, **context: Any) -> Iterator[OpenPage]:
    with serving({"events": live}, bundles=bundles) as url, opened(browser, url, **context) as page:
        page.go()
        yield page


def row_of(page: OpenPage, row: int) -> Any:
    return page.tile("events-newest").locator(".table-body [role=row]").nth(row)


def button(page: OpenPage, row: int, name: str) -> Any:
    return row_of(page, row).get_by_role("button", name=name)


def verdict(page: OpenPage, row: int) -> str:
    return str(row_of(page, row).locator(".verdict").inner_text())


def wait_for_verdict(page: OpenPage, row: int, said: str) -> None:
    row_of(page, row).locator(".verdict").filter(has_text=said).wait_for()


def has_focus(locator: Any) -> bool:
    return bool(locator.evaluate("element => element === document.activeElement"))


def read_anew(page: OpenPage) -> None:
    page.page.wait_for_selector("[aria-live=polite]:has-text('There is something new')", state="attached")
    page.settle()


def test_a_verdict_stands_in_its_row_and_stays_when_the_rows_are_read_anew(
    browser: Any, bundles: Path, world: Reviewed
) -> None:
    with served(browser, bundles, live_of(world)) as page:
        first, second = world.rows("newest_events", {"task": TASK, "incoming": "events", "searched": ""})[:2]
        assert (button(page, 0, "Confirm").get_attribute("aria-pressed"), verdict(page, 0)) == ("false", "")
        button(page, 0, "Confirm").click()
        wait_for_verdict(page, 0, "confirmed")
        assert button(page, 0, "Confirm").get_attribute("aria-pressed") == "true"
        said = page.page.locator("[aria-live=polite]").inner_text()
        assert said == "The text is confirmed. The next run learns it as Adverse_Event."
        button(page, 1, "Reject").click()
        read_anew(page)
        assert (verdict(page, 0), verdict(page, 1), verdict(page, 2)) == ("confirmed", "rejected", "")
        assert [(row["event_id"], row["source"], row["verdict"]) for row in world.reviews] == [
            (first["event_id"], first["source"], "confirmed"),
            (second["event_id"], second["source"], "rejected"),
        ]
        button(page, 0, "Reject").click()
        wait_for_verdict(page, 0, "rejected")
        assert button(page, 0, "Confirm").get_attribute("aria-pressed") == "false"
        assert page.complaints == []


def test_by_keyboard_a_reader_keeps_their_place_while_rows_are_read_anew(
    browser: Any, bundles: Path, world: Reviewed
) -> None:
    with served(browser, bundles, live_of(world)) as page:
        button(page, 2, "Confirm").focus()
        page.page.keyboard.press("Tab")
        assert has_focus(button(page, 2, "Reject"))
        page.page.keyboard.press("Enter")
        read_anew(page)
        assert verdict(page, 2) == "rejected" and has_focus(button(page, 2, "Reject"))
        page.page.keyboard.press("Tab")
        assert has_focus(button(page, 3, "Confirm"))
        page.page.keyboard.press("Space")
        wait_for_verdict(page, 3, "confirmed")
        assert page.complaints == []


def test_a_verdict_that_was_not_taken_is_said_and_can_be_given_again(
    browser: Any, bundles: Path, world: Reviewed
) -> None:
    failures = [VerdictError("the event is being written; try again in some minutes")]

    def give(review: Review) -> str:
        if failures:
            raise failures.pop()
        return world.give(review)

    with served(browser, bundles, live_of(world, give)) as page:
        button(page, 0, "Confirm").click()
        alert = page.tile("events-newest").get_by_role("alert").filter(has_text="Not taken")
        assert alert.inner_text() == "Not taken: the event is being written; try again in some minutes"
        assert verdict(page, 0) == "" and button(page, 0, "Confirm").get_attribute("aria-pressed") == "false"
        button(page, 0, "Confirm").click()
        wait_for_verdict(page, 0, "confirmed")
        assert page.tile("events-newest").get_by_role("alert").filter(has_text="Not taken").count() == 0
        # The browser itself notes the answer 400.
        assert len(page.complaints) == 1 and "400" in page.complaints[0]


def test_two_clicks_at_once_are_one_verdict(browser: Any, bundles: Path, world: Reviewed) -> None:
    going, taken = threading.Event(), []

    def give(review: Review) -> str:
        taken.append(review)
        going.wait(20)
        return world.give(review)

    with served(browser, bundles, live_of(world, give)) as page:
        button(page, 0, "Confirm").click()
        assert button(page, 0, "Reject").get_attribute("aria-disabled") == "true"
        # A person's click; Playwright's own would wait for the button to be enabled.
        button(page, 0, "Reject").dispatch_event("click")
        going.set()
        wait_for_verdict(page, 0, "confirmed")
        assert [review.verdict for review in taken] == ["confirmed"]


def test_no_buttons_where_no_function_takes_reviews(browser: Any, bundles: Path, tmp_path: Path) -> None:
    plain = EventWorld(runs=1, records=4, incoming=200)
    offered = replace(plain.live(), reviewing=Reviewing("newest_events", (TASK,), lambda _: ""))
    of_another = replace(offered, reviewing=Reviewing("newest_events", (OTHER_TASK,), lambda _: ""))
    for live in (plain.live(), of_another):
        with served(browser, bundles, live) as page:
            assert page.tile("events-newest").get_by_role("button", name="Confirm").count() == 0
            assert {"confirmed", ""} <= set(page.rows("events-newest", 5))
    # Nor in a file, also if it is written where they are offered.
    with opened(browser, file_of(offered, tmp_path / "dashboard.html", bundles)) as page:
        page.go()
        assert {"confirmed", ""} <= set(page.rows("events-newest", 5))
        assert page.page.get_by_role("button", name="Confirm").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_buttons_are_usable_by_everybody(browser: Any, bundles: Path, world: Reviewed, width: int, scheme: str) -> None:
    with served(
        browser, bundles, live_of(world), viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as page:
        button(page, 0, "Confirm").click()
        wait_for_verdict(page, 0, "confirmed")
        assert button(page, 0, "Reject").get_attribute("aria-label") == "Reject: Adverse_Event is wrong"
        boxes = [button(page, 0, name).bounding_box() for name in ("Confirm", "Reject")]
        assert all(box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        assert boxes[0]["y"] == boxes[1]["y"], "side by side"
        page.page.evaluate(AXE.read_text(encoding="utf-8"))
        violations = page.page.evaluate("axe.run('[data-visual=events-newest]').then(result => result.violations)")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []
