"""What the demo shows of a task that writes text: ROUGE beside the floors, and the live endpoint's answer."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

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

LABELS = {
    PRETRAINED: "pre-trained",
    FINE_TUNED: "fine-tuned",
    CONSTANT: "floor: one constant answer",
    LEAD: "floor: first sentences",
    NEAREST: "floor: the nearest text's",
    CONSENSUS: "floor: consensus of similar",
}

_FLOORS_IN_WORDS = {
    CONSTANT: "the constant answer",
    LEAD: "repeating the first sentences of the text",
    NEAREST: "copying what was written of the nearest text",
    CONSENSUS: "the consensus of what was written of similar texts",
}


@dataclass(frozen=True)
class AskedText:
    """A text that nothing was trained on, and what a person wrote of it."""

    input: str
    reference: str


def show_summary_scores(console: Console, tables: Tables, task: str, run_id: str) -> dict[str, Any]:
    """Print the comparison of a run and what it means; what `.local/summary.json` holds of it."""
    scores = tables.scores(task, run_id, ROUGE_METRICS)
    missed, distinct = _abnormal(tables, task, run_id), _distinct(tables, task, run_id)
    console.print(comparison(scores, missed, distinct))
    say_what_it_means(console, scores)
    return {"scores": scores, "abnormal_as_normal": missed, "distinct_predictions": distinct}


def show_answer(console: Console, stage: LocalStage, task: str, asked: AskedText, warning: str) -> dict[str, Any]:
    """Ask the live endpoint, and print its answer beside the person's; `warning` says why not to rely on it.

    Returns what `.local/summary.json` holds of it.
    """
    answer = str(stage.ask_endpoint(task, asked.input)["generated_text"])
    console.print("The live endpoint, asked about a text that it was not trained on:", style="bold")
    for label, text in (("text", asked.input), ("its answer", answer), ("the doctor's", asked.reference)):
        console.print(f"  {label + ':':<14}{text}", highlight=False, markup=False)
    console.print(f"  Do not rely on such an answer: {warning}.")
    return {"answer": {"input": asked.input, "output": answer}}


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


def evaluated_text(tables: Tables, task: str, run_id: str) -> AskedText:
    """A text that was evaluated and therefore not trained on: the longest abnormal one."""
    rows = tables.ask(
        f"SELECT input, reference FROM predictions WHERE task = '{task}' AND run_id = '{run_id}' "
        f"AND model = '{FINE_TUNED}' ORDER BY slice, input_words DESC, record_id LIMIT 1"
    )
    return AskedText(str(rows[0]["input"]), str(rows[0]["reference"]))


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
                    LABELS[model],
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
