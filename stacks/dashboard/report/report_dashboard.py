"""The dashboard of tasks that write text, put together."""

from collections.abc import Sequence

from stacks.dashboard.parts import Choice, Dashboard, Parameter, Tick
from stacks.dashboard.report.before_and_after import BEFORE_AND_AFTER
from stacks.dashboard.report.choice import CHOICE, HIGH, INTERVAL, LOW
from stacks.dashboard.report.choice_data_sets import KINDS, NO_ERRORS, RULES
from stacks.dashboard.report.data_sets import DATA_SETS, GAIN, SCORES, WORST
from stacks.dashboard.report.distributions import DISTRIBUTIONS
from stacks.dashboard.report.overview import OVERVIEW
from stacks.dashboard.report.reports import REPORTS
from stacks.dashboard.shared.data_sets import NONE
from stacks.dashboard.shared.data_sheet import data_sheet
from stacks.dashboard.shared.reading import RUN, RUN_COLORS, task_choice
from stacks.dashboard.shared.scores import ALL_SLICES
from stacks.dashboard.shared.training_sheet import training_sheet
from stacks.dashboard.theme import BLUE, CRIMSON, GREEN, GREY, INK, MAGENTA, ORANGE
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
    # Candidates have any name, so their colour is that of their kind.
    "kind": dict(zip(KINDS, (ORANGE, BLUE, GREEN, MAGENTA, CRIMSON, GREY), strict=True)),
    "rule": {**dict(zip(RULES, (CRIMSON, BLUE, ORANGE, GREEN, MAGENTA), strict=True)), NO_ERRORS: GREY},
    INTERVAL: {LOW: INK, HIGH: INK},
    **RUN_COLORS,
}
TRAINING = training_sheet(
    "Cross-entropy a token, in nats. While both fall the model learns; where validation rises it learns by heart. "
    "The model of the lowest validation loss is kept."
)
DATA = data_sheet({"input": "the findings", "target": "the impressions"})


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
            Parameter(name="example", default=GAIN),
            Parameter(name="search", default=""),
        ),
        fixed=("task", "run", "slice"),
        controls=(
            task_choice(tasks),
            RUN,
            Choice(parameter="slice", title="Slice", values=(ALL_SLICES, NORMAL, ABNORMAL)),
        ),
        ticks=(
            Tick(column="evaluation_set", data_set=SCORES.name, title="Evaluation sets"),
            Tick(column="model", data_set=SCORES.name, title="Models"),
        ),
        sheets=(OVERVIEW, CHOICE, BEFORE_AND_AFTER, DISTRIBUTIONS, REPORTS, TRAINING, DATA),
        colors=COLORS,
    )
