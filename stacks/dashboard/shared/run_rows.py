"""Rows of a sheet about runs: the gate's decision, and every run."""

from stacks.dashboard.parts import Row, Tile
from stacks.dashboard.shared.data_sets import RUN_LIST, RUNS
from stacks.dashboard.visual_kinds import COUNT, Cell, Format, Order, Rows


def gate_row(sheet: str) -> Row:
    """The gate's decision about the chosen run; `sheet` is the id of the sheet that it is on."""
    return Row(
        height=14,
        tiles=(
            Tile(
                visual=Rows(
                    id=f"{sheet}-gate",
                    title="The gate's decision about this run, and why",
                    help="A model is registered only if it passed; somebody must still approve it before it "
                    "answers anybody.",
                    data_set=RUNS.name,
                    cells=(
                        Cell(column="gate", title="gate", width=110),
                        Cell(column="gate_reasons", title="reasons", width=720),
                        Cell(column="warnings", title="what a reader must know", width=420),
                        Cell(column="status", title="run", width=100),
                        Cell(column="started_at", title="started", width=150),
                    ),
                    order=Order(column="started_at", descending=True),
                    # Seven reasons of two lines.
                    cell_height=300,
                ),
                width=36,
            ),
        ),
    )


def runs_row(sheet: str) -> Row:
    """Every run and refused upload of the chosen task."""
    return Row(
        height=10,
        tiles=(
            Tile(
                visual=Rows(
                    id=f"{sheet}-runs",
                    title="Every run and every refused upload of this task",
                    help="Also what failed or was refused, with the reason in a sentence.",
                    data_set=RUN_LIST.name,
                    cells=(
                        Cell(column="started_at", title="started", width=150),
                        Cell(column="run_id", title="run", width=140),
                        Cell(column="status", title="status", width=100),
                        Cell(column="gate", title="gate", width=110),
                        Cell(column="why", title="why", width=520),
                        Cell(column="uploaded", title="uploaded", width=90, format=COUNT),
                        Cell(column="train", title="trained on", width=90, format=COUNT),
                        Cell(column="minutes", title="minutes", width=90, format=Format(decimals=1)),
                        Cell(column="cost_dollars", title="cost ($)", width=90, format=Format(decimals=2)),
                    ),
                    order=Order(column="started_at", descending=True),
                ),
                width=36,
            ),
        ),
    )
