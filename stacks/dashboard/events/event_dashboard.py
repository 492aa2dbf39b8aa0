"""The dashboard of tasks that find adverse events, put together."""

from collections.abc import Mapping

from stacks.dashboard.events.incoming import INCOMING
from stacks.dashboard.events.labels import with_labels
from stacks.dashboard.events.mistakes import MISTAKES
from stacks.dashboard.events.quality import QUALITY
from stacks.dashboard.events.quality_data_sets import CALIBRATED, CHOSEN_POINT, SCORES, WITH_CHOSEN_POINT, WORST
from stacks.dashboard.events.quality_data_sets import DATA_SETS as ABOUT_QUALITY
from stacks.dashboard.events.quality_data_sets import MISTAKES as ONLY_MISTAKES
from stacks.dashboard.events.search import SEARCH
from stacks.dashboard.events.stream_data_sets import CENTER, LOWER, ONLY_EVENTS, SHARE, UPPER
from stacks.dashboard.events.stream_data_sets import DATA_SETS as ABOUT_THE_STREAM
from stacks.dashboard.events.synthetic import SYNTHETIC
from stacks.dashboard.events.training_data_sets import BEST, NO_RESULT, OTHERS
from stacks.dashboard.events.training_data_sets import DATA_SETS as ABOUT_TRAINING
from stacks.dashboard.parts import Dashboard, Parameter, Tick
from stacks.dashboard.shared.data_sets import (
    CURVE,
    DATA_FLOW,
    HISTORY,
    LENGTHS,
    NONE,
    PARAMETERS,
    RUN_LIST,
    RUNS,
    STEPS,
)
from stacks.dashboard.shared.data_sheet import data_sheet
from stacks.dashboard.shared.reading import RUN, RUN_COLORS, task_choice
from stacks.dashboard.shared.training_sheet import training_sheet
from stacks.dashboard.theme import BLUE, GREEN, GREY, MAGENTA, ORANGE, VERMILION
from training.table_schemas import ALL_POSITIVE, BASE, FINE_TUNED, NEWEST, TFIDF, WITHOUT_SYNTHETIC

_MODELS = {BASE: ORANGE, FINE_TUNED: BLUE, WITHOUT_SYNTHETIC: GREEN, TFIDF: MAGENTA, ALL_POSITIVE: GREY}
COLORS = {
    "model": _MODELS,
    "curve": {
        **_MODELS,
        **{f"{model}{CHOSEN_POINT}": _MODELS[model] for model in WITH_CHOSEN_POINT},
        CALIBRATED: GREY,
    },
    "line": {SHARE: BLUE, CENTER: GREY, UPPER: VERMILION, LOWER: VERMILION},
    "place": {BEST: BLUE, OTHERS: ORANGE, NO_RESULT: GREY},
    **RUN_COLORS,
}
TRAINING = training_sheet(
    "Cross-entropy a text, in nats. While both fall the model learns; where validation rises it learns by heart. "
    "The model of the highest average precision on the validation texts is kept."
)
DATA = data_sheet({"input": "the texts"})
DATA_SETS = (
    *(RUNS, RUN_LIST, HISTORY, CURVE, STEPS, PARAMETERS, DATA_FLOW, LENGTHS),
    *ABOUT_THE_STREAM,
    *ABOUT_QUALITY,
    *ABOUT_TRAINING,
)


def event_dashboard(positive: Mapping[str, str]) -> Dashboard:
    """The dashboard over these tasks, each with its positive label; it opens on the first."""
    return Dashboard(
        title="Adverse events",
        prefix="events-",
        data_sets=tuple(with_labels(data_set, positive) for data_set in DATA_SETS),
        parameters=(
            Parameter(name="task", default=next(iter(positive))),
            Parameter(name="run", default=NEWEST),
            Parameter(name="compare", default=NONE),
            Parameter(name="incoming", default=ONLY_EVENTS),
            Parameter(name="searched", default=""),
            Parameter(name="order", default=WORST),
            Parameter(name="judged", default=ONLY_MISTAKES),
            Parameter(name="search", default=""),
        ),
        fixed=("task", "run"),
        controls=(task_choice(tuple(positive)), RUN),
        ticks=(
            Tick(column="evaluation_set", data_set=SCORES.name, title="Evaluation sets"),
            Tick(column="model", data_set=SCORES.name, title="Models"),
        ),
        sheets=(INCOMING, QUALITY, MISTAKES, SEARCH, SYNTHETIC, TRAINING, DATA),
        colors=COLORS,
    )
