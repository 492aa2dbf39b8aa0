"""Overview: is the fine-tuned model better, may it be used, and how did earlier runs do?"""

from stacks.dashboard.data_sets import HISTORY, RUN_LIST, RUNS, SCORES
from stacks.dashboard.parts import (
    COUNT,
    SHARE,
    BarsAndLines,
    Cell,
    Dimension,
    Format,
    Kpi,
    Lines,
    Measure,
    Order,
    Row,
    Rows,
    Sheet,
    Tile,
)
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
        Row(
            height=14,
            tiles=(
                Tile(
                    visual=Rows(
                        id="overview-gate",
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
        ),
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
        Row(
            height=10,
            tiles=(
                Tile(
                    visual=Rows(
                        id="overview-runs",
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
        ),
    ),
)
