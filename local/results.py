"""What a run came to: the comparison table, and `.local/summary.json` for scripts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.athena import ask
from local.deployment import Names
from local.runs import RunView
from training.table_schemas import (
    ALL,
    CONSENSUS,
    CONSTANT,
    FINE_TUNED,
    LEAD,
    MODELS,
    NEAREST,
    PRETRAINED,
    ROUGE_METRICS,
)

_LABELS = {
    PRETRAINED: "pre-trained",
    FINE_TUNED: "fine-tuned",
    CONSTANT: "floor: one constant answer",
    LEAD: "floor: first sentences",
    NEAREST: "floor: the nearest report's",
    CONSENSUS: "floor: consensus of similar",
}

_FLOORS_IN_WORDS = {
    CONSTANT: "the constant answer",
    LEAD: "repeating the first sentences of the findings",
    NEAREST: "copying the nearest report's impression",
    CONSENSUS: "the consensus of similar reports' impressions",
}

Scores = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class Tables:
    """The tables of a deployed stage, asked through Athena."""

    athena: Any
    names: Names

    def scores(self, task: str, run_id: str) -> Scores:
        """Mean scores: evaluation set -> model -> metric -> F1 in [0, 1]."""
        metrics = ", ".join(f"'{metric}'" for metric in ROUGE_METRICS)
        rows = self._ask(
            f"SELECT evaluation_set, model, metric, mean FROM scores WHERE task = '{task}' AND run_id = '{run_id}' "
            f"AND slice = '{ALL}' AND metric IN ({metrics})"
        )
        scores: Scores = {}
        for row in rows:
            models = scores.setdefault(str(row["evaluation_set"]), {})
            models.setdefault(str(row["model"]), {})[str(row["metric"])] = float(str(row["mean"]))
        return scores

    def run(self, task: str, run_id: str) -> dict[str, str | None] | None:
        """The run's row in `runs`, once it is written."""
        rows = self._ask(f"SELECT * FROM runs WHERE task = '{task}' AND run_id = '{run_id}'")
        return rows[0] if rows else None

    def refused(self, task: str) -> list[dict[str, str | None]]:
        """Uploads of a task (or of UNKNOWN_TASK) that were refused."""
        return self._ask(f"SELECT * FROM runs WHERE task = '{task}' AND status = 'Refused'")

    def abnormal(self, task: str, run_id: str) -> dict[str, dict[str, float]]:
        """Evaluation set -> model -> share of abnormal reports that were answered as normal."""
        rows = self._ask(
            f"SELECT evaluation_set, model, mean FROM scores WHERE task = '{task}' AND run_id = '{run_id}' "
            "AND metric = 'abnormal_as_normal'"
        )
        shares: dict[str, dict[str, float]] = {}
        for row in rows:
            if row["mean"] is not None:
                shares.setdefault(str(row["evaluation_set"]), {})[str(row["model"])] = float(str(row["mean"]))
        return shares

    def distinct(self, task: str, run_id: str) -> dict[str, dict[str, int]]:
        """Evaluation set -> model -> how many different answers it gave."""
        rows = self._ask(
            f"SELECT evaluation_set, model, distinct_predictions FROM scores WHERE task = '{task}' "
            f"AND run_id = '{run_id}' AND slice = '{ALL}' AND metric = 'rougeL'"
        )
        different: dict[str, dict[str, int]] = {}
        for row in rows:
            models = different.setdefault(str(row["evaluation_set"]), {})
            models[str(row["model"])] = int(str(row["distinct_predictions"]))
        return different

    def evaluated_report(self, task: str, run_id: str) -> tuple[str, str]:
        """(input, reference) of a report that was evaluated and therefore not trained on: the longest abnormal one."""
        rows = self._ask(
            f"SELECT input, reference FROM predictions WHERE task = '{task}' AND run_id = '{run_id}' "
            f"AND model = '{FINE_TUNED}' ORDER BY slice, input_words DESC, record_id LIMIT 1"
        )
        return str(rows[0]["input"]), str(rows[0]["reference"])

    def _ask(self, query: str) -> list[dict[str, str | None]]:
        return ask(self.athena, query, database=self.names.database, workgroup=self.names.workgroup)


def comparison(scores: Scores, abnormal: dict[str, dict[str, float]], distinct: dict[str, dict[str, int]]) -> Table:
    """The comparison table: both models beside the floors, and the error that ROUGE hides."""
    table = Table(
        title="ROUGE F1 against the doctors' own answers (0 to 1, higher is better).\n"
        "Missed: abnormal impressions answered as normal (lower is better). Texts: different answers.",
        title_justify="left",
    )
    table.add_column("set", no_wrap=True)
    table.add_column("answers of", no_wrap=True)
    for column in ("R-1", "R-2", "R-L", "R-Lsum", "missed", "texts"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, models in sorted(scores.items()):
        for model in MODELS:
            if model in models:
                share = abnormal.get(name, {}).get(model)
                table.add_row(
                    name,
                    _LABELS[model],
                    *(f"{models[model][metric]:.4f}" for metric in ROUGE_METRICS),
                    "" if share is None else f"{share:.0%}",
                    str(distinct.get(name, {}).get(model, "")),
                    style="bold" if model == FINE_TUNED else None,
                )
        table.add_section()
    return table


def say_what_it_means(console: Console, scores: Scores) -> None:
    """Say in words what fine-tuning brought, and where the model loses to an answer that needs no model."""
    for name, models in sorted(scores.items()):
        before, ours = models[PRETRAINED]["rougeL"], models[FINE_TUNED]["rougeL"]
        console.print(f"  {name}: fine-tuning changed ROUGE-L from {before:.4f} to {ours:.4f}.")
        for floor, label in _FLOORS_IN_WORDS.items():
            theirs = models[floor]["rougeL"]
            verdict = "beats" if ours > theirs else "LOSES TO"
            console.print(f"  {name}: the fine-tuned model {verdict} {label} ({ours:.4f} against {theirs:.4f}).")


def counts(row: dict[str, str | None]) -> dict[str, Any]:
    """The counts of a run's row, as summary.json has them."""
    names = ("uploaded", "train", "validation", "quarantined", "duplicates")
    return {name: int(str(row[name])) if row[name] is not None else None for name in names} | {
        "eval": json.loads(row["evaluated"] or "{}")
    }


def step_seconds(view: RunView) -> dict[str, float]:
    return {step.name: round(step.seconds, 1) for step in view.steps}


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write summary.json in one step, so that a reader never finds half of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.rename(path)
