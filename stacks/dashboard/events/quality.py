"""Quality: are events found better than before fine-tuning and than by simple means, and may the model be used?"""

from stacks.dashboard.events.quality_data_sets import (
    CALIBRATION,
    CONFUSION,
    HIGHER,
    LOWER,
    PRECISION_RECALL,
    SCORES,
)
from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.shared.data_sets import HISTORY
from stacks.dashboard.shared.run_rows import gate_row, runs_row
from stacks.dashboard.visual_kinds import (
    COUNT,
    SCORE,
    SHARE,
    BarsAndLines,
    Cell,
    Dimension,
    Format,
    Kpi,
    Lines,
    Measure,
    Order,
    Rows,
)
from training.table_schemas import ALL_POSITIVE, TFIDF

_MODEL = Dimension(column="model", title="model")
_CURVE = Dimension(column="curve", title="model")
_FLOORS = (
    Measure(column="tfidf", title=TFIDF, color_of=("model", TFIDF)),
    Measure(column="all_positive", title=ALL_POSITIVE, color_of=("model", ALL_POSITIVE)),
)


def _score(metric: str, title: str, explanation: str) -> Tile:
    return Tile(
        visual=Kpi(
            id=f"quality-{metric.replace('_', '-')}",
            title=f"{title}, fine-tuned (0 to 1, higher is better)",
            help=f"{explanation} Below it the base model, and the difference.",
            data_set=SCORES.name,
            where={"metric": metric},
            value=Measure(column="fine_tuned", title=f"{title}, fine-tuned"),
            target=Measure(column="base", title="base"),
        ),
        width=9,
    )


def _bars(visual: str, better: str, title: str, explanation: str, width: int) -> Tile:
    return Tile(
        visual=BarsAndLines(
            id=f"quality-{visual}",
            title=f"{title} by evaluation set (0 to 1, {better})",
            help=explanation,
            data_set=SCORES.name,
            where={"better": better, "kind": "model"},
            category=Dimension(column="set_and_score", title="evaluation set and score"),
            bars=Measure(column="value", title="score"),
            color=_MODEL,
            lines=_FLOORS,
            order=Order(column="score_place", aggregation="MIN"),
        ),
        width=width,
    )


def _history(metric: str, title: str) -> Tile:
    return Tile(
        visual=Lines(
            id=f"quality-{metric.replace('_', '-')}-history",
            title=f"{title} of every run over time (0 to 1, higher is better)",
            help="One point a run and model: does a new model do better than the ones before it? Not narrowed to the "
            "chosen run.",
            data_set=HISTORY.name,
            where={"metric": metric},
            x=Dimension(column="started_at", title="start of the run", granularity="MINUTE"),
            y=Measure(column="mean", title=title),
            color=_MODEL,
        ),
        width=18,
    )


_SCORES_TABLE = Rows(
    id="quality-table",
    title="Every score with its interval (0 to 1)",
    help="The ends of the 95 % bootstrap interval: two models whose intervals hardly overlap differ by more than "
    "chance. Brier score and calibration error are better the lower they are.",
    data_set=SCORES.name,
    cells=(
        Cell(column="evaluation_set", title="set", width=90),
        Cell(column="score", title="score", width=120),
        Cell(column="model", title="model", width=120),
        Cell(column="value", title="value", width=70, format=SCORE),
        Cell(column="low", title="interval from", width=80, format=SCORE),
        Cell(column="high", title="to", width=70, format=SCORE),
        Cell(column="records", title="texts", width=60, format=COUNT),
        Cell(column="better", title="direction", width=110),
        Cell(column="place", title="place", hidden=True),
    ),
    order=Order(column="place"),
)

_PRECISION_RECALL = Lines(
    id="quality-precision-recall",
    title="Precision by recall (0 to 1, up and to the right is better)",
    help="What each threshold gives: a lower one finds more of the events (recall), and more of what it finds is none "
    "(precision). The large marks are at the thresholds that the models were given on the validation texts.",
    data_set=PRECISION_RECALL.name,
    x=Dimension(column="recall", title="recall"),
    # Of several precisions at one recall the best: the others are of lower thresholds that find nothing more.
    y=Measure(column="precision", title="precision", aggregation="MAX"),
    color=_CURVE,
)

_CALIBRATION = Lines(
    id="quality-calibration",
    title="Share of events by predicted probability (0 to 1, nearer to the diagonal is better)",
    help="Texts in ten bins by the probability that a model gave them. Of texts with 0.8, eight in ten should be "
    "events: above the diagonal a model is too careful, below it too sure. Bins with few texts jump.",
    data_set=CALIBRATION.name,
    x=Dimension(column="probability", title="mean predicted probability"),
    y=Measure(column="share", title="share of events"),
    color=_CURVE,
)

_CONFUSION = Rows(
    id="quality-confusion",
    title="What texts are, and what each model called them (number of texts)",
    help="Each line is the texts with one label by the doctors. Of those with the label of an event, who are called "
    "none are missed; of the others, who are called an event are false alarms. Each "
    "model calls a text an event from a probability of its own on.",
    data_set=CONFUSION.name,
    cells=(
        Cell(column="evaluation_set", title="set", width=80),
        Cell(column="model", title="model", width=110),
        Cell(column="reference", title="label by the doctors", width=120),
        Cell(column="called_event", title="called an event", width=75, format=COUNT),
        Cell(column="called_none", title="called none", width=75, format=COUNT),
        Cell(column="share_right", title="right of these", width=75, format=SHARE),
        Cell(column="threshold", title="from probability", width=90, format=Format(decimals=3)),
        Cell(column="place", title="place", hidden=True),
    ),
    order=Order(column="place"),
)

QUALITY = Sheet(
    id="quality",
    title="Quality",
    description="Does the fine-tuned model find events better than the base model (a classifier on the encoder as it "
    "was) and than counting words (tf-idf), and did the gate let it through?",
    rows=(
        Row(
            height=6,
            tiles=(
                _score("f1", "F1", "Precision and recall in one: high only if both are."),
                _score("precision", "Precision", "Of the texts called events, the share that are."),
                _score("recall", "Recall", "Of the events, the share that is found."),
                _score("average_precision", "Average precision", "Over all thresholds: how well events come first."),
            ),
        ),
        gate_row("quality"),
        Row(
            height=12,
            tiles=(
                _bars(
                    "scores",
                    HIGHER,
                    "Scores",
                    "Bars are the models. Lines are answers that need none: counting words (tf-idf), and calling every "
                    "text an event. A bar below a line is worse than that.",
                    24,
                ),
                _bars(
                    "errors",
                    LOWER,
                    "Errors of the probabilities",
                    "How far probabilities are from what was so: squared (Brier score), and as shares (calibration).",
                    12,
                ),
            ),
        ),
        Row(
            height=14,
            tiles=(Tile(visual=_PRECISION_RECALL, width=18), Tile(visual=_CALIBRATION, width=18)),
        ),
        Row(
            height=13,
            tiles=(Tile(visual=_SCORES_TABLE, width=18), Tile(visual=_CONFUSION, width=18)),
        ),
        Row(height=11, tiles=(_history("f1", "F1"), _history("average_precision", "Average precision"))),
        runs_row("quality"),
    ),
)
