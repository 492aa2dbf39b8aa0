"""Distributions: a mean hides how many reports went wrong."""

from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.report.data_sets import RECORD_SCORES, SCORES
from stacks.dashboard.visual_kinds import COUNT, SCORE, Boxes, Cell, Dimension, Measure, Order, Rows


def _boxes(column: str, title: str) -> Boxes:
    return Boxes(
        id=f"distributions-{column.replace('_', '-')}",
        title=f"{title} F1 of each report (0 to 1, higher is better)",
        help="The box holds the middle half of the reports, its line is the median; the whiskers reach to the "
        "farthest report within one and a half box heights.",
        data_set=RECORD_SCORES.name,
        group=Dimension(column="set_and_model", title="evaluation set and model"),
        value=Measure(column=column, title=title),
    )


DISTRIBUTIONS = Sheet(
    id="distributions",
    title="Distributions",
    description="How the scores of single reports are spread, the model before fine-tuning beside the one after it, "
    "the floors and the candidates of the task file.",
    rows=(
        Row(
            height=12,
            tiles=(
                Tile(visual=_boxes("rouge1", "ROUGE-1"), width=18),
                Tile(visual=_boxes("rouge2", "ROUGE-2"), width=18),
            ),
        ),
        Row(
            height=12,
            tiles=(
                Tile(visual=_boxes("rouge_l", "ROUGE-L"), width=18),
                Tile(visual=_boxes("rouge_lsum", "ROUGE-Lsum"), width=18),
            ),
        ),
        Row(
            height=16,
            tiles=(
                Tile(
                    visual=Rows(
                        id="distributions-table",
                        title="The same in numbers (0 to 1, higher is better)",
                        help="Quantiles by linear interpolation; the interval is a 95 % bootstrap interval of the "
                        "mean. Few different answers mean that a model says the same to everything.",
                        data_set=SCORES.name,
                        where={"family": "ROUGE"},
                        cells=(
                            Cell(column="evaluation_set", title="set", width=110),
                            Cell(column="score", title="score", width=110),
                            Cell(column="model", title="answers of", width=120),
                            Cell(column="records", title="count", width=80, format=COUNT),
                            Cell(column="mean", title="mean", width=90, format=SCORE),
                            Cell(column="std", title="std", width=90, format=SCORE),
                            Cell(column="lowest", title="min", width=90, format=SCORE),
                            Cell(column="q1", title="25 %", width=90, format=SCORE),
                            Cell(column="median", title="50 %", width=90, format=SCORE),
                            Cell(column="q3", title="75 %", width=90, format=SCORE),
                            Cell(column="highest", title="max", width=90, format=SCORE),
                            Cell(column="low", title="interval from", width=110, format=SCORE),
                            Cell(column="high", title="to", width=90, format=SCORE),
                            Cell(column="distinct_predictions", title="different answers", width=130, format=COUNT),
                        ),
                        order=Order(column="set_and_score"),
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
