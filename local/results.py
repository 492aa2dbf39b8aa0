"""What a run came to, as its tables say, and `.local/summary.json` for scripts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.athena import ask
from local.deployment import Names
from local.runs import RunView
from local.stage import LocalStage
from local.whole_files import write_whole
from training.table_schemas import ALL

# Evaluation set -> model -> metric -> score.
Scores = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class Tables:
    """The tables of a deployed stage, asked through Athena."""

    athena: Any
    names: Names

    @classmethod
    def of(cls, stage: LocalStage) -> Self:
        """The tables of a stage that runs."""
        return cls(stage.aws.client("athena"), stage.names)

    def scores(self, task: str, run_id: str, metrics: Sequence[str]) -> Scores:
        """Scores over all records: evaluation set -> model -> metric -> value; without those that are not defined."""
        names = ", ".join(f"'{metric}'" for metric in metrics)
        rows = self.ask(
            f"SELECT evaluation_set, model, metric, mean FROM scores WHERE task = '{task}' AND run_id = '{run_id}' "
            f"AND slice = '{ALL}' AND metric IN ({names})"
        )
        scores: Scores = {}
        for row in rows:
            models = scores.setdefault(str(row["evaluation_set"]), {})
            if row["mean"] is not None:
                models.setdefault(str(row["model"]), {})[str(row["metric"])] = float(str(row["mean"]))
        return scores

    def run(self, task: str, run_id: str) -> dict[str, str | None] | None:
        """The run's row in `runs`, once it is written."""
        rows = self.ask(f"SELECT * FROM runs WHERE task = '{task}' AND run_id = '{run_id}'")
        return rows[0] if rows else None

    def refused(self, task: str) -> list[dict[str, str | None]]:
        """Uploads of a task (or of UNKNOWN_TASK) that were refused."""
        return self.ask(f"SELECT * FROM runs WHERE task = '{task}' AND status = 'Refused'")

    def ask(self, query: str) -> list[dict[str, str | None]]:
        """The rows that Athena answers with."""
        return ask(self.athena, query, database=self.names.database, workgroup=self.names.workgroup)


def counts(row: dict[str, str | None]) -> dict[str, Any]:
    """The counts of a run's row, as summary.json has them."""
    names = ("uploaded", "train", "validation", "quarantined", "duplicates")
    return {name: int(str(row[name])) if row[name] is not None else None for name in names} | {
        "eval": json.loads(row["evaluated"] or "{}")
    }


def step_seconds(view: RunView) -> dict[str, float]:
    return {step.name: round(step.seconds, 1) for step in view.steps}


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write summary.json."""
    write_whole(path, (json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())
