"""Overview: is the fine-tuned model better, may it be used, and how did earlier runs do?"""

from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.report.data_sets import SCORES
from stacks.dashboard.shared.data_sets import HISTORY
from stacks.dashboard.shared.run_rows import gate_row, runs_row
from stacks.dashboard.visual_kinds import SHARE, BarsAndLines, Dimension, Kpi, Lines, Measure, Order
from training.table_schemas import CONSENSUS, CONSTANT, LEAD, NEAREST

_MODEL = Dimension(column="model", title="answers of")


def _score(metric: str, title: str) -> Kpi:
    return Kpi(
        id=f"overview-{metric.lower()}",
        title=f"{title}, fine-tuned (0 to 1, higher is better)",
        help="Words shared with the doctor's own text; below it the model before fine-tuning, and the difference.",
        data_set=SCORES.name,
        where={"metric": metric},
        value=Measure(column="fine_tuned", title=f"{title}, fine-tuned"),
        target=Measure(column="pretrained", title="pre-trained"),
    )


OVERVIEW = Sheet(
    id="overview",
    title="Overview",
    description="Is the fine-tuned model better than the one before fine-tuning and than trivial answers, and did the "
    "gate let it through?",
    rows=(
        Row(
            height=6,
            tiles=(
                Tile(visual=_score("rougeL", "ROUGE-L"), width=9),
                Tile(visual=_score("rouge1", "ROUGE-1"), width=9),
                Tile(visual=_score("rouge2", "ROUGE-2"), width=9),
                Tile(
                    visual=Kpi(
                        id="overview-missed",
                        title="Abnormal called normal, fine-tuned (lower is better)",
                        help="Share of abnormal reports that the model answers as if nothing were found: the error "
                        "that ROUGE hides. Shown for the slices all and abnormal alike.",
                        data_set=SCORES.name,
                        where={"metric": "abnormal_as_normal"},
                        value=Measure(column="fine_tuned", title="fine-tuned", format=SHARE),
                        target=Measure(column="pretrained", title="pre-trained", format=SHARE),
                    ),
                    width=9,
                ),
            ),
        ),
        gate_row("overview"),
        Row(
            height=12,
            tiles=(
                Tile(
                    visual=BarsAndLines(
                        id="overview-scores",
                        title="ROUGE F1 by evaluation set (0 to 1, higher is better)",
                        help="Bars are the model before and after fine-tuning. Lines are answers that need no model: "
                        "one constant answer, the first sentences of the findings, the impression of the most "
                        "similar training report, and the one on which the most similar ones agree best. A bar below a "
                        "line is worse than that.",
                        data_set=SCORES.name,
                        where={"family": "ROUGE", "kind": "model"},
                        category=Dimension(column="set_and_score", title="evaluation set and score"),
                        bars=Measure(column="mean", title="mean F1"),
                        color=_MODEL,
                        lines=(
                            Measure(column="constant_answer", title="constant answer", color_of=("model", CONSTANT)),
                            Measure(column="lead_sentences", title="lead sentences", color_of=("model", LEAD)),
                            Measure(column="nearest_report", title="nearest report", color_of=("model", NEAREST)),
                            Measure(column="consensus", title="consensus", color_of=("model", CONSENSUS)),
                        ),
                        order=Order(column="set_and_score"),
                    ),
                    width=36,
                ),
            ),
        ),
        Row(
            height=11,
            tiles=(
                Tile(
                    visual=Lines(
                        id="overview-history",
                        title="ROUGE-L of every run over time (0 to 1, higher is better)",
                        help="One point a run and model: does a new model do better than the ones before it? Not "
                        "narrowed to the chosen run.",
                        data_set=HISTORY.name,
                        where={"metric": "rougeL"},
                        x=Dimension(column="started_at", title="start of the run", granularity="MINUTE"),
                        y=Measure(column="mean", title="mean ROUGE-L"),
                        color=_MODEL,
                    ),
                    width=18,
                ),
                Tile(
                    visual=Lines(
                        id="overview-missed-history",
                        title="Abnormal called normal in every run (share, lower is better)",
                        help="The share of abnormal reports that were answered as normal, over time.",
                        data_set=HISTORY.name,
                        where={"metric": "abnormal_as_normal"},
                        x=Dimension(column="started_at", title="start of the run", granularity="MINUTE"),
                        y=Measure(column="mean", title="share", format=SHARE),
                        color=_MODEL,
                    ),
                    width=18,
                ),
            ),
        ),
        runs_row("overview"),
    ),
)
