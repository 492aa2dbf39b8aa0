"""How a reader chooses among tasks and runs, and what colours runs have."""

from collections.abc import Sequence

from stacks.dashboard.parts import Choice
from stacks.dashboard.shared.data_sets import CHOSEN, COMPARED, RUNS
from stacks.dashboard.theme import BLUE, GREY, ORANGE, PURPLE, VERMILION

RUN = Choice(parameter="run", title="Run", column=(RUNS.name, "run"), narrowed_by=("task", "task"))
RUN_COLORS = {
    "series": {
        f"{CHOSEN}: training": BLUE,
        f"{CHOSEN}: validation": VERMILION,
        f"{COMPARED}: training": GREY,
        f"{COMPARED}: validation": PURPLE,
        CHOSEN: BLUE,
        COMPARED: GREY,
    },
    "split": {"train": BLUE, "validation": ORANGE},
}


def task_choice(tasks: Sequence[str]) -> Choice:
    return Choice(parameter="task", title="Task", values=tuple(tasks))
