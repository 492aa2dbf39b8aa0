"""What the demo shows of a task that classifies: its scores beside the floors, and texts classified live."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demos.live_texts import StreamResult, send_texts
from local.progress import few_digits
from local.results import Scores, Tables
from local.stage import LocalStage
from training.table_schemas import ALL_POSITIVE, BASE, CLASSIFIERS, FINE_TUNED, TFIDF, WITHOUT_SYNTHETIC

# With what is sent twice and what is no text, 500 are sent.
MOST_STREAMED = 495
_SHOWN = 3
_METRICS = ("precision", "recall", "f1", "auroc", "average_precision")
_HEADINGS = ("precision", "recall", "F1", "AUROC", "avg. prec.")
_LABELS = {
    BASE: "before fine-tuning (probe)",
    FINE_TUNED: "fine-tuned",
    WITHOUT_SYNTHETIC: "fine-tuned, real texts only",
    TFIDF: "floor: words (TF-IDF)",
    ALL_POSITIVE: "floor: calls every text one",
}


def show_classifier_scores(console: Console, tables: Tables, task: str, run_id: str, found: str) -> dict[str, Any]:
    """Print the comparison of a run and what it means; `found` are the texts with the positive label, in words.

    Returns what `.local/summary.json` holds of it.
    """
    scores = tables.scores(task, run_id, _METRICS)
    console.print(_comparison(scores, found))
    _say_what_it_means(console, scores)
    jobs = _search_jobs(tables, task, run_id)
    if jobs:
        console.print(_search_table(jobs))
    return {"scores": scores, "search": jobs}


def _search_jobs(tables: Tables, task: str, run_id: str) -> list[dict[str, Any]]:
    """The search's jobs as `.local/summary.json` has them, the best first: settings, and F1 on validation texts."""
    rows = tables.ask(
        "SELECT job, status, objective, best, seconds, parameters, failure FROM search_jobs "
        f"WHERE task = '{task}' AND run_id = '{run_id}' ORDER BY objective DESC NULLS LAST"
    )
    return [
        {
            "job": row["job"],
            "status": row["status"],
            "f1": None if row["objective"] is None else float(row["objective"]),
            "best": row["best"] == "true",
            "seconds": None if row["seconds"] is None else float(row["seconds"]),
            "parameters": json.loads(row["parameters"] or "{}"),
            "failure": row["failure"],
        }
        for row in rows
    ]


def _search_table(jobs: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="Search over settings: F1 on validation texts; the best goes on.", title_justify="left")
    tried = {name: {str(job["parameters"].get(name, "")) for job in jobs} for name in jobs[0]["parameters"]}
    # What was the same in all of them tells nothing.
    settings = sorted(name for name, values in tried.items() if len(values) > 1)
    for column in ("job", "status", *settings, "F1"):
        table.add_column(column, justify="right" if column == "F1" else "left")
    for number, job in enumerate(jobs, 1):
        values = (few_digits(str(job["parameters"].get(name, ""))) for name in settings)
        found = "" if job["f1"] is None else f"{job['f1']:.4f}"
        table.add_row(str(number), job["status"], *values, found, style="bold" if job["best"] else None)
    return table


def stream_texts(
    console: Console, stage: LocalStage, task: str, run_id: str, texts: list[str], *, positive: str, folder: Path
) -> dict[str, Any]:
    """Send texts to the task's stream and print what became of them; what `.local/summary.json` holds of it."""
    console.print(f"Sending {len(texts)} texts to the live endpoint's queue, a fifth of them as a file ...")
    said = set()

    def show(done: int, wanted: int) -> None:
        hundreds = done // 100
        if done and hundreds not in said:
            said.add(hundreds)
            console.print(f"  {done} of {wanted} classified", highlight=False)

    found = send_texts(stage, task, texts, source=f"demo-{run_id}", positive=positive, folder=folder, show=show)
    _say_what_came(console, found, positive)
    return {"stream": found.as_json()}


def evaluated_texts(tables: Tables, task: str, run_id: str) -> list[str]:
    """Texts that were evaluated, and therefore not trained on; each once."""
    rows = tables.ask(
        f"SELECT DISTINCT input FROM predictions WHERE task = '{task}' AND run_id = '{run_id}' "
        f"AND model = '{FINE_TUNED}' ORDER BY input LIMIT {MOST_STREAMED}"
    )
    return [str(row["input"]) for row in rows]


def _say_what_came(console: Console, found: StreamResult, positive: str) -> None:
    console.print(
        f"Stream: {found.sent} sent, {found.classified} classified ({found.positive} as {positive}), "
        f"{found.duplicates} sent twice and kept once, {found.parked} that is no text parked.",
        style="bold",
    )
    latencies = f"{found.p50_seconds} s for half of them, {found.p95_seconds} s for 95 in 100"
    console.print(f"  From a text's arrival to its row: {latencies}.")
    events = sorted(
        (row for row in found.rows if row["label"] == positive), key=lambda row: -float(str(row["probability"]))
    )
    for row in events[:_SHOWN]:
        console.print(f"  {float(str(row['probability'])):.2f}  {row['text']}", highlight=False, markup=False)
        console.print(f"        drugs: {row['drugs'] or '-'}; effects: {row['effects'] or '-'}", highlight=False)
    console.print("  Do not rely on such an answer alone: see above how many events the model misses.")


def _comparison(scores: Scores, found: str) -> Table:
    table = Table(
        title=f"Finding {found}\n(0 to 1, higher is better). Precision, recall and F1 at each model's own threshold.",
        title_justify="left",
    )
    table.add_column("set", no_wrap=True)
    table.add_column("answers of", no_wrap=True)
    for column in _HEADINGS:
        table.add_column(column, justify="right", no_wrap=True)
    for name, models in sorted(scores.items()):
        for model in CLASSIFIERS:
            if model in models:
                values = (models[model].get(metric) for metric in _METRICS)
                table.add_row(
                    name,
                    _LABELS[model],
                    *("" if value is None else f"{value:.4f}" for value in values),
                    style="bold" if model == FINE_TUNED else None,
                )
        table.add_section()
    return table


def _say_what_it_means(console: Console, scores: Scores) -> None:
    for name, models in sorted(scores.items()):
        ours = models[FINE_TUNED]["f1"]
        for other in (BASE, TFIDF, WITHOUT_SYNTHETIC):
            if other in models:
                theirs = models[other]["f1"]
                verdict = "beats" if ours > theirs else "LOSES TO"
                console.print(
                    f"  {name}: the fine-tuned model {verdict} {_LABELS[other]} (F1 {ours:.4f} to {theirs:.4f})."
                )
