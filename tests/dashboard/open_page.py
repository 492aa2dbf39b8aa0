"""A page of an invented world, opened in a real browser, with everything it says, asks for and complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.dashboard.coverage import Limits
from local.dashboard.live import LiveDashboard
from local.dashboard.page import write_page
from local.paths import REPOSITORY

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
# So long may a page take on a machine that has other things to do.
PATIENCE_MILLISECONDS = 30_000


@dataclass
class OpenPage:
    """An open page. `complaints` are errors and warnings of the browser, `requests` all addresses asked for."""

    page: Any
    address: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, fragment: str = "") -> None:
        """Open the page anew at a view."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{fragment}")
        self.settle()

    def settle(self) -> None:
        """Wait until everything on the sheet is drawn."""
        self.page.wait_for_selector("html[data-state=ready]")

    def tile(self, visual: str) -> Any:
        return self.page.locator(f'[data-visual="{visual}"]')

    def control(self, title: str) -> Any:
        return self.page.locator(".controls").get_by_label(title, exact=True)

    def numbers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("dashboard.numbers()")
        return found

    def rows(self, visual: str, column: int) -> list[str]:
        """Texts of a column (from 0) of the rows that are in the page, from the top."""
        cells = self.tile(visual).locator(f".table-body [role=row] > :nth-child({column + 1})")
        return [text.strip() for text in cells.all_inner_texts()]


@contextmanager
def opened(browser: Any, address: str, **context: Any) -> Iterator[OpenPage]:
    settings = {"viewport": {"width": 1440, "height": 900}, **context}
    inner = browser.new_context(**settings)
    page = inner.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    found = OpenPage(page, address)
    page.on("console", lambda message: found.complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: found.complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: found.requests.append(request.url))
    try:
        yield found
    finally:
        inner.close()


def file_of(live: LiveDashboard, path: Path, bundles: Path, limits: Limits | None = None) -> str:
    """Write a file and give its address."""
    write_page(live.whole_document(limits or Limits()), path, bundles)
    return path.as_uri()
