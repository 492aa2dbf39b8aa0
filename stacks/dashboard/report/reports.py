"""Reports side by side: what the doctor wrote, and what each model made of the findings."""

from stacks.dashboard.parts import Choice, Range, Row, Search, Sheet, Tile
from stacks.dashboard.report.data_sets import GAIN, LONGEST, LOSS, WORST
from stacks.dashboard.report.data_sets import REPORTS as DATA_SET
from stacks.dashboard.visual_kinds import COUNT, SCORE, Cell, Order, Rows

REPORTS = Sheet(
    id="reports",
    title="Reports side by side",
    description="Every report of the evaluation sets: findings, the doctor's impression, both models' texts, and the "
    "training reports that the fine-tuned one was shown.",
    controls=(
        Choice(parameter="order", title="Sort by", values=(WORST, GAIN, LOSS)),
        Search(parameter="search", title="Search in the texts"),
        Range(
            column="fine_tuned_score", data_set=DATA_SET.name, title="Fine-tuned ROUGE-L", low=0.0, high=1.0, step=0.05
        ),
        Range(
            column="length",
            data_set=DATA_SET.name,
            title=f"Words of the impression (up to {LONGEST}+)",
            low=0,
            high=LONGEST,
            step=5,
        ),
    ),
    rows=(
        Row(
            height=21,
            tiles=(
                Tile(
                    visual=Rows(
                        id="reports-table",
                        title="Findings, the doctor's impression and the models' (ROUGE-L from 0 to 1, higher is "
                        "better)",
                        help="In the marked text, ⟦−words⟧ are the doctor's and missing from the model's answer; "
                        "⟦+words⟧ are the model's own. A high score can hide a flipped meaning: read before you trust. "
                        "A training report that the model was shown has its place by similarity, similarity from 0 to "
                        "1, id and impression; consensus is the one on which the most similar agree best.",
                        data_set=DATA_SET.name,
                        cells=(
                            Cell(column="findings", title="findings", width=300),
                            Cell(column="doctor", title="doctor's impression", width=190),
                            Cell(column="marked", title="fine-tuned, marked against the doctor's", width=210),
                            Cell(column="similar_reports", title="similar training reports", width=250),
                            Cell(column="fine_tuned", title="fine-tuned", width=160),
                            Cell(column="pretrained", title="pre-trained", width=160),
                            Cell(column="fine_tuned_score", title="fine-tuned ROUGE-L", width=90, format=SCORE),
                            Cell(column="pretrained_score", title="pre-trained ROUGE-L", width=90, format=SCORE),
                            Cell(column="gain", title="gain", width=95, format=SCORE),
                            Cell(column="remark", title="remark", width=150),
                            Cell(column="evaluation_set", title="set", width=80),
                            Cell(column="slice", title="slice", width=90),
                            Cell(column="input_words", title="words of findings", width=80, format=COUNT),
                            Cell(column="reference_words", title="words of impression", width=80, format=COUNT),
                            Cell(column="place", title="place", hidden=True),
                        ),
                        order=Order(column="place"),
                        # Four similar reports of three lines.
                        cell_height=240,
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
