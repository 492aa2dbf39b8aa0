"""The demo of the adverse event task: invented texts, the scores beside the floors, and texts classified live."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demos.task_demo import DemoFiles
from local.invented.adverse_events import EventText, invented_events
from local.packaged_models import encoder
from local.results import Scores, Tables
from local.stage import LocalStage
from training.table_schemas import ALL_POSITIVE, BASE, CLASSIFIERS, FINE_TUNED, TFIDF, WITHOUT_SYNTHETIC

_TRAINED, _EVALUATED = 3_000, 1_000
_SEED = 1
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

    def example_data(self, console: Console, folder: Path) -> DemoFiles:
        console.print("Texts: invented by this project, from templates. Nothing in them is a fact about a drug.")
        train, evaluation = folder / "events-train.jsonl", folder / "dev1.jsonl"
        if not (train.is_file() and evaluation.is_file()):
            sides = _split(invented_events(_TRAINED + _EVALUATED, _SEED))
            for file, texts in ((train, sides[0]), (evaluation, sides[1])):
                _write(file, texts)
        return DemoFiles(train, evaluation, evaluation.stem)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        for file in sorted(encoder(folder).iterdir()):
            stage.put(file, f"{_ENCODER_KEY}/{file.name}")

    def show_scores(self, console: Console, tables: Tables, run_id: str) -> dict[str, Any]:
        scores = tables.scores(self.task, run_id, _METRICS)
        console.print(_comparison(scores))
        _say_what_it_means(console, scores)
        return {"scores": scores}

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        return {}


def _split(texts: Sequence[EventText]) -> tuple[list[EventText], list[EventText]]:
    """(train, evaluation), whole sources each: the texts of one are much alike."""
    sources = list(dict.fromkeys(text.source for text in texts))
    left = _EVALUATED
    evaluated = set()
    for source in sources:
        size = sum(text.source == source for text in texts)
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
