"""Mistakes: the evaluation texts, with what they are and what the fine-tuned model made of them."""

from stacks.dashboard.events.incoming import PROBABILITY
from stacks.dashboard.events.quality_data_sets import ALARMS_FIRST, ALL_ANSWERS, ANSWERS, MISSED_FIRST, WORST
from stacks.dashboard.events.quality_data_sets import MISTAKES as ONLY_MISTAKES
from stacks.dashboard.parts import Choice, Range, Row, Search, Sheet, Tile
from stacks.dashboard.visual_kinds import Cell, Order, Rows

MISTAKES = Sheet(
    id="mistakes",
    title="Mistakes",
    description="The evaluation texts that the fine-tuned model got wrong: events that it missed, and false alarms.",
    controls=(
        Choice(parameter="order", title="Sort by", values=(WORST, MISSED_FIRST, ALARMS_FIRST)),
        Choice(parameter="judged", title="Show", values=(ONLY_MISTAKES, ALL_ANSWERS)),
        Search(parameter="search", title="Search in the texts"),
        Range(column="distance", data_set=ANSWERS.name, title="Wrong by", low=0.0, high=1.0, step=0.05),
    ),
    without=("model",),
    rows=(
        Row(
            height=21,
            tiles=(
                Tile(
                    visual=Rows(
                        id="mistakes-table",
                        title="Texts by how wrong the fine-tuned model was (probability from 0 to 1)",
                        help="Wrong by the distance of the probability from 1 for an event and from 0 for the others. "
                        "Look for a pattern, and at the label: some mistakes are the label's.",
                        data_set=ANSWERS.name,
                        cells=(
                            Cell(column="text", title="text", width=560),
                            Cell(column="reference", title="label by the doctors", width=150),
                            Cell(column="prediction", title="label by the model", width=150),
                            Cell(column="verdict", title="verdict", width=100),
                            Cell(column="probability", title="probability", width=100, format=PROBABILITY),
                            Cell(column="base_probability", title="by the base model", width=100, format=PROBABILITY),
                            Cell(column="threshold", title="threshold", width=95, format=PROBABILITY),
                            Cell(column="distance", title="wrong by", width=90, format=PROBABILITY),
                            Cell(column="evaluation_set", title="set", width=95),
                            Cell(column="place", title="place", hidden=True),
                        ),
                        order=Order(column="place"),
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
