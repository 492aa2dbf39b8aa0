"""How long the dashboard's page takes to open, and to follow a filter, with many reports.

    python3 -m bench.dashboard_page [--reports 10000] [--runs 20] [--repeat 5] [--chromium /usr/bin/chromium]

Writes the file of an invented stage whose newest run has so many reports (so many rows of the table, and four scores
each for the box plots), opens it in a headless Chromium, and prints medians in milliseconds: from the request to the
first visual that is drawn, until the whole sheet is drawn, and from a reader's choice until everything on the sheet
follows it. Needs the package playwright.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from local.dashboard.coverage import Limits
from local.dashboard.page import write_page
from tests.dashboard.world import World

# (sheet, what is chosen, how)
FILTERS = (
    ("overview", "models ticked", "{lists: {'tick-model': ['fine-tuned', 'nearest']}}"),
    ("distributions", "evaluation set ticked", "{lists: {'tick-evaluation-set': ['dev1']}}"),
    ("distributions", "slice chosen", "{parameters: {...dashboard.view.parameters, slice: 'abnormal'}}"),
    ("reports", "range of scores", "{ranges: {'range-fine-tuned-score': [0.2, 0.6]}}"),
    ("reports", "slice chosen", "{parameters: {...dashboard.view.parameters, slice: 'abnormal'}}"),
    ("reports", "order chosen", "{parameters: {...dashboard.view.parameters, order: 'largest gain first'}}"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    world = World(runs=arguments.runs, records=arguments.reports // 2)
    with tempfile.TemporaryDirectory(prefix="bench-dashboard-") as folder, sync_playwright() as playwright:
        path = Path(folder) / "dashboard.html"
        started = time.perf_counter()
        # The newest run alone, in every slice and order: what a file of so many reports has room for.
        write_page(world.live().whole_document(Limits(linked_values=0, combinations=9)), path)
        print(
            f"{arguments.reports} reports, {arguments.runs} runs: written in {time.perf_counter() - started:.1f} s, ",
            end="",
        )
        print(f"{path.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path=arguments.chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for sheet in ("overview", "distributions", "reports"):
            first, whole = zip(*[_open(page, path, sheet) for _ in range(arguments.repeat)], strict=True)
            print(f"open {sheet}: first visual {_middle(first)} ms, whole sheet {_middle(whole)} ms")
        for sheet, name, change in FILTERS:
            times = []
            for _ in range(arguments.repeat):
                _open(page, path, sheet)
                times.append(_choose(page, change))
            print(f"filter on {sheet}, {name}: {_middle(times)} ms (slowest {max(times):.0f})")
        browser.close()


def _open(page: Any, path: Path, sheet: str) -> tuple[float, float]:
    page.goto("about:blank")
    page.goto(f"{path.as_uri()}#sheet={sheet}")
    page.wait_for_selector("html[data-state=ready]")
    first: float = page.evaluate("performance.getEntriesByName('first-visual')[0].startTime")
    return first, page.evaluate("performance.getEntriesByName('first-sheet')[0].startTime")


def _choose(page: Any, change: str) -> float:
    """Milliseconds until the choice is computed, drawn, and on the screen."""
    taken: float = page.evaluate(
        f"""(async () => {{
            const started = performance.now();
            dashboard.change({change});
            await dashboard.settled;
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            return performance.now() - started;
        }})()"""
    )
    return taken


def _middle(values: Any) -> str:
    return f"{statistics.median(values):.0f}"


if __name__ == "__main__":
    main()
