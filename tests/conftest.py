"""The browser of every test that looks at a page, and how tests share the machine's cores (`pytest --numprocesses 2`):
those of one folder stay in one process.

They share what is costly to make, such as a deployed stage, synthesised templates or a running local AWS.
"""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Where Debian and Ubuntu put it; another one is named by CHROMIUM.
_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class FolderScheduling(LoadScopeScheduling):
    """Hands out folders of tests instead of single tests."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    return FolderScheduling(config, log)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    if _CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium), or name it in CHROMIUM")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=_CHROMIUM, args=_SWITCHES)
        yield opened
        opened.close()
