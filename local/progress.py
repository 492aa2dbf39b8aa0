"""What a person sees of a run while it goes: each step with its state and time, the losses, the time left.

On a terminal the picture is drawn anew in place; elsewhere (a pipe, CI) each change is one line.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.runs import Loss, RunView, Step, Trial

_STYLES = {"Succeeded": "green", "Executing": "cyan", "Starting": "cyan", "Failed": "red", "Stopped": "yellow"}
# The step that searches.
SEARCH = "Tune"
ENDED_TRIALS = ("Completed", "Failed", "Stopped")
# First guesses (seconds on two cores), until a run has been measured on this machine.
_FIRST_GUESS = {"Prepare": 5.0, "FineTune": 200.0, "Evaluate": 8.0, "Gate": 0.0, "Register": 1.0}
_GUESS_FOR_ANY_STEP = 25.0


class ExpectedSeconds:
    """How long each of a run's `steps` took when it last ran here."""

    def __init__(self, file: Path, steps: Sequence[str]) -> None:
        self.steps = steps
        self._file = file
        measured = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        self._seconds: dict[str, float] = {**_FIRST_GUESS, **measured}

    def left(self, view: RunView, epochs: float) -> float:
        """Seconds until the run's end, as if its steps ran one after another (they share the machine's cores)."""
        steps = {step.name: step for step in view.steps}
        return sum(self._left_of(name, steps.get(name), view.losses, epochs) for name in self.steps)

    def remember(self, view: RunView) -> None:
        """Keep what this run took, for the next estimate."""
        measured = {step.name: step.seconds for step in view.steps if step.status == "Succeeded" and not step.cached}
        self._seconds.update(measured)
        self._file.write_text(json.dumps(self._seconds, indent=2) + "\n", encoding="utf-8")

    def _left_of(self, name: str, step: Step | None, losses: list[Loss], epochs: float) -> float:
        expected = self._seconds.get(name, _GUESS_FOR_ANY_STEP)
        if step is None:
            return expected
        if step.status not in ("Executing", "Starting"):
            return 0.0
        done = max((loss.epoch for loss in losses), default=0.0) / epochs
        if name == "FineTune" and done > 0.05:
            # Training may also end at its time limit, which the last run's time knows of.
            return min(step.seconds / done, max(expected, step.seconds)) - step.seconds
        return max(expected - step.seconds, 1.0)


class Progress:
    """Shows one run; a context manager around the time it is followed."""

    def __init__(self, console: Console, expected: ExpectedSeconds, epochs: float) -> None:
        self._console = console
        self._expected = expected
        self._epochs = epochs
        self._live = Live(console=console, refresh_per_second=4, transient=False) if console.is_terminal else None
        self._said: set[str] = set()
        self._losses_said = 0
        self._name_width = max(map(len, expected.steps), default=0) + 2

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, view: RunView) -> None:
        """Show how the run is doing now."""
        left = self._expected.left(view, self._epochs)
        if self._live:
            self._live.update(self._picture(view, left))
        else:
            self._print_changes(view, left)

    def _picture(self, view: RunView, left: float) -> RenderableType:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        steps = {step.name: step for step in view.steps}
        for name in self._expected.steps:
            step = steps.get(name)
            status = step.status if step else "waiting"
            text = Text(f"{status} (kept from an earlier run)" if step and step.cached else status)
            text.stylize(_STYLES.get(status, "dim"))
            note = _latest(view.losses) if name == "FineTune" else ""
            table.add_row(f"  {name}", text, _clock(step.seconds) if step else "", note)
            for number, trial in enumerate(view.trials if name == SEARCH else [], start=1):
                table.add_row(f"    {number}", trial.status, *_trial(trial))
        end = "" if view.ended else f"about {_clock(left)} left"
        return Group(Text(f"Run {view.run_id}: {view.status}   {end}", style="bold"), table)

    def _print_changes(self, view: RunView, left: float) -> None:
        for step in view.steps:
            key = f"{step.name} {step.status}"
            if key not in self._said:
                self._said.add(key)
                took = f" after {_clock(step.seconds)}" if step.status not in ("Executing", "Starting") else ""
                kept = " (kept from an earlier run)" if step.cached else ""
                said = f"{step.name:<{self._name_width}}{step.status}{took}{kept}   [about {_clock(left)} left]"
                self._console.print(f"  {said}", highlight=False, markup=False)
        for number, trial in enumerate(view.trials, start=1):
            if trial.status in ENDED_TRIALS and trial.name not in self._said:
                self._said.add(trial.name)
                self._console.print(
                    f"  {SEARCH:<{self._name_width}}job {number} {trial.status}  {'  '.join(_trial(trial))}",
                    highlight=False,
                    markup=False,
                )
        for loss in view.losses[self._losses_said :]:
            kind = "validation loss" if loss.kind == "eval_loss" else "training loss"
            self._console.print(
                f"  {'FineTune':<{self._name_width}}epoch {loss.epoch:.2f}  {kind} {loss.value:.4f}", highlight=False
            )
        self._losses_said = len(view.losses)


def _trial(trial: Trial) -> tuple[str, str]:
    """What a training of a search reached, and what it was given."""
    reached = "" if trial.objective is None else f"f1 {trial.objective:.4f}"
    return reached, ", ".join(f"{name} {few_digits(value)}" for name, value in sorted(trial.parameters.items()))


def few_digits(value: str) -> str:
    """A number with few digits; other values as they are."""
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value


def _latest(losses: list[Loss]) -> str:
    parts = []
    for kind, label in (("loss", "training loss"), ("eval_loss", "validation loss")):
        values = [loss for loss in losses if loss.kind == kind]
        if values:
            parts.append(f"{label} {values[-1].value:.3f}")
    epoch = f"epoch {losses[-1].epoch:.2f}  " if losses else ""
    return epoch + "  ".join(parts)


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
