"""Events: what comes in, and what of it reports an adverse event."""

from stacks.dashboard.events.stream_data_sets import (
    BODY_SYSTEM,
    DAYS,
    DRUG,
    EFFECT,
    EVERY_TEXT,
    MENTIONS,
    MOST_LISTED,
    NEWEST_TEXTS,
    ONLY_EVENTS,
    RATE,
    TOTALS,
    WINDOW,
)
from stacks.dashboard.parts import Choice, Range, Row, Search, Sheet, Tile
from stacks.dashboard.visual_kinds import COUNT, SHARE, Bars, Cell, Dimension, Format, Kpi, Lines, Measure, Order, Rows

_WINDOW = f"last {WINDOW} days"
_DAY = Dimension(column="arrived_on", title="day of arrival (UTC)", granularity="DAY", pattern="MM-DD")
_EVENTS = Measure(column="events", title="events", aggregation="SUM", format=COUNT)
PROBABILITY = Format(decimals=3)


def _total(column: str, title: str, explanation: str, form: Format = COUNT) -> Tile:
    return Tile(
        visual=Kpi(
            id=f"events-{column}",
            title=f"{title} ({_WINDOW})",
            help=explanation,
            data_set=TOTALS.name,
            value=Measure(column=column, title=title, aggregation="SUM", format=form),
        ),
        width=9,
    )


def _most_named(what: str, title: str, category: str, explanation: str) -> Tile:
    return Tile(
        visual=Bars(
            id=f"events-{what}s",
            title=f"{title} (events, {_WINDOW})",
            help=explanation,
            data_set=MENTIONS.name,
            where={"what": what},
            category=Dimension(column="name", title=category),
            value=_EVENTS,
            horizontal=True,
            order=Order(column="events", descending=True, aggregation="SUM"),
        ),
        width=12,
    )


_NEWEST = Rows(
    id="events-newest",
    title=f"Newest events first, at most {MOST_LISTED:,} of the {_WINDOW} (probability from 0 to 1)",
    help="What the model in service said about each text when it came in: a suggestion, to be read by somebody. "
    f"With Show: {EVERY_TEXT} also those that it took for no event. Review: what a person said of it. Times are UTC.",
    data_set=NEWEST_TEXTS.name,
    cells=(
        Cell(column="arrived_at", title="arrived", width=145),
        Cell(column="source", title="source", width=110),
        Cell(column="text", title="text", width=430),
        Cell(column="label", title="label", width=150),
        Cell(column="probability", title="probability", width=95, format=PROBABILITY),
        Cell(column="review", title="review", width=175),
        Cell(column="drugs", title="drugs named", width=140),
        Cell(column="effects", title="effects named", width=150),
        Cell(column="kind", title="kind", width=100),
        Cell(column="notice", title="notice", width=75),
        Cell(column="model_version", title="model version", width=120),
        Cell(column="event_id", title="event", hidden=True),
    ),
    order=Order(column="arrived_at", descending=True),
)

INCOMING = Sheet(
    id="events",
    title="Events",
    description=f"The texts of the {_WINDOW}, and those among them that the model in service takes for reports of "
    "an adverse event. The page looks for new ones by itself; QuickSight shows them when it is reloaded.",
    controls=(
        Choice(parameter="incoming", title="Show in the table", values=(ONLY_EVENTS, EVERY_TEXT)),
        Search(parameter="searched", title="Search in the table's texts"),
        Range(
            column="probability",
            data_set=NEWEST_TEXTS.name,
            title="Probability in the table",
            low=0.0,
            high=1.0,
            step=0.05,
        ),
    ),
    # It is about the model in service, whatever run it is of.
    without=("run", "evaluation_set", "model"),
    rows=(
        Row(
            height=6,
            tiles=(
                _total("texts", "Texts", "Texts that came in and were classified, each once."),
                _total("events", "Events", "Texts that the model took for reports of an adverse event."),
                _total("share", "Share of events", "Events among the texts. See the chart of days for changes.", SHARE),
                _total("notices", "Notices", "Events that somebody was sent a notice of."),
            ),
        ),
        Row(
            height=12,
            tiles=(
                Tile(
                    visual=Bars(
                        id="events-days",
                        title=f"Events of each day, by source (number, {_WINDOW})",
                        help="Texts that were taken for an event, by the day on which they arrived and where they are "
                        "from. The sources with most events have a colour of their own; all files are one source.",
                        data_set=DAYS.name,
                        category=_DAY,
                        value=_EVENTS,
                        color=Dimension(column="source", title="source"),
                        stacked=True,
                        order=Order(column="arrived_on"),
                    ),
                    width=18,
                ),
                Tile(
                    visual=Lines(
                        id="events-rate",
                        title=f"Share of events among the texts of each day (0 to 100 %, {_WINDOW})",
                        help="The center is the share over all days. A day outside of the limits (three standard "
                        "deviations, wider on days with few texts) differs by more than chance: look at what came in.",
                        data_set=RATE.name,
                        x=_DAY,
                        y=Measure(column="value", title="share of events", format=SHARE),
                        color=Dimension(column="line", title="line"),
                    ),
                    width=18,
                ),
            ),
        ),
        Row(
            height=13,
            tiles=(
                _most_named(
                    DRUG,
                    "Drugs most named",
                    "drug",
                    "How many events name a drug. Naming it does not say that it is the cause.",
                ),
                _most_named(
                    EFFECT,
                    "Effects most named",
                    "effect",
                    "How many events name an effect, as the texts say it; found by a list of words.",
                ),
                _most_named(
                    BODY_SYSTEM, "Kinds of event", "kind", "The part of the body that most effects of an event are of."
                ),
            ),
        ),
        Row(height=20, tiles=(Tile(visual=_NEWEST, width=36),)),
    ),
)
