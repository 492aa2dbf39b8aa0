"""What a pipe or a log gets of a run while it goes."""

import io
from pathlib import Path

from rich.console import Console

from local.progress import ExpectedSeconds, Progress
from local.runs import Loss, RunView, Step

STEPS = ("Prepare", "FineTune", "AnswerSmallLanguageModel")


def shown(tmp_path: Path, *views: RunView) -> list[str]:
    console = Console(soft_wrap=True, width=120, file=io.StringIO(), record=True)
    with Progress(console, ExpectedSeconds(tmp_path / "seconds.json", STEPS), epochs=2.0) as progress:
        for view in views:
            progress.show(view)
    return console.export_text().splitlines()


def view(*steps: Step, losses: list[Loss] | None = None) -> RunView:
    return RunView("arn:of/run", "Executing", list(steps), losses or [])


def test_states_stand_in_one_column_however_long_a_steps_name_is(tmp_path: Path) -> None:
    lines = shown(
        tmp_path,
        view(Step("Prepare", "Succeeded", 3.0), Step("AnswerSmallLanguageModel", "Executing", 0.0)),
        view(Step("FineTune", "Executing", 9.0), losses=[Loss("loss", 1.5, 0.5)]),
    )
    assert [line.split()[0] for line in lines] == ["Prepare", "AnswerSmallLanguageModel", "FineTune", "FineTune"]
    assert {min(line.find(word) for word in ("Succ", "Exec", "epoch") if word in line) for line in lines} == {28}


def test_each_change_is_said_once(tmp_path: Path) -> None:
    executing = view(Step("FineTune", "Executing", 9.0), losses=[Loss("loss", 1.5, 0.5)])
    later = view(Step("FineTune", "Executing", 12.0), losses=[Loss("loss", 1.5, 0.5), Loss("eval_loss", 1.25, 1.0)])
    lines = shown(tmp_path, executing, executing, later, view(Step("FineTune", "Succeeded", 15.0, cached=True)))
    assert [" ".join(line.split()[1:5]) for line in lines] == [
        "Executing [about 0:57 left]",
        "epoch 0.50 training loss",
        "epoch 1.00 validation loss",
        "Succeeded after 0:15 (kept",
    ]
