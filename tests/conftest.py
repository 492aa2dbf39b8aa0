"""How tests share the machine's cores (`pytest --numprocesses 2`): those of one folder stay in one process.

They share what is costly to make, such as a deployed stage, synthesised templates or a running local AWS.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class FolderScheduling(LoadScopeScheduling):
    """Hands out folders of tests instead of single tests."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    return FolderScheduling(config, log)
