"""What `local/demo.py` must be told about a task."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from local.stage import LocalStage


@dataclass(frozen=True)
class DemoFiles:
    """Files to upload: training data, and an evaluation set with its name, where there is one."""

    train: Path
    evaluation: Path | None
    evaluation_set: str | None


class TaskDemo(Protocol):
    """One task, as the demo shows it. `task` is its name, `kind` what its file calls it."""

    task: str
    kind: str

    def example_data(self, console: Console, folder: Path) -> DemoFiles:
        """Say what is shown and under which licence, and get it: written below `folder` once.

        Raises:
            LocalError: it cannot be had.
        """

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        """Put the models that the task starts from into the stage's bucket; downloaded below `folder` once."""

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        """Print the comparison and what it means; what `.local/summary.json` holds of it."""

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        """Use the live endpoint; what `.local/summary.json` holds of it. `own_data` is a user's, not the example."""
