"""Search: which settings of the training were tried, and which were best."""

from stacks.dashboard.events.training_data_sets import SEARCH_JOBS
from stacks.dashboard.parts import Row, Sheet, Tile
from stacks.dashboard.visual_kinds import COUNT, SCORE, Cell, Dimension, Format, Kpi, Measure, Order, Points, Rows

_OBJECTIVE = Measure(column="objective", title="F1 on the validation texts")

SEARCH = Sheet(
    id="search",
    title="Search",
    description="The search over settings of the training (hyperparameters): each job is one training with other "
    "settings, and the best one's model is the fine-tuned model. Empty for a run that searched for nothing.",
    without=("evaluation_set", "model"),
    rows=(
        Row(
            height=6,
            tiles=(
                Tile(
                    visual=Kpi(
                        id="search-best",
                        title="F1 of the best job, on the validation texts (0 to 1, higher is better)",
                        help="The search chose by it. Validation texts are not evaluation texts: those are on Quality.",
                        data_set=SEARCH_JOBS.name,
                        value=Measure(column="best_objective", title="F1 of the best job", aggregation="MAX"),
                    ),
                    width=18,
                ),
                Tile(
                    visual=Kpi(
                        id="search-jobs",
                        title="Training jobs of the search (number)",
                        help="As many as the task file allows, those that failed or were stopped early among them.",
                        data_set=SEARCH_JOBS.name,
                        value=Measure(column="jobs", title="jobs", aggregation="SUM", format=COUNT),
                    ),
                    width=18,
                ),
            ),
        ),
        Row(
            height=13,
            tiles=(
                Tile(
                    visual=Points(
                        id="search-learning-rate",
                        title="F1 by learning rate, a point a job (0 to 1, higher is better)",
                        help="Where good jobs lie together, the search has found its place; good ones at an end of the "
                        "range say that it should be wider. Of a learning rate in millionths, 20 is 0.00002.",
                        data_set=SEARCH_JOBS.name,
                        x=Measure(
                            column="learning_rate_millionths",
                            title="learning rate (millionths)",
                            format=Format(decimals=1),
                        ),
                        y=_OBJECTIVE,
                        point=Dimension(column="job", title="job"),
                        color=Dimension(column="place", title="job"),
                    ),
                    width=18,
                ),
                Tile(
                    visual=Points(
                        id="search-minutes",
                        title="F1 by duration, a point a job (0 to 1, higher is better)",
                        help="What a better score costs: the minutes that the machines of a job ran.",
                        data_set=SEARCH_JOBS.name,
                        x=Measure(column="minutes", title="minutes", format=Format(decimals=1)),
                        y=_OBJECTIVE,
                        point=Dimension(column="job", title="job"),
                        color=Dimension(column="place", title="job"),
                    ),
                    width=18,
                ),
            ),
        ),
        Row(
            height=14,
            tiles=(
                Tile(
                    visual=Rows(
                        id="search-table",
                        title="Every job with its settings, best first (F1 from 0 to 1, higher is better)",
                        help="A job that did worse than others at the same point may be stopped early. What was not "
                        "searched is empty, and stands among the parameters on the sheet Training.",
                        data_set=SEARCH_JOBS.name,
                        cells=(
                            Cell(column="place", title="place", width=130),
                            Cell(column="objective", title="F1", width=80, format=SCORE),
                            Cell(column="learning_rate", title="learning rate", width=110, format=Format(decimals=7)),
                            Cell(column="max_seq_length", title="longest text (tokens)", width=110, format=COUNT),
                            Cell(column="train_batch_size", title="batch size", width=80, format=COUNT),
                            Cell(column="model_name", title="encoder", width=160),
                            Cell(column="minutes", title="minutes", width=80, format=Format(decimals=1)),
                            Cell(column="status", title="status", width=105),
                            Cell(column="stopped", title="stopped", width=110),
                            Cell(column="job", title="job", width=240),
                            Cell(column="failure", title="failure", width=220),
                        ),
                        order=Order(column="objective", descending=True),
                    ),
                    width=36,
                ),
            ),
        ),
    ),
)
