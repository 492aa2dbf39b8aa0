"""Synthetic: what the texts that a model wrote change, and which of them were taken."""

from stacks.dashboard.events.incoming import PROBABILITY
from stacks.dashboard.events.quality_data_sets import SCORES
from stacks.dashboard.events.training_data_sets import DROPPED, EXAMPLES, KEPT, OUTCOMES
from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.visual_kinds import COUNT, Bars, Cell, Dimension, Kpi, Measure, Order, Rows


def _score(metric: str, title: str) -> Tile:
    return Tile(
        visual=Kpi(
            id=f"synthetic-{metric.replace('_', '-')}",
            title=f"{title}, with synthetic texts (0 to 1, higher is better)",
            help="Below it the same encoder fine-tuned without them, and the difference.",
            data_set=SCORES.name,
            where={"metric": metric, "beside_synthetic": "yes"},
            value=Measure(column="fine_tuned", title="with synthetic texts"),
            target=Measure(column="without_synthetic", title="without"),
        ),
        width=9,
    )


def _texts(fate: str, title: str, explanation: str) -> Tile:
    return Tile(
        visual=Kpi(
            id=f"synthetic-{fate}",
            title=f"{title} (number)",
            help=explanation,
            data_set=OUTCOMES.name,
            where={"fate": fate},
            value=Measure(column="texts", title=title, aggregation="SUM", format=COUNT),
        ),
        width=9,
    )


SYNTHETIC = Sheet(
    id="synthetic",
    title="Synthetic",
    description="Texts that a language model wrote as further examples of events, for training alone: whether they "
    "help, and which were kept. Empty for a run without them.",
    rows=(
        Row(
            height=6,
            tiles=(
                _score("f1", "F1"),
                _score("average_precision", "Average precision"),
                _texts(KEPT, "Texts kept", "They were trained on, labelled as events."),
                _texts(DROPPED, "Texts dropped", "They were not trained on; the chart below says why."),
            ),
        ),
        Row(
            height=13,
            tiles=(
                Tile(
                    visual=Bars(
                        id="synthetic-scores",
                        title="Scores with and without synthetic texts (0 to 1)",
                        help="The fine-tuned model saw them, the other one did not; both are scored on doctors' texts "
                        "alone. Brier score and calibration error are better the lower they are, others the higher.",
                        data_set=SCORES.name,
                        where={"beside_synthetic": "yes"},
                        category=Dimension(column="set_and_score", title="evaluation set and score"),
                        value=Measure(column="value", title="score"),
                        color=Dimension(column="model", title="model"),
                        order=Order(column="score_place", aggregation="MIN"),
                    ),
                    width=20,
                ),
                Tile(
                    visual=Bars(
                        id="synthetic-outcomes",
                        title="What became of the texts (number)",
                        help="Copies, near-copies and texts that the first model takes for no event are dropped.",
                        data_set=OUTCOMES.name,
                        category=Dimension(column="outcome", title="outcome"),
                        value=Measure(column="texts", title="texts", aggregation="SUM", format=COUNT),
                        horizontal=True,
                        order=Order(column="texts", descending=True, aggregation="SUM"),
                    ),
                    width=16,
                ),
            ),
        ),
        Row(
            height=16,
            tiles=(
                Tile(
                    visual=Rows(
                        id="synthetic-texts",
                        title="The texts, and whether they were kept (probability from 0 to 1)",
                        help="The probability of an event is the first model's, which counts words and was trained on "
                        "the doctors' texts alone. Read some: they shape what the model takes for an event.",
                        data_set=EXAMPLES.name,
                        cells=(
                            Cell(column="text", title="text", width=720),
                            Cell(column="fate", title="kept or dropped", width=110),
                            Cell(column="reason", title="why dropped", width=260),
                            Cell(column="probability", title="probability", width=100, format=PROBABILITY),
                            Cell(column="written_by", title="written by", width=220),
                        ),
                        order=Order(column="fate", descending=True),
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
