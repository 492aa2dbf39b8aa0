"""What is asked about how well a run's models find events, and about what the fine-tuned one got wrong."""

from stacks.dashboard.events.labels import POSITIVE
from stacks.dashboard.parts import Column, DataSet, Kind
from stacks.dashboard.shared.scores import scores_of_runs
from training.table_schemas import ALL_POSITIVE, BASE, CLASSIFIERS, FINE_TUNED, TFIDF, WITHOUT_SYNTHETIC

WHOLE, NUMBER = Kind.WHOLE, Kind.NUMBER
# Metric -> what it is called; the last two are better the lower they are.
METRICS = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
    "auroc": "AUROC",
    "brier": "Brier score",
    "calibration_error": "calibration error",
}
HIGHER, LOWER = "higher is better", "lower is better"
CALIBRATED = "perfectly calibrated"
# What a curve's point at the model's own threshold is called.
CHOSEN_POINT = ", chosen"
WITH_CHOSEN_POINT = (BASE, FINE_TUNED, WITHOUT_SYNTHETIC)
MISTAKES, ALL_ANSWERS = "mistakes", "all texts"
WORST, MISSED_FIRST, ALARMS_FIRST = "worst first", "missed first", "false alarms first"
MISSED, FALSE_ALARM, RIGHT = "missed", "false alarm", "right"

_SCORE = "CASE measured.metric " + " ".join(f"WHEN '{name}' THEN '{title}'" for name, title in METRICS.items()) + " END"
_PLACE_OF_SCORE = (
    "CASE measured.metric " + " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(METRICS, 1)) + " END"
)
# The fine-tuned model first, as a text to sort by.
_PLACE_OF_MODEL = " ".join(
    f"WHEN '{model}' THEN '{place}'"
    for place, model in enumerate((FINE_TUNED, *(model for model in CLASSIFIERS if model != FINE_TUNED)), start=1)
)
_NAMES = ", ".join(f"'{name}'" for name in METRICS)
_CHOSEN_MODELS = ", ".join(f"'{model}'" for model in WITH_CHOSEN_POINT)
_OF_RUN = "task = <<$task>> AND run_id = <<$run>>"
# With several evaluation sets each has a curve of its own.
_CURVE = "CASE WHEN sets.number = 1 THEN model ELSE evaluation_set || ' · ' || model END AS curve"

SCORES = DataSet(
    name="event_scores",
    title="Scores of a run",
    sql=scores_of_runs(
        f"""
  CASE WHEN measured.model IN ('{TFIDF}', '{ALL_POSITIVE}') THEN 'floor' ELSE 'model' END AS kind, measured.metric,
  CASE WHEN measured.metric IN ('brier', 'calibration_error') THEN '{LOWER}' ELSE '{HIGHER}' END AS better,
  CASE WHEN measured.model IN ('{FINE_TUNED}', '{WITHOUT_SYNTHETIC}') AND beside.without_synthetic IS NOT NULL
    THEN 'yes' ELSE 'no' END AS beside_synthetic,
  {_SCORE} AS score, measured.evaluation_set || ' · ' || {_SCORE} AS set_and_score, measured.count AS records,
  measured.mean AS value, measured.low, measured.high, {_PLACE_OF_SCORE} AS score_place,
  measured.evaluation_set || ' ' || CAST({_PLACE_OF_SCORE} AS varchar) || CASE measured.model {_PLACE_OF_MODEL} END
    AS place""",
        {
            "base": BASE,
            "fine_tuned": FINE_TUNED,
            "without_synthetic": WITHOUT_SYNTHETIC,
            "tfidf": TFIDF,
            "all_positive": ALL_POSITIVE,
        },
        f"measured.metric IN ({_NAMES})",
    ),
    columns=(
        Column("task"),
        Column("run"),
        Column("evaluation_set"),
        Column("slice"),
        Column("model"),
        Column("kind"),
        Column("metric"),
        Column("better"),
        Column("beside_synthetic"),
        Column("score"),
        Column("set_and_score"),
        Column("records", WHOLE),
        Column("value", NUMBER),
        Column("low", NUMBER),
        Column("high", NUMBER),
        Column("score_place", WHOLE),
        Column("place"),
        Column("base", NUMBER),
        Column("fine_tuned", NUMBER),
        Column("without_synthetic", NUMBER),
        Column("tfidf", NUMBER),
        Column("all_positive", NUMBER),
    ),
)

PRECISION_RECALL = DataSet(
    name="precision_recall",
    title="Precision and recall at every threshold",
    sql=f"""
WITH points AS (
  SELECT evaluation_set, model, threshold, precision, recall, chosen FROM db.precision_recall WHERE {_OF_RUN}
),
sets AS (SELECT count(DISTINCT evaluation_set) AS number FROM points),
named AS (
  SELECT evaluation_set, model, {_CURVE}, threshold, precision, recall, chosen FROM points CROSS JOIN sets
)
SELECT evaluation_set, model, curve, recall, precision FROM named
UNION ALL
SELECT evaluation_set, model, curve || '{CHOSEN_POINT}' AS curve, recall, precision FROM named
WHERE chosen AND model IN ({_CHOSEN_MODELS})
""",
    columns=(
        Column("evaluation_set"),
        Column("model"),
        Column("curve"),
        Column("recall", NUMBER),
        Column("precision", NUMBER),
    ),
    parameters=("task", "run"),
)

# The diagonal is there as long as the fine-tuned model is.
CALIBRATION = DataSet(
    name="calibration",
    title="Probabilities beside what was so",
    sql=f"""
WITH answers AS (
  SELECT evaluation_set, model, probability, CASE WHEN reference = {POSITIVE} THEN 1e0 ELSE 0e0 END AS is_event,
    least(CAST(floor(probability * 10) AS integer), 9) AS bin
  FROM db.predictions WHERE {_OF_RUN} AND model <> '{ALL_POSITIVE}'
),
sets AS (SELECT count(DISTINCT evaluation_set) AS number FROM answers),
binned AS (
  SELECT evaluation_set, model, bin, avg(probability) AS probability, avg(is_event) AS share, count(*) AS records
  FROM answers GROUP BY evaluation_set, model, bin
)
SELECT evaluation_set, model, {_CURVE}, probability, share, records FROM binned CROSS JOIN sets
UNION ALL
SELECT DISTINCT evaluation_set, '{FINE_TUNED}' AS model, '{CALIBRATED}' AS curve, t.tenth / 10e0 AS probability,
  t.tenth / 10e0 AS share, CAST(NULL AS bigint) AS records
FROM binned CROSS JOIN UNNEST(sequence(0, 10)) AS t(tenth)
""",
    columns=(
        Column("evaluation_set"),
        Column("model"),
        Column("curve"),
        Column("probability", NUMBER),
        Column("share", NUMBER),
        Column("records", WHOLE),
    ),
    parameters=("task", "run"),
)

CONFUSION = DataSet(
    name="confusion",
    title="What texts are, and what they were called",
    sql=f"""
SELECT evaluation_set, model, threshold, reference, count_if(prediction = {POSITIVE}) AS called_event,
  count_if(prediction <> {POSITIVE}) AS called_none,
  avg(CASE WHEN prediction = reference THEN 1e0 ELSE 0e0 END) AS share_right,
  evaluation_set || ' ' || CASE model {_PLACE_OF_MODEL} END
    || CASE WHEN reference = {POSITIVE} THEN '1' ELSE '2' END AS place
FROM db.predictions WHERE {_OF_RUN}
GROUP BY evaluation_set, model, threshold, reference
""",
    columns=(
        Column("evaluation_set"),
        Column("model"),
        Column("threshold", NUMBER),
        Column("reference"),
        Column("called_event", WHOLE),
        Column("called_none", WHOLE),
        Column("share_right", NUMBER),
        Column("place"),
    ),
    parameters=("task", "run"),
)

ANSWERS = DataSet(
    name="event_answers",
    title="Evaluation texts with labels",
    sql=f"""
WITH before AS (SELECT record_id, evaluation_set, probability FROM db.predictions WHERE {_OF_RUN} AND model = '{BASE}'),
after AS (
  SELECT record_id, evaluation_set, input, reference, prediction, probability, threshold,
    CASE WHEN reference = prediction THEN '{RIGHT}' WHEN reference = {POSITIVE} THEN '{MISSED}' ELSE '{FALSE_ALARM}'
      END AS verdict,
    abs(probability - CASE WHEN reference = {POSITIVE} THEN 1e0 ELSE 0e0 END) AS distance
  FROM db.predictions WHERE {_OF_RUN} AND model = '{FINE_TUNED}'
)
SELECT after.record_id, after.evaluation_set, after.input AS text, after.reference, after.prediction, after.verdict,
  after.probability, before.probability AS base_probability, after.threshold, after.distance,
  CASE WHEN <<$order>> = '{MISSED_FIRST}' AND after.verdict = '{MISSED}' THEN -2e0
    WHEN <<$order>> = '{ALARMS_FIRST}' AND after.verdict = '{FALSE_ALARM}' THEN -2e0
    ELSE 0e0 END - after.distance AS place
FROM after LEFT JOIN before ON before.record_id = after.record_id AND before.evaluation_set = after.evaluation_set
WHERE (<<$judged>> = '{ALL_ANSWERS}' OR after.verdict <> '{RIGHT}')
  AND (<<$search>> = '' OR strpos(lower(after.input), lower(<<$search>>)) > 0)
""",
    columns=(
        Column("record_id"),
        Column("evaluation_set"),
        Column("text"),
        Column("reference"),
        Column("prediction"),
        Column("verdict"),
        Column("probability", NUMBER),
        Column("base_probability", NUMBER),
        Column("threshold", NUMBER),
        Column("distance", NUMBER),
        Column("place", NUMBER),
    ),
    parameters=("task", "run", "order", "judged", "search"),
)

DATA_SETS = (SCORES, PRECISION_RECALL, CALIBRATION, CONFUSION, ANSWERS)
