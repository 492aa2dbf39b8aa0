"""The demo of the radiology task: real reports, ROUGE beside the floors, and a report that nobody trained on."""

from pathlib import Path
from typing import Any

from rich.console import Console

from local.demos.summaries import AskedText, evaluated_text, show_answer, show_summary_scores
from local.demos.task_demo import DemoFiles
from local.open_i import LICENCE, example_files, unseen_report
from local.results import Tables
from local.stage import LocalStage


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

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        return show_summary_scores(console, Tables.of(stage), self.task, run_id)

    def use(self, console: Console, stage: LocalStage, run_id: str, folder: Path, *, own_data: bool) -> dict[str, Any]:
        if own_data:
            asked = evaluated_text(Tables.of(stage), self.task, run_id)
        else:
            report = unseen_report(folder)
            asked = AskedText(report.findings, report.impression)
        return show_answer(console, stage, self.task, asked, "see above how often the model misses what is abnormal")
