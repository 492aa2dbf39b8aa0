"""What the dashboard of reports asks the tables beside what every dashboard asks."""

from stacks.dashboard.parts import Column, DataSet, Kind
from stacks.dashboard.report.choice_data_sets import DATA_SETS as CHOICE_DATA_SETS
from stacks.dashboard.shared.data_sets import CURVE, DATA_FLOW, HISTORY, LENGTHS, PARAMETERS, RUN_LIST, RUNS, STEPS
from stacks.dashboard.shared.scores import ALL_SLICES, scores_of_runs
from training.table_schemas import CONSENSUS, CONSTANT, FINE_TUNED, FLOORS, LEAD, NEAREST, PRETRAINED

WHOLE, NUMBER = Kind.WHOLE, Kind.NUMBER
WORST, GAIN, LOSS = "worst first", "largest gain first", "largest loss first"
MEDIAN, NEW_ERRORS, LONG = "median gain first", "new clinical errors first", "longest text first"
EXAMPLE_ORDERS = (GAIN, LOSS, MEDIAN, NEW_ERRORS, LONG)
# Words of an impression, as far as a reader can tell them apart by length.
LONGEST = 200

# Of a row of scores or predictions: the task's two models, a floor, or a candidate of its file.
_KIND = (
    f"CASE WHEN measured.model IN ('{PRETRAINED}', '{FINE_TUNED}') THEN 'model' "
    f"WHEN measured.model IN ({', '.join(repr(floor) for floor in FLOORS)}) THEN 'floor' ELSE 'candidate' END"
)
_METRIC_TITLE = (
    "CASE measured.metric WHEN 'rouge1' THEN 'ROUGE-1' WHEN 'rouge2' THEN 'ROUGE-2' WHEN 'rougeL' THEN 'ROUGE-L' "
    "WHEN 'rougeLsum' THEN 'ROUGE-Lsum' ELSE 'abnormal called normal' END"
)

SCORES = DataSet(
    name="scores",
    title="Scores of a run",
    sql=scores_of_runs(
        f"""
  {_KIND} AS kind,
  measured.metric, CASE WHEN measured.metric LIKE 'rouge%' THEN 'ROUGE' ELSE 'error' END AS family,
  {_METRIC_TITLE} AS score, measured.evaluation_set || ' · ' || {_METRIC_TITLE} AS set_and_score,
  measured.count AS records, measured.mean, measured.std, measured.min AS lowest, measured.q1, measured.median,
  measured.q3, measured.max AS highest, measured.low, measured.high, measured.distinct_predictions""",
        {
            "pretrained": PRETRAINED,
            "fine_tuned": FINE_TUNED,
            "constant_answer": CONSTANT,
            "lead_sentences": LEAD,
            "nearest_report": NEAREST,
            "consensus": CONSENSUS,
        },
        "measured.metric LIKE 'rouge%' OR measured.metric = 'abnormal_as_normal'",
    ),
    columns=(
        Column("task"),
        Column("run"),
        Column("evaluation_set"),
        Column("slice"),
        Column("model"),
        Column("kind"),
        Column("metric"),
        Column("family"),
        Column("score"),
        Column("set_and_score"),
        Column("records", WHOLE),
        Column("mean", NUMBER),
        Column("std", NUMBER),
        Column("lowest", NUMBER),
        Column("q1", NUMBER),
        Column("median", NUMBER),
        Column("q3", NUMBER),
        Column("highest", NUMBER),
        Column("low", NUMBER),
        Column("high", NUMBER),
        Column("distinct_predictions", WHOLE),
        Column("pretrained", NUMBER),
        Column("fine_tuned", NUMBER),
        Column("constant_answer", NUMBER),
        Column("lead_sentences", NUMBER),
        Column("nearest_report", NUMBER),
        Column("consensus", NUMBER),
    ),
)

RECORD_SCORES = DataSet(
    name="record_scores",
    title="Scores of each report",
    sql=f"""
SELECT evaluation_set, slice, model, evaluation_set || ' · ' || model AS set_and_model, rouge1, rouge2, rouge_l,
  rouge_lsum
FROM db.predictions
WHERE task = <<$task>> AND run_id = <<$run>> AND (<<$slice>> = '{ALL_SLICES}' OR slice = <<$slice>>)
""",
    columns=(
        Column("evaluation_set"),
        Column("slice"),
        Column("model"),
        Column("set_and_model"),
        Column("rouge1", NUMBER),
        Column("rouge2", NUMBER),
        Column("rouge_l", NUMBER),
        Column("rouge_lsum", NUMBER),
    ),
    parameters=("task", "run", "slice"),
)

_ANSWERS_OF = "SELECT * FROM db.predictions WHERE task = <<$task>> AND run_id = <<$run>> AND model = '{model}'"

# A line a report, so that a reader has what an answer rested on beside it: place, similarity, id and impression.
_SIMILAR = """
  SELECT record_id, evaluation_set, array_join(array_agg(
    CAST(rank AS varchar) || ' · ' || CAST(CAST(similarity AS decimal(5, 2)) AS varchar) || ' · ' || similar_id
      || CASE WHEN agreed THEN ' · consensus: ' ELSE ': ' END || replace(impression, chr(10), ' ')
    ORDER BY rank), chr(10)) AS similar_reports
  FROM db.similar_reports WHERE task = <<$task>> AND run_id = <<$run>> GROUP BY record_id, evaluation_set
"""

# Reports of the same score have an order too: a reader who comes back finds them where they were.
REPORTS = DataSet(
    name="reports",
    title="Reports side by side",
    sql=f"""
WITH before AS ({_ANSWERS_OF.format(model=PRETRAINED)}),
after AS ({_ANSWERS_OF.format(model=FINE_TUNED)}),
explained AS ({_SIMILAR})
SELECT after.record_id, after.evaluation_set, after.slice, after.input AS findings, after.reference AS doctor,
  before.prediction AS pretrained, after.prediction AS fine_tuned, after.marked,
  coalesce(explained.similar_reports, '') AS similar_reports,
  before.rouge_l AS pretrained_score, after.rouge_l AS fine_tuned_score, after.rouge_l - before.rouge_l AS gain,
  after.input_words, after.reference_words, least(after.reference_words, {LONGEST}) AS length,
  CASE WHEN after.slice = 'abnormal' AND after.reads_as_normal THEN 'abnormal, answered as normal'
    WHEN after.slice = 'normal' AND NOT after.reads_as_normal THEN 'normal, answered as abnormal'
    ELSE '' END AS remark,
  row_number() OVER (ORDER BY CASE <<$order>> WHEN '{GAIN}' THEN before.rouge_l - after.rouge_l
    WHEN '{LOSS}' THEN after.rouge_l - before.rouge_l
    ELSE after.rouge_l END, after.evaluation_set, after.record_id) AS place
FROM after JOIN before ON before.record_id = after.record_id AND before.evaluation_set = after.evaluation_set
LEFT JOIN explained ON explained.record_id = after.record_id AND explained.evaluation_set = after.evaluation_set
WHERE (<<$slice>> = '{ALL_SLICES}' OR after.slice = <<$slice>>)
  AND (<<$search>> = '' OR strpos(lower(after.input || ' ' || after.reference || ' ' || after.prediction || ' '
    || before.prediction), lower(<<$search>>)) > 0)
""",
    columns=(
        Column("record_id"),
        Column("evaluation_set"),
        Column("slice"),
        Column("findings"),
        Column("doctor"),
        Column("pretrained"),
        Column("fine_tuned"),
        Column("marked"),
        Column("similar_reports"),
        Column("pretrained_score", NUMBER),
        Column("fine_tuned_score", NUMBER),
        Column("gain", NUMBER),
        Column("input_words", WHOLE),
        Column("reference_words", WHOLE),
        Column("length", WHOLE),
        Column("remark"),
        Column("place", WHOLE),
    ),
    parameters=("task", "run", "slice", "order", "search"),
)

# How far a record is from the middle one of its evaluation set, in the order of gains.
_FROM_MEDIAN = (
    "abs(2 * row_number() OVER (PARTITION BY evaluation_set ORDER BY gain, record_id) "
    "- count(*) OVER (PARTITION BY evaluation_set) - 1)"
)

BEFORE_AND_AFTER = DataSet(
    name="before_and_after",
    title="Answers before and after fine-tuning",
    sql=f"""
WITH before AS ({_ANSWERS_OF.format(model=PRETRAINED)}),
after AS ({_ANSWERS_OF.format(model=FINE_TUNED)}),
errors AS (
  SELECT record_id, evaluation_set, model, count(*) AS number,
    array_join(array_agg("check" || ': ' || passage ORDER BY "check", passage), chr(10)) AS passages
  FROM db.clinical_errors WHERE task = <<$task>> AND run_id = <<$run>> GROUP BY record_id, evaluation_set, model
),
paired AS (
  SELECT after.record_id, after.evaluation_set, after.input, after.input_words, after.reference,
    before.marked AS before, after.marked AS after, before.rouge_l AS before_score, after.rouge_l AS after_score,
    after.rouge_l - before.rouge_l AS gain,
    coalesce(of_before.passages, '') AS before_errors, coalesce(of_after.passages, '') AS after_errors,
    coalesce(of_after.number, 0) - coalesce(of_before.number, 0) AS new_errors
  FROM after JOIN before ON before.record_id = after.record_id AND before.evaluation_set = after.evaluation_set
  LEFT JOIN errors AS of_before ON of_before.record_id = after.record_id
    AND of_before.evaluation_set = after.evaluation_set AND of_before.model = '{PRETRAINED}'
  LEFT JOIN errors AS of_after ON of_after.record_id = after.record_id
    AND of_after.evaluation_set = after.evaluation_set AND of_after.model = '{FINE_TUNED}'
)
SELECT record_id, evaluation_set, input, reference, before, after, before_score, after_score, gain, before_errors,
  after_errors,
  row_number() OVER (ORDER BY CASE <<$example>> WHEN '{LOSS}' THEN gain WHEN '{MEDIAN}' THEN from_median
    WHEN '{NEW_ERRORS}' THEN -new_errors WHEN '{LONG}' THEN -input_words ELSE -gain END, evaluation_set, record_id
  ) AS place
FROM (SELECT *, {_FROM_MEDIAN} AS from_median FROM paired)
""",
    columns=(
        Column("record_id"),
        Column("evaluation_set"),
        Column("input"),
        Column("reference"),
        Column("before"),
        Column("after"),
        Column("before_score", NUMBER),
        Column("after_score", NUMBER),
        Column("gain", NUMBER),
        Column("before_errors"),
        Column("after_errors"),
        Column("place", WHOLE),
    ),
    parameters=("task", "run", "example"),
)

DATA_SETS = (
    *(RUNS, RUN_LIST, HISTORY, SCORES, RECORD_SCORES, REPORTS, BEFORE_AND_AFTER, *CHOICE_DATA_SETS),
    *(CURVE, STEPS, PARAMETERS, DATA_FLOW, LENGTHS),
)
