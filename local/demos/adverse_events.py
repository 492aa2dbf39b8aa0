"""The demo of the adverse event task: invented texts, the scores beside the floors, and texts classified live."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demos.live_texts import StreamResult, send_texts
from local.demos.task_demo import DemoFiles
from local.invented.adverse_events import EVENT as POSITIVE
from local.invented.adverse_events import EventText, invented_events
from local.packaged_models import encoder, language_model
from local.progress import few_digits
from local.results import Scores, Tables
from local.stage import LocalStage
from training.table_schemas import ALL_POSITIVE, BASE, CLASSIFIERS, FINE_TUNED, TFIDF, WITHOUT_SYNTHETIC

_TRAINED, _EVALUATED = 2_500, 800
# Written for other doctors, as published collections are. Of all kinds, messages of patients among them, the small
# encoder learns too little in the time of a demo (docs/quality-log.md).
_REGISTERS = ("case_report", "discharge", "title")
_SEED = 1
# With what is sent twice and what is no text, 500 are sent.
_STREAMED, _STREAM_SEED = 495, 2
_SHOWN = 3
# As the task file names them for the stage local.
_ENCODER_KEY, _GENERATOR_KEY = "models/all-MiniLM-L6-v2", "models/SmolLM2-135M-Instruct"
_METRICS = ("precision", "recall", "f1", "auroc", "average_precision")
_HEADINGS = ("precision", "recall", "F1", "AUROC", "avg. prec.")
_LABELS = {
    BASE: "before fine-tuning (probe)",
    FINE_TUNED: "fine-tuned",
    WITHOUT_SYNTHETIC: "fine-tuned, real texts only",
    TFIDF: "floor: words (TF-IDF)",
    ALL_POSITIVE: "floor: calls every text one",
}


class AdverseEvents:
    """Adverse events in texts; see TaskDemo."""

    task = "adverse_events"
    kind = "classification"

    def example_data(self, console: Console, folder: Path) -> DemoFiles:
        console.print(
            "Texts: sentences of case reports, their titles and discharge letters, invented by this project from "
            "templates. Nothing in them is a fact about a drug."
        )
        train, evaluation = folder / "events-train.jsonl", folder / "dev1.jsonl"
        sides = _split(invented_events(_TRAINED + _EVALUATED, _SEED, registers=_REGISTERS))
        for file, texts in ((train, sides[0]), (evaluation, sides[1])):
            _write(file, texts)
        return DemoFiles(train, evaluation, evaluation.stem)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        for file in sorted(encoder(folder).iterdir()):
            stage.put(file, f"{_ENCODER_KEY}/{file.name}")
        generator = language_model(folder)
        stage.put(generator, f"{_GENERATOR_KEY}/{generator.name}")

    def show_scores(self, console: Console, tables: Tables, run_id: str) -> dict[str, Any]:
        scores = tables.scores(self.task, run_id, _METRICS)
        console.print(_comparison(scores))
        _say_what_it_means(console, scores)
        jobs = _search_jobs(tables, self.task, run_id)
        if jobs:
            console.print(_search_table(jobs))
        return {"scores": scores, "search": jobs}

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        texts = (
            _evaluated_texts(Tables.of(stage), self.task, run_id)
            if own_data
            else [text.text for text in invented_events(_STREAMED, _STREAM_SEED, registers=_REGISTERS)]
        )
        console.print(f"Sending {len(texts)} texts to the live endpoint's queue, a fifth of them as a file ...")
        said = set()

        def show(done: int, wanted: int) -> None:
            hundreds = done // 100
            if done and hundreds not in said:
                said.add(hundreds)
                console.print(f"  {done} of {wanted} classified", highlight=False)

        found = send_texts(
            stage, self.task, texts, source=f"demo-{run_id}", positive=POSITIVE, folder=folder, show=show
        )
        _say_what_came(console, found)
        return {"stream": found.as_json()}


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


def _evaluated_texts(tables: Tables, task: str, run_id: str) -> list[str]:
    """Texts that were evaluated, and therefore not trained on; each once."""
    rows = tables.ask(
        f"SELECT DISTINCT input FROM predictions WHERE task = '{task}' AND run_id = '{run_id}' "
        f"AND model = '{FINE_TUNED}' ORDER BY input LIMIT {_STREAMED}"
    )
    return [str(row["input"]) for row in rows]


def _say_what_came(console: Console, found: StreamResult) -> None:
    console.print(
        f"Stream: {found.sent} sent, {found.classified} classified ({found.positive} as {POSITIVE}), "
        f"{found.duplicates} sent twice and kept once, {found.parked} that is no text parked.",
        style="bold",
    )
    latencies = f"{found.p50_seconds} s for half of them, {found.p95_seconds} s for 95 in 100"
    console.print(f"  From a text's arrival to its row: {latencies}.")
    events = sorted(
        (row for row in found.rows if row["label"] == POSITIVE), key=lambda row: -float(str(row["probability"]))
    )
    for row in events[:_SHOWN]:
        console.print(f"  {float(str(row['probability'])):.2f}  {row['text']}", highlight=False, markup=False)
        console.print(f"        drugs: {row['drugs'] or '-'}; effects: {row['effects'] or '-'}", highlight=False)
    console.print("  Do not rely on such an answer alone: see above how many events the model misses.")


def _split(texts: Sequence[EventText]) -> tuple[list[EventText], list[EventText]]:
    """(train, evaluation), whole sources each: the texts of one are much alike."""
    left = _EVALUATED
    evaluated = set()
    # In the order in which the sources come, which the seed decides.
    for source, size in Counter(text.source for text in texts).items():
        if size <= left:
            evaluated.add(source)
            left -= size
    return [t for t in texts if t.source not in evaluated], [t for t in texts if t.source in evaluated]


def _write(path: Path, texts: Sequence[EventText]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ({"text": text.text, "label": text.label, "article": text.source} for text in texts)
    partial = path.with_suffix(".partial")
    partial.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    partial.rename(path)


def _comparison(scores: Scores) -> Table:
    table = Table(
        title="Finding texts that report an adverse event, in texts of other sources than the training texts\n"
        "(0 to 1, higher is better). Precision, recall and F1 at each model's own threshold.",
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
