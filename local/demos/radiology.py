"""The demo of the radiology task: real reports, ROUGE beside the floors, and a report that nobody trained on."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demos.task_demo import DemoFiles
from local.open_i import LICENCE, Report, example_files, unseen_report
from local.results import Scores, Tables
from local.stage import LocalStage
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


class Radiology:
    """Impressions from findings; see TaskDemo."""

    task = "radiology_impressions"
    kind = "summary"

    def example_data(self, console: Console, folder: Path) -> DemoFiles:
        console.print("Reports: Indiana University chest X-ray collection (Open-i).")
        console.print(f"Licence: {LICENCE}.")
        train, evaluation = example_files(folder)
        return DemoFiles(train, evaluation, evaluation.stem)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        """There are none: the model before fine-tuning is built from the training text."""

    def show_scores(self, console: Console, tables: Tables, run_id: str) -> dict[str, Any]:
        scores = tables.scores(self.task, run_id, ROUGE_METRICS)
        missed, distinct = _abnormal(tables, self.task, run_id), _distinct(tables, self.task, run_id)
        console.print(comparison(scores, missed, distinct))
        say_what_it_means(console, scores)
        return {"scores": scores, "abnormal_as_normal": missed, "distinct_predictions": distinct}

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        report = _evaluated_report(Tables.of(stage), self.task, run_id) if own_data else unseen_report(folder)
        answer = str(stage.ask_endpoint(self.task, report.findings)["generated_text"])
        console.print("The live endpoint, asked about a report that it was not trained on:", style="bold")
        for label, text in (("findings", report.findings), ("its answer", answer), ("the doctor's", report.impression)):
            console.print(f"  {label + ':':<14}{text}", highlight=False, markup=False)
        console.print("  Do not rely on such an answer: see above how often the model misses what is abnormal.")
        return {"answer": {"input": report.findings, "output": answer}}


def _abnormal(tables: Tables, task: str, run_id: str) -> dict[str, dict[str, float]]:
    """Evaluation set -> model -> share of abnormal reports that were answered as normal."""
    rows = tables.ask(
        f"SELECT evaluation_set, model, mean FROM scores WHERE task = '{task}' AND run_id = '{run_id}' "
        "AND metric = 'abnormal_as_normal'"
    )
    shares: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["mean"] is not None:
            shares.setdefault(str(row["evaluation_set"]), {})[str(row["model"])] = float(str(row["mean"]))
    return shares


def _distinct(tables: Tables, task: str, run_id: str) -> dict[str, dict[str, int]]:
    """Evaluation set -> model -> how many different answers it gave."""
    rows = tables.ask(
        f"SELECT evaluation_set, model, distinct_predictions FROM scores WHERE task = '{task}' "
        f"AND run_id = '{run_id}' AND slice = '{ALL}' AND metric = 'rougeL'"
    )
    different: dict[str, dict[str, int]] = {}
    for row in rows:
        models = different.setdefault(str(row["evaluation_set"]), {})
        models[str(row["model"])] = int(str(row["distinct_predictions"]))
    return different


def _evaluated_report(tables: Tables, task: str, run_id: str) -> Report:
    """A report that was evaluated and therefore not trained on: the longest abnormal one."""
    rows = tables.ask(
        f"SELECT input, reference FROM predictions WHERE task = '{task}' AND run_id = '{run_id}' "
        f"AND model = '{FINE_TUNED}' ORDER BY slice, input_words DESC, record_id LIMIT 1"
    )
    return Report(str(rows[0]["input"]), str(rows[0]["reference"]))


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
