"""Choice: every way to answer the same evaluation sets side by side, and which one the rules recommend."""

from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.report.choice_data_sets import CHOICE as DATA_SET
from stacks.dashboard.report.choice_data_sets import ERRORS_BY_RULE, FAILURES, RECOMMENDATION
from stacks.dashboard.visual_kinds import (
    COUNT,
    SCORE,
    SHARE,
    Bars,
    BarsAndLines,
    Cell,
    Dimension,
    Format,
    Measure,
    Order,
    Rows,
)

# The column of the dashboard's colours that has those of an interval's ends.
INTERVAL, LOW, HIGH = "interval", "lower end", "upper end"
_WAY = Dimension(column="set_and_candidate", title="evaluation set and way to answer")
_NONE = "Empty where the task file names no candidates."


def _with_interval(column: str, mean: str, title: str, explanation: str, format: Format) -> Row:
    chart = Tile(
        visual=BarsAndLines(
            id=f"choice-{column.replace('_', '-')}",
            title=title,
            help=f"{explanation} The marks are the ends of its 95 % interval: where two intervals lie far apart, the "
            f"difference is no chance. No bar: no answers. {_NONE}",
            data_set=DATA_SET.name,
            category=_WAY,
            bars=Measure(column=column, title=mean, format=format),
            color=Dimension(column="kind", title="kind"),
            lines=tuple(
                Measure(
                    column=f"{column}_{end}",
                    title=f"{name} of the interval",
                    format=format,
                    color_of=(INTERVAL, name),
                )
                for end, name in (("low", LOW), ("high", HIGH))
            ),
            stacked=True,
            lines_are_marks=True,
            order=Order(column="rouge_l_place", aggregation="MIN"),
        ),
        width=36,
    )
    return Row(height=15, tiles=(chart,))


_RECOMMENDATION = Row(
    height=7,
    tiles=(
        Tile(
            visual=Rows(
                id="choice-recommendation",
                title="The recommendation by the written rules, for each evaluation set",
                help="Rules that weigh scores, clinical errors, where the text goes, price and time; they stand in "
                "docs/choosing.md. They see what was measured, not your patients: read answers before you choose.",
                data_set=RECOMMENDATION.name,
                cells=(
                    Cell(column="evaluation_set", title="set", width=130),
                    Cell(column="sentence", title="recommendation", width=1420),
                ),
                order=Order(column="evaluation_set"),
            ),
            width=36,
        ),
    ),
)

_TABLE = Row(
    height=21,
    tiles=(
        Tile(
            visual=Rows(
                id="choice-table",
                title="Ways to answer (ROUGE-L from 0 to 1, higher is better; clinical errors: share of the "
                "answers, lower is better)",
                help="Scores are over what each answered. Intervals are 95 % bootstrap intervals; the difference is to "
                "the fine-tuned model on the records that both answered. Clinical errors are answers in which a rule "
                f"found at least one. Seconds as measured, dollars at the task file's prices. {_NONE}",
                data_set=DATA_SET.name,
                cells=(
                    Cell(column="marked_candidate", title="way to answer", width=150),
                    Cell(column="verdict", title="verdict", width=190),
                    Cell(column="rouge_l", title="ROUGE-L", width=95, format=Format(decimals=3)),
                    Cell(column="rouge_l_interval", title="interval", width=75),
                    Cell(column="against_fine_tuned", title="to fine-tuned", width=85, format=Format(decimals=3)),
                    Cell(column="against_fine_tuned_interval", title="interval of it", width=80),
                    Cell(column="clinical_errors", title="clinical errors", width=80, format=SHARE),
                    Cell(column="clinical_errors_interval", title="interval, %", width=75),
                    Cell(column="seconds_per_1000", title="seconds per 1,000", width=85, format=Format(decimals=1)),
                    Cell(
                        column="dollars_per_1000",
                        title="dollars per 1,000",
                        width=80,
                        format=Format(decimals=2, prefix="$"),
                    ),
                    Cell(column="needs", title="needs", width=100),
                    Cell(column="leaves_account", title="text leaves the account", width=75),
                    Cell(column="answered", title="records answered", width=110),
                    Cell(column="kind", title="kind", width=95),
                    Cell(column="place", title="place", hidden=True),
                ),
                order=Order(column="place"),
            ),
            width=36,
        ),
    ),
)

_SCORES = (
    _with_interval(
        "rouge_l",
        "mean ROUGE-L",
        "ROUGE-L with its interval (0 to 1, higher is better)",
        "Words shared with the doctor's own text, in their order: the mean over what was answered.",
        SCORE,
    ),
    _with_interval(
        "clinical_errors",
        "share of the answers",
        "Answers with a clinical error, with its interval (share, lower is better)",
        "Answers in which at least one rule found something.",
        SHARE,
    ),
)

_REASONS = Row(
    height=18,
    tiles=(
        Tile(
            visual=Bars(
                id="choice-errors",
                title="Clinical errors by rule (passages per 100 answers, lower is better)",
                help="What an answer says and the text does not: a number, a side, a negation, a degree or a medical "
                "term. Rules see words, not meaning. The sheet Before and after has the passages of the task's own "
                f"models, the table clinical_errors those of every way. {_NONE}",
                data_set=ERRORS_BY_RULE.name,
                category=_WAY,
                value=Measure(
                    column="per_100_answers",
                    title="passages per 100 answers",
                    aggregation="SUM",
                    format=Format(decimals=1),
                ),
                color=Dimension(column="rule", title="rule"),
                horizontal=True,
                stacked=True,
                order=Order(column="per_100_answers", descending=True, aggregation="SUM"),
            ),
            width=18,
        ),
        Tile(
            visual=Rows(
                id="choice-failures",
                title="Why records have no answer (number of records)",
                help="What a candidate did not answer is in none of its scores. Empty where all answered all, and "
                "where the task file names no candidates.",
                data_set=FAILURES.name,
                cells=(
                    Cell(column="candidate", title="way to answer", width=150),
                    Cell(column="reason", title="reason", width=380),
                    Cell(column="records", title="records", width=90, format=COUNT),
                    Cell(column="evaluation_set", title="set", width=100),
                ),
                order=Order(column="records", descending=True),
            ),
            width=18,
        ),
    ),
)

CHOICE = Sheet(
    id="choice",
    title="Choice",
    description="Which way of answering to take: the model before and after fine-tuning, the candidates of the task "
    "file and the floors, on the same evaluation sets. Empty for a task without candidates.",
    # Scores of ways to answer are over all records of a set.
    without=("slice", "model"),
    rows=(_RECOMMENDATION, _TABLE, *_SCORES, _REASONS),
)
