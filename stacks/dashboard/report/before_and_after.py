"""Before and after: what the same model wrote before fine-tuning and after it, record by record."""

from stacks.dashboard.parts import Choice, Row, Sheet, Tile
from stacks.dashboard.report.data_sets import BEFORE_AND_AFTER as DATA_SET
from stacks.dashboard.report.data_sets import EXAMPLE_ORDERS
from stacks.dashboard.visual_kinds import SCORE, Cell, Order, Rows

BEFORE_AND_AFTER = Sheet(
    id="before-and-after",
    title="Before and after",
    description="One text, the doctor's answer, and the model's before and after fine-tuning. Gains and losses alike: "
    "change the order.",
    controls=(Choice(parameter="example", title="Sort by", values=EXAMPLE_ORDERS),),
    without=("slice", "model"),
    rows=(
        Row(
            height=21,
            tiles=(
                Tile(
                    visual=Rows(
                        id="before-and-after-table",
                        title="The model's answer before and after fine-tuning (ROUGE-L from 0 to 1, higher is better)",
                        help="In both answers ⟦−words⟧ are the doctor's and missing, ⟦+words⟧ the model's own. "
                        "Clinical errors are what a rule found in the answer and not in the text: rule and passage; "
                        "looked for only where the task file names candidates. The order of the median gain begins "
                        "with what is usual.",
                        data_set=DATA_SET.name,
                        cells=(
                            Cell(column="input", title="text", width=280),
                            Cell(column="reference", title="the doctor's answer", width=200),
                            Cell(column="before", title="before (pre-trained)", width=240),
                            Cell(column="after", title="after (fine-tuned)", width=240),
                            Cell(column="before_score", title="ROUGE-L before", width=95, format=SCORE),
                            Cell(column="after_score", title="ROUGE-L after", width=95, format=SCORE),
                            Cell(column="gain", title="gain", width=85, format=SCORE),
                            Cell(column="before_errors", title="clinical errors before", width=115),
                            Cell(column="after_errors", title="clinical errors after", width=115),
                            Cell(column="evaluation_set", title="set", width=80),
                            Cell(column="place", title="place", hidden=True),
                        ),
                        order=Order(column="place"),
                        cell_height=300,
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
