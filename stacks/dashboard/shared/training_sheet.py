"""Training: how a run learnt, what it took, and how it differs from another run."""

from stacks.dashboard.parts import Choice, Row, Sheet, Tile
from stacks.dashboard.shared.data_sets import CURVE, PARAMETERS, RUNS, STEPS
from stacks.dashboard.visual_kinds import Bars, Cell, Dimension, Format, Lines, Measure, Order, Rows

_SERIES = Dimension(column="series", title="run")
_LOSS = Measure(column="loss", title="loss", format=Format(decimals=3))
_STEP = Dimension(column="step", title="step")
_IN_ORDER = Order(column="place", aggregation="MIN")


_TAKEN = Row(
    height=10,
    tiles=(
        Tile(
            visual=Bars(
                id="training-step-seconds",
                title="Duration of each step (seconds, lower is faster)",
                help="A step that took an earlier run's result takes no time.",
                data_set=STEPS.name,
                category=_STEP,
                value=Measure(column="seconds", title="seconds", aggregation="SUM", format=Format(decimals=1)),
                color=_SERIES,
                horizontal=True,
                order=_IN_ORDER,
            ),
            width=18,
        ),
        Tile(
            visual=Bars(
                id="training-step-cost",
                title="Estimated cost of each step (dollars, lower is cheaper)",
                help="Instance price times time, as entered for the stage; empty where no price is known, as "
                "on one's own machine.",
                data_set=STEPS.name,
                category=_STEP,
                value=Measure(column="cost_dollars", title="dollars", aggregation="SUM", format=Format(decimals=2)),
                color=_SERIES,
                horizontal=True,
                order=_IN_ORDER,
            ),
            width=18,
        ),
    ),
)

_TABLES = Row(
    height=14,
    tiles=(
        Tile(
            visual=Rows(
                id="training-parameters",
                title="Parameters and data fingerprint, run against run",
                help="Two runs of the same fingerprint were trained on the same bytes.",
                data_set=PARAMETERS.name,
                cells=(
                    Cell(column="name", title="parameter", width=160),
                    Cell(column="chosen", title="chosen run", width=200),
                    Cell(column="compared", title="compared run", width=200),
                    Cell(column="difference", title="difference", width=95),
                ),
                order=Order(column="name"),
            ),
            width=18,
        ),
        Tile(
            visual=Rows(
                id="training-steps",
                title="Steps, with what failed and why",
                help="The instance type that each step asked for (a local AWS has one machine), and "
                "the reason where it failed.",
                data_set=STEPS.name,
                cells=(
                    Cell(column="series", title="run", width=95),
                    Cell(column="step", title="step", width=150),
                    Cell(column="status", title="status", width=100),
                    Cell(column="seconds", title="seconds", width=70, format=Format(decimals=1)),
                    Cell(column="instance_type", title="instance type", width=130),
                    Cell(column="failure", title="failure", width=145),
                    Cell(column="place", title="place", hidden=True),
                ),
                order=Order(column="place"),
            ),
            width=18,
        ),
    ),
)


def _losses(visual: str, title: str, x: Dimension, explanation: str) -> Tile:
    return Tile(
        visual=Lines(
            id=f"training-loss-{visual}",
            title=f"Loss by {title} (nats, lower is better)",
            help=explanation,
            data_set=CURVE.name,
            x=x,
            y=_LOSS,
            color=_SERIES,
        ),
        width=18,
    )


def training_sheet(curve_help: str) -> Sheet:
    """`curve_help` says what the losses are of, and which model is kept."""
    return Sheet(
        id="training",
        title="Training",
        description="Losses, durations, costs and parameters of the chosen run, beside those of another one.",
        controls=(
            Choice(
                parameter="compare",
                title="Compare with run",
                column=(RUNS.name, "compare"),
                narrowed_by=("task", "task"),
            ),
        ),
        rows=(
            Row(
                height=12,
                tiles=(
                    _losses("steps", "optimiser step", Dimension(column="step", title="optimiser step"), curve_help),
                    _losses("epochs", "epoch", Dimension(column="epoch", title="epochs"), curve_help),
                ),
            ),
            _TAKEN,
            _TABLES,
        ),
    )
