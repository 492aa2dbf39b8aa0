"""The page's script, tested by Node's own runner."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from local.paths import REPOSITORY
from stacks.dashboard.events.event_dashboard import COLORS as EVENT_COLORS
from stacks.dashboard.events.stream_data_sets import CENTER, SHARE, UPPER
from stacks.dashboard.events.training_data_sets import BEST, NO_RESULT, OTHERS
from stacks.dashboard.report.choice_data_sets import KINDS, NO_ERRORS, RULES
from stacks.dashboard.report.report_dashboard import COLORS
from stacks.dashboard.shared.data_sets import CHOSEN, COMPARED
from training.table_schemas import CLASSIFIERS, MODELS

_NODE = REPOSITORY / ".venv" / "bin" / "node"
_PRETTIER = REPOSITORY / "node_modules" / "prettier" / "bin" / "prettier.cjs"
_TESTS = sorted((Path(__file__).parent / "web").glob("*.test.mjs"))
# Series that stand in one chart, by the column that tells them apart.
_TOGETHER = (
    ("model", MODELS),
    ("series", tuple(f"{run}: {part}" for run in (CHOSEN, COMPARED) for part in ("training", "validation"))),
    ("series", (CHOSEN, COMPARED)),
    ("split", ("train", "validation")),
    ("kind", KINDS),
    ("rule", (*RULES, NO_ERRORS)),
)
_TOGETHER_IN_EVENTS = (
    ("model", CLASSIFIERS),
    # Both limits are one colour.
    ("line", (SHARE, CENTER, UPPER)),
    ("place", (BEST, OTHERS, NO_RESULT)),
)


@pytest.mark.parametrize("file", _TESTS, ids=lambda file: file.stem)
def test_script(file: Path) -> None:
    colors = json.dumps(
        [
            [found[column][value] for value in values]
            for found, together in ((COLORS, _TOGETHER), (EVENT_COLORS, _TOGETHER_IN_EVENTS))
            for column, values in together
        ]
    )
    outcome = subprocess.run(
        [str(_NODE), "--test", "--test-reporter=tap", str(file)],
        env={**os.environ, "COLORS_TOGETHER": colors},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout[-6000:]
    assert "# pass 0" not in outcome.stdout


def test_scripts_have_one_style() -> None:
    command = [str(_NODE), str(_PRETTIER), "--check", "local/dashboard/web", "tests/dashboard/web"]
    outcome = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
