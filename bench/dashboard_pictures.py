"""Pictures of every sheet of a dashboard: light, dark and on a phone, to be looked at.

    python3 -m bench.dashboard_pictures FOLDER [--dashboard reports|events] [--file .local/dashboard.html]
        [--chromium /usr/bin/chromium]

Without a file, the dashboard of an invented stage is drawn: its texts may be shown to anybody. Writes
`<light|dark|narrow>-<sheet>.png` and prints what the browser complained about.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from local.dashboard.coverage import Limits
from local.dashboard.page import write_page
from tests.dashboard.event_world import EventWorld
from tests.dashboard.world import World

_WORLDS: dict[str, World] = {
    "reports": World(runs=12, records=150),
    "events": EventWorld(runs=12, records=150, sets=("holdout",), incoming=2000),
}
_VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dashboard", choices=tuple(_WORLDS), default="reports")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    world = _WORLDS[arguments.dashboard]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch, sync_playwright() as playwright:
        file = arguments.file or Path(scratch) / "dashboard.html"
        if arguments.file is None:
            write_page(world.live().whole_document(Limits()), file)
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, view in _VIEWS.items():
            page = browser.new_page(**view)
            page.on("console", lambda message: print(f"the browser says: {message.text}"))
            page.on("pageerror", lambda error: print(f"the page failed: {error}"))
            for sheet in (one.id for one in world.dashboard.sheets):
                _take(page, f"{file.absolute().as_uri()}#sheet={sheet}", arguments.folder / f"{name}-{sheet}.png")
            page.close()
        browser.close()


def _take(page: Page, address: str, picture: Path) -> None:
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-state=ready]")
    page.screenshot(path=picture, full_page=True, animations="disabled")


if __name__ == "__main__":
    main()
