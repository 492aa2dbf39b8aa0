"""What is asked of the texts that came in. Every query reads the partitions of one task and of the last WINDOW days."""

from stacks.dashboard.events.labels import POSITIVE
from stacks.dashboard.parts import Column, DataSet, Kind

WHOLE, NUMBER, TIME = Kind.WHOLE, Kind.NUMBER, Kind.TIME
# Days that are looked back upon, today among them, and texts that are listed at most.
WINDOW, MOST_LISTED = 90, 1000
_MOST_SOURCES, _MOST_NAMES = 5, 12
FILES, OTHER_SOURCES, NO_SOURCE = "files", "other sources", "no source named"
DRUG, EFFECT, BODY_SYSTEM = "drug", "effect", "kind"
NO_EFFECT = "no effect named"
SHARE, CENTER, UPPER, LOWER = "share of events", "center", "upper limit", "lower limit"
ONLY_EVENTS, EVERY_TEXT = "events", "all texts"

_DAYS_AGO = f"INTERVAL '{WINDOW - 1}' DAY"
_RECENT = f"task = <<$task>> AND day >= date_format(current_date - {_DAYS_AGO}, '%Y-%m-%d')"
_IS_EVENT = f"label = {POSITIVE}"

TOTALS = DataSet(
    name="event_totals",
    title="Texts and events together",
    sql=f"""
SELECT count(*) AS texts, count_if({_IS_EVENT}) AS events, avg(CASE WHEN {_IS_EVENT} THEN 1e0 ELSE 0e0 END) AS share,
  count_if(notified) AS notices
FROM db.events WHERE {_RECENT}
""",
    columns=(Column("texts", WHOLE), Column("events", WHOLE), Column("share", NUMBER), Column("notices", WHOLE)),
    parameters=("task",),
)

# Days without a text are days too, and so is the time since the last one: a stream that has stopped is seen.
DAYS = DataSet(
    name="event_days",
    title="Events of each day and source",
    sql=f"""
WITH texts AS (
  SELECT day, CASE WHEN source LIKE 'file-%' THEN '{FILES}' ELSE coalesce(source, '{NO_SOURCE}') END AS source,
    {_IS_EVENT} AS is_event
  FROM db.events WHERE {_RECENT}
),
sources AS (
  SELECT source, row_number() OVER (ORDER BY count_if(is_event) DESC, source) AS place FROM texts GROUP BY source
),
named AS (
  SELECT texts.day, texts.is_event,
    CASE WHEN sources.place <= {_MOST_SOURCES} THEN texts.source ELSE '{OTHER_SOURCES}' END AS source
  FROM texts JOIN sources ON sources.source = texts.source
),
counted AS (SELECT day, source, count_if(is_event) AS events, count(*) AS texts FROM named GROUP BY day, source),
span AS (SELECT min(CAST(day AS date)) AS first_day FROM texts),
days AS (
  SELECT CAST(t.each_day AS timestamp) AS arrived_on, date_format(t.each_day, '%Y-%m-%d') AS day
  FROM span CROSS JOIN UNNEST(sequence(span.first_day, current_date, INTERVAL '1' DAY)) AS t(each_day)
),
shown AS (SELECT DISTINCT source FROM named)
SELECT days.arrived_on, shown.source, coalesce(counted.events, 0) AS events, coalesce(counted.texts, 0) AS texts
FROM days CROSS JOIN shown
LEFT JOIN counted ON counted.day = days.day AND counted.source = shown.source
""",
    columns=(Column("arrived_on", TIME), Column("source"), Column("events", WHOLE), Column("texts", WHOLE)),
    parameters=("task",),
)

# Shewhart's chart of a share (p-chart): a day outside of its limits differs by more than chance (three standard
# deviations of a binomial share of that day's number of texts) from the share of all days together.
RATE = DataSet(
    name="event_rate",
    title="Share of events of each day",
    sql=f"""
WITH days AS (
  SELECT day, count(*) AS texts, avg(CASE WHEN {_IS_EVENT} THEN 1e0 ELSE 0e0 END) AS share
  FROM db.events WHERE {_RECENT} GROUP BY day
),
together AS (SELECT sum(share * texts) / sum(texts) AS center FROM days),
limits AS (
  SELECT CAST(CAST(day AS date) AS timestamp) AS arrived_on, share, center,
    3 * sqrt(center * (1 - center) / texts) AS width
  FROM days CROSS JOIN together
)
SELECT arrived_on, '{SHARE}' AS line, share AS value FROM limits
UNION ALL SELECT arrived_on, '{CENTER}' AS line, center AS value FROM limits
UNION ALL SELECT arrived_on, '{UPPER}' AS line, least(1e0, center + width) AS value FROM limits
UNION ALL SELECT arrived_on, '{LOWER}' AS line, greatest(0e0, center - width) AS value FROM limits
""",
    columns=(Column("arrived_on", TIME), Column("line"), Column("value", NUMBER)),
    parameters=("task",),
)

MENTIONS = DataSet(
    name="event_mentions",
    title="What events name most",
    sql=f"""
WITH found AS (SELECT drugs, effects, kind FROM db.events WHERE {_RECENT} AND {_IS_EVENT}),
mentions AS (
  SELECT '{DRUG}' AS what, t.name FROM found CROSS JOIN UNNEST(split(found.drugs, '; ')) AS t(name)
  UNION ALL SELECT '{EFFECT}' AS what, t.name FROM found CROSS JOIN UNNEST(split(found.effects, '; ')) AS t(name)
  UNION ALL SELECT '{BODY_SYSTEM}' AS what, coalesce(kind, '{NO_EFFECT}') AS name FROM found
),
counted AS (SELECT what, name, count(*) AS events FROM mentions WHERE name <> '' GROUP BY what, name),
ranked AS (
  SELECT what, name, events, row_number() OVER (PARTITION BY what ORDER BY events DESC, name) AS place FROM counted
)
SELECT what, name, events FROM ranked WHERE place <= {_MOST_NAMES}
""",
    columns=(Column("what"), Column("name"), Column("events", WHOLE)),
    parameters=("task",),
)

# A person's verdict stands beside the text that it is about, found by id and source; the source may be null.
NEWEST_TEXTS = DataSet(
    name="newest_events",
    title="Newest texts",
    sql=f"""
WITH texts AS (
  SELECT * FROM db.events
  WHERE {_RECENT} AND (<<$incoming>> = '{EVERY_TEXT}' OR {_IS_EVENT})
    AND (<<$searched>> = ''
      OR strpos(lower(text || ' ' || drugs || ' ' || effects), lower(<<$searched>>)) > 0)
),
reviewed AS (SELECT day, event_id, source, verdict FROM db.reviews WHERE {_RECENT})
SELECT texts.event_id, texts.arrived_at, texts.happened_at, texts.source, texts.text, texts.label, texts.probability,
  texts.drugs, texts.effects, coalesce(texts.kind, '') AS kind, coalesce(texts.icd10, '') AS icd10, texts.model_version,
  CASE WHEN texts.notified THEN 'sent' ELSE '' END AS notice, coalesce(reviewed.verdict, '') AS review
FROM texts LEFT JOIN reviewed ON reviewed.day = texts.day AND reviewed.event_id = texts.event_id
  AND reviewed.source IS NOT DISTINCT FROM texts.source
ORDER BY arrived_at DESC, event_id LIMIT {MOST_LISTED}
""",
    columns=(
        Column("event_id"),
        Column("arrived_at", TIME),
        Column("happened_at", TIME),
        Column("source"),
        Column("text"),
        Column("label"),
        Column("probability", NUMBER),
        Column("drugs"),
        Column("effects"),
        Column("kind"),
        Column("icd10"),
        Column("model_version"),
        Column("notice"),
        Column("review"),
    ),
    parameters=("task", "incoming", "searched"),
)

DATA_SETS = (TOTALS, DAYS, RATE, MENTIONS, NEWEST_TEXTS)
