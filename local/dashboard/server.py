"""The dashboards' pages over HTTP, for this machine's own browser.

    GET /              the page of the first dashboard
    GET /document      what it begins with; `?fresh=yes` after reading everything again
    GET /answers       one answer: `?data_set=<identifier>&parameter.<name>=<value>...`
    GET /revision      {"revision"}: changes when there is something new
    POST /reviews      {"task", "event_id", "source", "verdict"}: what a person says of a row; answers {"label"}

Every other dashboard has the same below a path of its own: `/<path>/`, `/<path>/document` ...

Listens on the loopback interface. A request with a foreign Host (DNS rebinding) or from another site is refused, for
the answers are clinical text. What changes something is taken only from a page of this very server, with a header that
no form can send and that another site's script may not. Logs nothing: addresses hold what was searched for.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.dashboard.document import Link
from local.dashboard.errors import QuestionError, VerdictError
from local.dashboard.live import LiveDashboard
from local.dashboard.page import BUNDLES, served_page
from local.dashboard.reviewing import read_review
from local.errors import LocalError

HOST = "127.0.0.1"
SOCKET_TIMEOUT_SECONDS = 60
_PARAMETER = "parameter."
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A review is far smaller; what is larger is not even read.
LARGEST_BODY = 4096
# A page of another site would have to ask first whether it may send this, and is not answered.
REVIEW_HEADER = "X-Report-Tuning"
# The page itself carries a stricter policy with its script's digest; this one holds for all else.
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = "frame-ancestors 'none'"


@dataclass
class _Board:
    """One dashboard with its page; `revision` is that of the rows that are known."""

    live: LiveDashboard
    page: bytes
    links: tuple[Link, ...]
    revision: str = ""

    def document(self, fresh: bool) -> str:
        """The document as JSON; what has new rows is asked anew, and everything if it is to be `fresh`."""
        revision = self.live.revision()
        if fresh:
            self.live.forget()
        elif revision != self.revision:
            self.live.renew()
        self.revision = revision
        return replace(self.live.document(), dashboards=self.links).to_json()


class DashboardServer(ThreadingHTTPServer):
    """Serves dashboards, each below its path: name -> dashboard, of which the first lies at `/`; `port` 0 takes a free
    one."""

    daemon_threads = True

    def __init__(self, dashboards: Mapping[str, LiveDashboard], port: int = 0, bundles: Path = BUNDLES) -> None:
        paths = {name: f"/{name}/" if place else "/" for place, name in enumerate(dashboards)}
        links = tuple(Link(live.deployed.title, paths[name]) for name, live in dashboards.items())
        self.boards = {
            paths[name]: _Board(live, served_page(live.deployed.title, bundles).encode("utf-8"), links)
            for name, live in dashboards.items()
        }
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"


@contextmanager
def serving(dashboards: Mapping[str, LiveDashboard], port: int = 0, bundles: Path = BUNDLES) -> Iterator[str]:
    """Serve in a thread of its own; gives the address of the first dashboard."""
    server = DashboardServer(dashboards, port, bundles)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: DashboardServer
    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        if not self._is_own():
            self._refuse(HTTPStatus.FORBIDDEN, "the dashboard answers this machine's own browser only")
            return
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        self._answer_with(lambda: self._content(address.path, query), is_page=address.path.endswith("/"))

    def do_POST(self) -> None:
        # What is refused unread must not be taken for the connection's next request.
        self.close_connection = True
        if not (self._is_own() and self._is_from_this_page()):
            self._refuse(HTTPStatus.FORBIDDEN, "reviews are taken from this server's own page only")
            return
        if self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a review is JSON")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a review says how long it is")
        elif int(length) > LARGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a review has at most {LARGEST_BODY} bytes")
        else:
            body = self.rfile.read(int(length))
            self._answer_with(lambda: self._reviewed(urlsplit(self.path).path, body))

    def _answer_with(self, content_of: Callable[[], bytes | None], *, is_page: bool = False) -> None:
        try:
            content = content_of()
        except (QuestionError, VerdictError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except LocalError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))
        except Exception as error:  # noqa: BLE001  # the server outlives every request; what happened is not quoted
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"the answer failed with {type(error).__name__}")
        else:
            if content is None:
                self._refuse(HTTPStatus.NOT_FOUND, "only a dashboard's page and what it asks for are served")
            elif is_page:
                self._answer(HTTPStatus.OK, content, "text/html; charset=utf-8", _PAGE_POLICY)
            else:
                self._answer(HTTPStatus.OK, content, "application/json", _POLICY)

    def _reviewed(self, path: str, body: bytes) -> bytes | None:
        folder, _, name = path.rpartition("/")
        board = self.server.boards.get(f"{folder}/")
        if board is None or name != "reviews":
            return None
        return json.dumps({"label": board.live.review(read_review(body))}).encode("ascii")

    def _content(self, path: str, query: Mapping[str, str]) -> bytes | None:
        folder, _, name = path.rpartition("/")
        board = self.server.boards.get(f"{folder}/")
        if board is None:
            return None
        live = board.live
        if name == "":
            return board.page
        if name == "document":
            document = board.document(fresh=query.get("fresh") == "yes").encode("ascii")
            threading.Thread(target=_warm, args=(live,), daemon=True).start()
            return document
        if name == "answers":
            parameters = {
                name.removeprefix(_PARAMETER): value for name, value in query.items() if name.startswith(_PARAMETER)
            }
            return live.answer(query.get("data_set", ""), parameters).encode("ascii")
        if name == "revision":
            return json.dumps({"revision": live.revision()}).encode("ascii")
        return None

    def _is_own(self) -> bool:
        if not _is_local(self.headers.get("Host", "")):
            return False
        origin = self.headers.get("Origin")
        if origin is not None and not _is_local(urlsplit(origin).netloc):
            return False
        # A link from elsewhere may open the page; what it asks for then comes from itself.
        site, mode = self.headers.get("Sec-Fetch-Site", "none"), self.headers.get("Sec-Fetch-Mode", "navigate")
        return site in ("same-origin", "none") or mode == "navigate"

    def _is_from_this_page(self) -> bool:
        """Browsers name the origin of every POST; another port of this machine is another one."""
        origin, host = self.headers.get("Origin", ""), self.headers.get("Host", "")
        return origin == f"http://{host}" and REVIEW_HEADER in self.headers

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._answer(status, json.dumps({"error": reason}).encode("ascii"), "application/json", _POLICY)

    def _answer(self, status: HTTPStatus, content: bytes, kind: str, policy: str) -> None:
        self.send_response(status)
        headers = {**_HEADERS, "Content-Type": kind, "Content-Security-Policy": policy}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the request line holds what was searched for."""


def _warm(live: LiveDashboard) -> None:
    try:
        live.warm()
    except LocalError:
        # Who asks for what failed is told; here nobody asked.
        return


def _is_local(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name in (HOST, "localhost") or name.endswith(".localhost")
