"""Data: what was uploaded, and what became of it."""

from collections.abc import Mapping

from stacks.dashboard.parts import GRID_COLUMNS, Row, Sheet, Tile
from stacks.dashboard.shared.data_sets import DATA_FLOW, LENGTHS, RUNS
from stacks.dashboard.visual_kinds import COUNT, Bars, Cell, Dimension, Kpi, Measure, Order, Rows

_RECORDS = Measure(column="records", title="records", aggregation="SUM", format=COUNT)


def _count(column: str, title: str, explanation: str) -> Tile:
    return Tile(
        visual=Kpi(
            id=f"data-{column}",
            title=f"{title} (records)",
            help=explanation,
            data_set=RUNS.name,
            value=Measure(column=column, title=title, aggregation="SUM", format=COUNT),
        ),
        width=9,
    )


def _lengths(field: str, title: str, width: int) -> Tile:
    return Tile(
        visual=Bars(
            id=f"data-lengths-{field}",
            title=f"Length of {title} (words, in steps of ten)",
            help="How many records have so many words. A model reads and writes only so much: see the parameters "
            "of its lengths on the sheet Training.",
            data_set=LENGTHS.name,
            where={"field": field},
            category=Dimension(column="words_from", title="words, from"),
            value=_RECORDS,
            color=Dimension(column="split", title="part"),
            order=Order(column="words_from"),
        ),
        width=width,
    )


_COUNTS = Row(
    height=6,
    tiles=(
        _count("uploaded", "Uploaded", "Records in the training files, good or bad."),
        _count("train", "Trained on", "Records that the model learnt from."),
        _count("quarantined", "Quarantined", "Records that could not be used; they are kept, with the reason."),
        _count("duplicates", "Duplicates", "Records that were there already, word for word."),
    ),
)

_FLOW = Row(
    height=12,
    tiles=(
        Tile(
            visual=Bars(
                id="data-flow",
                title="What became of the records (number)",
                help="Of the training data every record is in exactly one bar. Evaluation sets are cleaned of "
                "what stands in the training data.",
                data_set=DATA_FLOW.name,
                category=Dimension(column="what", title="outcome"),
                value=_RECORDS,
                color=Dimension(column="part", title="part"),
                horizontal=True,
                order=Order(column="records", descending=True, aggregation="SUM"),
            ),
            width=18,
        ),
        Tile(
            visual=Rows(
                id="data-reasons",
                title="Why records were set aside",
                help="The records themselves lie in quarantine, each with its file, line and reason.",
                data_set=DATA_FLOW.name,
                where={"outcome": "quarantined"},
                cells=(
                    Cell(column="part", title="part", width=140),
                    Cell(column="reason", title="reason", width=360),
                    Cell(column="records", title="records", width=90, format=COUNT),
                ),
                order=Order(column="records", descending=True),
            ),
            width=18,
        ),
    ),
)


def data_sheet(lengths: Mapping[str, str]) -> Sheet:
    """`lengths` are the texts whose lengths are shown: field of the table `lengths` -> what it is called."""
    return Sheet(
        id="data",
        title="Data",
        description="How many records came, what was dropped and why, and how long the texts are.",
        rows=(
            _COUNTS,
            _FLOW,
            Row(
                height=12,
                tiles=tuple(_lengths(field, title, GRID_COLUMNS // len(lengths)) for field, title in lengths.items()),
            ),
        ),
    )
