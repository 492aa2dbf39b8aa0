"""The server: whose verdicts it takes, and what becomes of them."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.dashboard.coverage import Limits
from local.dashboard.errors import VerdictError
from local.dashboard.reviewing import Review, Reviewing, reviewable
from local.dashboard.server import LARGEST_BODY, serving
from tests.dashboard.event_world import LABELS, EventWorld
from tests.dashboard.test_server import _get

WORLD = EventWorld(runs=1, records=3)
TASK = next(iter(LABELS))
GOOD = {"task": TASK, "event_id": "A-1", "source": "clinic", "verdict": "confirmed"}


class Given:
    """Takes verdicts; `error` is raised in place of taking one."""

    def __init__(self) -> None:
        self.reviews: list[Review] = []
        self.error: Exception | None = None

    def __call__(self, review: Review) -> str:
        if self.error is not None:
            raise self.error
        self.reviews.append(review)
        return "Adverse_Event"


@pytest.fixture
def given() -> Given:
    return Given()


@pytest.fixture
def address(given: Given, bundles: Path) -> Iterator[str]:
    live = WORLD.live()
    reviewing = Reviewing("newest_events", (TASK,), given)
    with serving({"reports": live, "events": replace(live, reviewing=reviewing)}, bundles=bundles) as url:
        yield f"{url}events/"


def post(
    url: str, body: Any = GOOD, *, path: str = "reviews", without: tuple[str, ...] = (), **changed: str
) -> tuple[int, Any]:
    """What is answered to a page of this server, but for headers that are left out or `changed` (`_` for a dash)."""
    parts = urlsplit(url)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "Host": parts.netloc,
        "Origin": f"http://{parts.netloc}",
        "Sec-Fetch-Site": "same-origin",
        "Sec-Fetch-Mode": "cors",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "X-Report-Tuning": "review",
    } | {name.replace("_", "-"): value for name, value in changed.items()}
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.putrequest("POST", f"{parts.path}{path}", skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        if name not in without:
            connection.putheader(name, value)
    connection.endheaders(content)
    response = connection.getresponse()
    found = json.loads(response.read())
    connection.close()
    return response.status, found


def test_a_verdict_is_passed_on_and_its_label_comes_back(address: str, given: Given) -> None:
    assert post(address) == (200, {"label": "Adverse_Event"})
    assert post(address, GOOD | {"source": None, "verdict": "rejected"})[0] == 200
    assert given.reviews == [Review(TASK, "A-1", "clinic", "confirmed"), Review(TASK, "A-1", None, "rejected")]


def test_the_document_offers_it_and_that_of_another_dashboard_and_a_file_do_not(address: str) -> None:
    offered = _get(address, "/events/document")[2]["reviews"]
    assert offered == {"data_set": "newest_events", "tasks": [TASK]}
    assert _get(address, "/document")[2]["reviews"] is None
    live = replace(WORLD.live(), reviewing=Reviewing("newest_events", (TASK,), Given()))
    assert json.loads(live.whole_document(Limits()).to_json())["reviews"] is None


def test_only_rows_that_can_be_named_may_be_judged() -> None:
    found = [one.identifier for one in WORLD.deployed().data_sets.values() if reviewable(one)]
    assert found == ["newest_events"]


@pytest.mark.parametrize(
    "changed",
    [
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        # Another program's page on this machine.
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_strangers_are_refused(address: str, given: Given, changed: dict[str, str]) -> None:
    assert post(address, **changed)[0] == 403
    assert given.reviews == []


@pytest.mark.parametrize("missing", ["Origin", "X-Report-Tuning", "Host"])
def test_what_a_form_can_send_is_not_enough(address: str, given: Given, missing: str) -> None:
    assert post(address, without=(missing,))[0] in (400, 403)
    assert given.reviews == []


def test_a_page_elsewhere_that_asks_whether_it_may_is_not_answered(address: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "x-report-tuning"}
    status, answered, _ = _get(address, "/events/reviews", headers, method="OPTIONS")
    assert status == 501 and not any(name.startswith("Access-Control") for name in answered)


@pytest.mark.parametrize(
    ("body", "changed", "status"),
    [
        (b"{", {}, 400),
        (b"[" * 4000, {}, 400),
        (b"\xff", {}, 400),
        ([], {}, 400),
        ({**GOOD, "more": 1}, {}, 400),
        ({name: GOOD[name] for name in ("task", "event_id", "verdict")}, {}, 400),
        ({**GOOD, "event_id": 1}, {}, 400),
        ({**GOOD, "event_id": ""}, {}, 400),
        ({**GOOD, "source": 1}, {}, 400),
        ({**GOOD, "verdict": "Confirmed"}, {}, 400),
        ({**GOOD, "verdict": ["confirmed"]}, {}, 400),
        ({**GOOD, "task": "it's another task"}, {}, 400),
        (GOOD, {"Content_Type": "text/plain"}, 415),
        (GOOD, {"Content_Type": "application/x-www-form-urlencoded"}, 415),
        (b" " * (LARGEST_BODY + 1), {}, 413),
        (GOOD, {"Content_Length": "-1"}, 411),
    ],
)
def test_what_is_no_review_is_refused(
    address: str, given: Given, body: Any, changed: dict[str, str], status: int
) -> None:
    found, answer = post(address, body, **changed)
    assert (found, given.reviews) == (status, [])
    assert "A-1" not in answer["error"] and answer["error"]


@pytest.mark.parametrize("path", ["document", "", "reviews/", "answers"])
def test_nothing_else_takes_anything(address: str, path: str) -> None:
    assert post(address, path=path)[0] == 404


def test_a_dashboard_without_reviews_takes_none(address: str, given: Given) -> None:
    status, answer = post(address.removesuffix("events/"))
    assert (status, answer) == (400, {"error": "rows of this task cannot be judged here"})
    assert given.reviews == []


def test_a_verdict_that_was_not_taken_says_why_and_a_failure_says_only_its_kind(address: str, given: Given) -> None:
    given.error = VerdictError("the event is being written; try again in some minutes")
    assert post(address) == (400, {"error": str(given.error)})
    given.error = ValueError("Mrs Example has hives")
    assert post(address) == (500, {"error": "the answer failed with ValueError"})
