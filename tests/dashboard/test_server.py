"""The server: what it answers, and whom."""

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from local.dashboard.errors import QuestionError
from local.dashboard.server import serving
from local.errors import RunError
from tests.dashboard.world import NEWEST, TASK, World

WORLD = World(runs=2, records=3)


@pytest.fixture(scope="module")
def address(bundles: Path) -> Iterator[str]:
    with serving({"reports": WORLD.live()}, bundles=bundles) as url:
        yield url


def _get(
    url: str, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    content = response.read()
    found = {name: value for name, value in response.getheaders()}
    connection.close()
    is_json = found.get("Content-Type") == "application/json"
    return response.status, found, json.loads(content) if is_json else content.decode()


def test_the_page_is_served_on_the_loopback_interface(address: str) -> None:
    status, headers, content = _get(address, "/")
    assert urlsplit(address).hostname == "127.0.0.1"
    assert status == 200 and content.startswith("<!doctype html>")
    assert headers["Cache-Control"] == "no-store" and headers["X-Frame-Options"] == "DENY"


def test_the_document_has_what_is_kept_and_no_clinical_text(address: str) -> None:
    status, headers, document = _get(address, "/document")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert {answer["data_set"] for answer in document["answers"]} == {"runs", "run_list", "history", "scores"}
    assert document["provenance"]["revision"] == _get(address, "/revision")[2]["revision"] == "2"


def test_a_question_is_answered(address: str) -> None:
    chosen = {"task": TASK, "run": NEWEST, "slice": "all", "order": "worst first", "search": "é'; --"}
    query = urlencode({"data_set": "reports", **{f"parameter.{name}": value for name, value in chosen.items()}})
    status, _, answer = _get(address, f"/answers?{query}")
    assert status == 200 and answer["answers"][0]["parameters"] == chosen and answer["answers"][0]["total_rows"] == 0


def test_a_question_that_is_none_is_refused_by_name(address: str) -> None:
    status, _, answer = _get(address, "/answers?data_set=nothing")
    assert (status, answer) == (400, {"error": "there is no data set nothing"})


@pytest.mark.parametrize("path", ["/etc/passwd", "/document/", "/../page.py", "/favicon.ico"])
def test_nothing_else_is_served(address: str, path: str) -> None:
    assert _get(address, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_strangers_are_refused(address: str, headers: dict[str, str]) -> None:
    status, _, answer = _get(address, "/document", headers)
    assert status == 403 and "texts" not in answer


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, {"Origin": "http://localhost:1"}],
)
def test_a_link_from_elsewhere_may_open_the_page(address: str, headers: dict[str, str]) -> None:
    assert _get(address, "/", headers)[0] == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_other_method_is_answered(address: str, method: str) -> None:
    assert _get(address, "/document", method=method)[0] == 501


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (QuestionError("no such thing"), 400, "no such thing"),
        (RunError("Athena query 1 failed"), 502, "Athena query 1 failed"),
        (ValueError("Mrs Example has a nodule"), 500, "the answer failed with ValueError"),
    ],
)
def test_failures_are_said_and_leave_nothing_behind(
    bundles: Path, capfd: pytest.CaptureFixture[str], error: Exception, status: int, said: str
) -> None:
    def ask(*_: Any) -> Any:
        raise error

    with serving({"reports": replace(WORLD.live(), ask=ask)}, bundles=bundles) as url:
        query = urlencode({"data_set": "lengths", "parameter.run": "Mrs Example"})
        answer = _get(url, f"/answers?{query}")
        assert (answer[0], answer[2]) == (status, {"error": said})
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


def test_what_a_reader_sees_first_is_asked_beforehand(bundles: Path) -> None:
    asked: list[tuple[str, str]] = []
    done = threading.Event()

    def ask(data_set: Any, parameters: Any) -> Any:
        asked.append((data_set.identifier, parameters.get("run", "")))
        if data_set.identifier == "lengths":
            done.set()
        return WORLD.answer(data_set, parameters)

    with serving({"reports": replace(WORLD.live(), ask=ask)}, bundles=bundles) as url:
        _get(url, "/document")
        assert done.wait(10)
    assert ("reports", NEWEST) in asked and ("runs", "") in asked


def test_what_was_known_is_asked_anew_where_there_are_new_rows(bundles: Path) -> None:
    forgotten: list[str] = []
    revisions = ["1"]
    live = replace(
        WORLD.live(),
        forget=lambda: forgotten.append("everything"),
        renew=lambda: forgotten.append(revisions[-1]),
        revision=lambda: revisions[-1],
    )
    with serving({"reports": live}, bundles=bundles) as url:
        for _ in range(2):
            _get(url, "/document")
        assert forgotten == ["1"]
        _get(url, "/document?fresh=yes")
        assert forgotten == ["1", "everything"]
        revisions.append("2")
        _get(url, "/document")
        assert forgotten == ["1", "everything", "2"]
