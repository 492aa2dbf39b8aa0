"""The demo of a task that somebody added: no example data, everything else by what kind of task it is."""

from pathlib import Path
from typing import Any

from rich.console import Console

from local.demos.choice import show_candidates
from local.demos.classifications import evaluated_texts, show_classifier_scores, stream_texts
from local.demos.summaries import evaluated_text, show_answer, show_summary_scores
from local.demos.task_demo import DemoFiles
from local.errors import DataError
from local.packaged_models import named_models
from local.results import Tables
from local.stage import LocalStage


class OwnTask:
    """What such demos share; `file` is the task file. See TaskDemo."""

    def __init__(self, file: Path) -> None:
        self.task = file.stem
        self._file = file

    def example_data(self, console: Console, folder: Path) -> DemoFiles:  # noqa: ARG002  # TaskDemo's
        raise DataError(f"{self.task} brings no example data; say which: DATA=train.jsonl EVAL=dev1.jsonl")

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        for file, key in named_models(self._file.read_text(encoding="utf-8"), folder):
            stage.put(file, key)


class OwnSummaries(OwnTask):
    """A task that writes text."""

    kind = "summary"

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        shown = show_summary_scores(console, Tables.of(stage), self.task, run_id)
        return {**shown, **show_candidates(console, stage, self.task, run_id)}

    def use(
        self,
        console: Console,
        stage: LocalStage,
        run_id: str,
        folder: Path,  # noqa: ARG002  # TaskDemo's
        *,
        own_data: bool,  # noqa: ARG002
    ) -> dict[str, Any]:
        asked = evaluated_text(Tables.of(stage), self.task, run_id)
        return show_answer(console, stage, self.task, asked, "see above how it compares with trivial answers")


class OwnClassification(OwnTask):
    """A task that tells two labels apart, of which `positive` is looked for."""

    kind = "classification"

    def __init__(self, file: Path, positive: str) -> None:
        super().__init__(file)
        self._positive = positive

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        return show_classifier_scores(console, Tables.of(stage), self.task, run_id, f"texts that are {self._positive}")

    def use(
        self,
        console: Console,
        stage: LocalStage,
        run_id: str,
        folder: Path,
        *,
        own_data: bool,  # noqa: ARG002  # TaskDemo's
    ) -> dict[str, Any]:
        texts = evaluated_texts(Tables.of(stage), self.task, run_id)
        if self.task in stage.names.text_queues:
            return stream_texts(console, stage, self.task, run_id, texts, positive=self._positive, folder=folder)
        answer = stage.ask_endpoint(self.task, texts[0])
        console.print("The live endpoint, asked about a text that it was not trained on:", style="bold")
        console.print(f"  {answer['label']}, probability {answer['probability']:.4f}", highlight=False)
        console.print(f"  {texts[0]}", highlight=False, markup=False)
        return {"answer": {"input": texts[0], "output": answer["label"]}}
