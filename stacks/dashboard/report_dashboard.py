"""The project's dashboard, put together."""

from collections.abc import Sequence

from stacks.dashboard.data_sets import ALL_SLICES, CHOSEN, COMPARED, DATA_SETS, NONE, RUNS, SCORES, WORST
from stacks.dashboard.parts import Choice, Dashboard, Parameter, Tick
from stacks.dashboard.sheets import SHEETS
from stacks.dashboard.theme import BLUE, CRIMSON, GREEN, GREY, MAGENTA, ORANGE, PURPLE, VERMILION
from training.table_schemas import (
    ABNORMAL,
    CONSENSUS,
    CONSTANT,
    FINE_TUNED,
    LEAD,
    NEAREST,
    NEWEST,
    NORMAL,
    PRETRAINED,
)

COLORS = {
    "model": {
        PRETRAINED: ORANGE,
        FINE_TUNED: BLUE,
        CONSTANT: GREY,
        LEAD: CRIMSON,
        NEAREST: GREEN,
        CONSENSUS: MAGENTA,
    },
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


def report_dashboard(tasks: Sequence[str]) -> Dashboard:
    """The dashboard over these tasks; it opens on the newest evaluated run of the first."""
    return Dashboard(
        title="Report tuning",
        data_sets=DATA_SETS,
        parameters=(
            Parameter(name="task", default=tasks[0]),
            Parameter(name="run", default=NEWEST),
            Parameter(name="slice", default=ALL_SLICES),
            Parameter(name="compare", default=NONE),
            Parameter(name="order", default=WORST),
            Parameter(name="search", default=""),
        ),
        fixed=("task", "run", "slice"),
        controls=(
            Choice(parameter="task", title="Task", values=tuple(tasks)),
            Choice(parameter="run", title="Run", column=(RUNS.name, "run"), narrowed_by=("task", "task")),
            Choice(parameter="slice", title="Slice", values=(ALL_SLICES, NORMAL, ABNORMAL)),
        ),
        ticks=(
            Tick(column="evaluation_set", data_set=SCORES.name, title="Evaluation sets"),
            Tick(column="model", data_set=SCORES.name, title="Models"),
        ),
        sheets=SHEETS,
        colors=COLORS,
    )
