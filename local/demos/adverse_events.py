"""The demo of the adverse event task: invented texts, the scores beside the floors, and texts classified live."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demos.language_model import provide_language_model
from local.demos.live_texts import StreamResult, send_texts
from local.demos.task_demo import DemoFiles
from local.invented.adverse_events import EVENT as POSITIVE
from local.invented.adverse_events import EventText, invented_events
from local.packaged_models import encoder
from local.results import Scores, Tables
from local.stage import LocalStage
from local.whole_files import write_json_lines
from training.table_schemas import ALL_POSITIVE, BASE, CLASSIFIERS, FINE_TUNED, TFIDF, WITHOUT_SYNTHETIC

_TRAINED, _EVALUATED = 2_000, 800
_SEED = 1
# With what is sent twice and what is no text, 500 are sent.
_STREAMED, _STREAM_SEED = 495, 2
_SHOWN = 3
# As the task file names it for the stage local.
_ENCODER_KEY = "models/all-MiniLM-L6-v2"
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
        console.print("Texts: invented by this project, from templates. Nothing in them is a fact about a drug.")
        train, evaluation = folder / "events-train.jsonl", folder / "dev1.jsonl"
        if not (train.is_file() and evaluation.is_file()):
            sides = _split(invented_events(_TRAINED + _EVALUATED, _SEED))
            for file, texts in ((train, sides[0]), (evaluation, sides[1])):
                write_json_lines(file, ({"text": t.text, "label": t.label, "article": t.source} for t in texts))
        return DemoFiles(train, evaluation, evaluation.stem)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        for file in sorted(encoder(folder).iterdir()):
            stage.put(file, f"{_ENCODER_KEY}/{file.name}")
        provide_language_model(stage, folder)

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        scores = Tables.of(stage).scores(self.task, run_id, _METRICS)
        console.print(_comparison(scores))
        _say_what_it_means(console, scores)
        return {"scores": scores}

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        texts = (
            _evaluated_texts(Tables.of(stage), self.task, run_id)
            if own_data
            else [text.text for text in invented_events(_STREAMED, _STREAM_SEED)]
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
