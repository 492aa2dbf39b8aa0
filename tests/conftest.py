"""How tests share the machine's cores: the tests of one folder stay in one process, because they share what is costly
to make (a deployed stage, synthesised templates, a running local AWS)."""

from pathlib import Path

import pytest


# Before pytest-xdist looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(name=str(Path(item.path).parent)))
