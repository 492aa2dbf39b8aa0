"""The demo of the clinical notes task: invented notes, every way to summarise them side by side, and a note that
nobody trained on."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from local.demos.choice import show_candidates
from local.demos.summaries import AskedText, evaluated_text, show_answer, show_summary_scores
from local.demos.task_demo import DemoFiles
from local.invented.nursing_notes import Note, invented_notes
from local.packaged_models import LANGUAGE_MODEL_KEY, packaged_model
from local.results import Tables
from local.stage import LocalStage
from local.whole_files import write_csv

_TRAINED, _EVALUATED = 1_600, 200
_SEED, _UNSEEN_SEED = 1, 2
_EVALUATION_SET = "dev1"
_COLUMNS = ("note", "summary")


class ClinicalNotes:
    """Summaries of doctors' and nurses' notes; see TaskDemo."""

    task = "clinical_notes"
    kind = "summary"

    def example_data(self, console: Console, folder: Path) -> DemoFiles:
        console.print("Notes: invented by this project, from templates. No patient, and nothing in them is advice.")
        train, evaluation = folder / "notes-train.csv", folder / "notes-dev1.csv"
        sides = split_by_case(invented_notes(_TRAINED + _EVALUATED, _SEED), _EVALUATED)
        for file, notes in zip((train, evaluation), sides, strict=True):
            write_csv(file, _COLUMNS, ((note.note, note.summary) for note in notes))
        return DemoFiles(train, evaluation, _EVALUATION_SET)

    def provide_models(self, stage: LocalStage, folder: Path) -> None:
        """The foundation candidate; the model before fine-tuning is built from the training text."""
        for file, key in packaged_model(LANGUAGE_MODEL_KEY, folder):
            stage.put(file, key)

    def show_scores(self, console: Console, stage: LocalStage, run_id: str) -> dict[str, Any]:
        shown = show_summary_scores(console, Tables.of(stage), self.task, run_id)
        return {**shown, **show_candidates(console, stage, self.task, run_id)}

    def use(
        self,
        console: Console,
        stage: LocalStage,
        run_id: str,
        folder: Path,  # noqa: ARG002  # TaskDemo's; notes are invented anew, not kept
        *,
        own_data: bool,
    ) -> dict[str, Any]:
        if own_data:
            asked = evaluated_text(Tables.of(stage), self.task, run_id)
        else:
            (unseen,) = invented_notes(1, _UNSEEN_SEED)
            asked = AskedText(unseen.note, unseen.summary)
        return show_answer(console, stage, self.task, asked, "see above how many hold a clinical error")


def split_by_case(notes: Sequence[Note], evaluated: int) -> tuple[list[Note], list[Note]]:
    """(train, evaluation) with about `evaluated` notes in the second, never more; whole cases each: the notes of one
    differ in numbers and in what surrounds them only."""
    cases = defaultdict(list)
    for note in notes:
        cases[note.case].append(note)
    chosen: set[str] = set()
    left = evaluated
    # In the order in which the cases come, which the seed decides.
    for case, members in cases.items():
        if len(members) <= left:
            chosen.add(case)
            left -= len(members)
    return [n for n in notes if n.case not in chosen], [n for n in notes if n.case in chosen]
