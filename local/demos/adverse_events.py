"""The demo of the adverse event task: invented texts, the scores beside the floors, and texts classified live."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from local.demos.classifications import MOST_STREAMED, evaluated_texts, show_classifier_scores, stream_texts
from local.demos.task_demo import DemoFiles
from local.invented.adverse_events import EVENT as POSITIVE
from local.invented.adverse_events import EventText, invented_events
from local.packaged_models import ENCODER_KEY, LANGUAGE_MODEL_KEY, packaged_model
from local.results import Tables
from local.stage import LocalStage
from local.whole_files import write_json_lines

_TRAINED, _EVALUATED = 2_500, 800
# Written for other doctors, as published collections are. Of all kinds, messages of patients among them, the small
# encoder learns too little in the time of a demo (docs/quality-log.md).
_REGISTERS = ("case_report", "discharge", "title")
_SEED = 1
_STREAM_SEED = 2


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
            write_json_lines(file, ({"text": t.text, "label": t.label, "article": t.source} for t in texts))
        return DemoFiles(train, evaluation, evaluation.stem)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        for model in (ENCODER_KEY, LANGUAGE_MODEL_KEY):
            for file, key in packaged_model(model, folder):
                stage.put(file, key)

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        found = "texts that report an adverse event, in texts of other sources than the training texts"
        return show_classifier_scores(console, Tables.of(stage), self.task, run_id, found)

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        texts = (
            evaluated_texts(Tables.of(stage), self.task, run_id)
            if own_data
            else [text.text for text in invented_events(MOST_STREAMED, _STREAM_SEED, registers=_REGISTERS)]
        )
        return stream_texts(console, stage, self.task, run_id, texts, positive=POSITIVE, folder=folder)


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
