"""What the dashboard asks the tables, as SQL that Athena runs.

Data sets of one run take the run as a parameter and read its partitions alone (`run_id` is part of the path), however
many runs there are; so do those that hold clinical text, which is never copied out of the bucket. What is over all
runs is small, and kept by QuickSight (SPICE).

The run `newest` is the newest evaluated run of a task: Evaluate writes its rows under that name too, so that the
dashboard opens on it without anybody knowing its id.
"""

from stacks.dashboard.parts import Column, DataSet, Kind
from training.table_schemas import CONSENSUS, CONSTANT, FINE_TUNED, LEAD, NEAREST, NEWEST, PRETRAINED

TEXT, WHOLE, NUMBER, TIME = Kind.TEXT, Kind.WHOLE, Kind.NUMBER, Kind.TIME
NONE = "none"
ALL_SLICES = "all"
WORST, GAIN, LOSS = "worst first", "largest gain first", "largest loss first"
# Words of an impression, as far as a reader can tell them apart by length.
LONGEST = 200
CHOSEN, COMPARED = "chosen run", "compared run"

_METRIC_TITLE = (
    "CASE measured.metric WHEN 'rouge1' THEN 'ROUGE-1' WHEN 'rouge2' THEN 'ROUGE-2' WHEN 'rougeL' THEN 'ROUGE-L' "
    "WHEN 'rougeLsum' THEN 'ROUGE-Lsum' ELSE 'abnormal called normal' END"
)
_MEASURED_COLUMNS = (
    "model, metric, count, mean, std, min, q1, median, q3, max, low, high, distinct_predictions FROM db.scores"
)
# The error on abnormal reports stands in the table under their slice alone; whoever looks at all reports must see it.
_MEASURED = f"""
measured AS (
  SELECT task, run_id, started_at, evaluation_set, slice, {_MEASURED_COLUMNS}
  UNION ALL
  SELECT task, run_id, started_at, evaluation_set, '{ALL_SLICES}' AS slice, {_MEASURED_COLUMNS}
  WHERE metric = 'abnormal_as_normal'
)"""
_NEWEST = "newest AS (SELECT task, max_by(run_id, started_at) AS run_id FROM db.scores GROUP BY task)"

RUNS = DataSet(
    name="runs",
    title="Runs",
    sql=f"""
WITH {_NEWEST},
named AS (
  SELECT task, run_id, run_id AS run FROM db.runs WHERE status <> 'Refused'
  UNION ALL
  SELECT task, run_id, '{NEWEST}' AS run FROM newest
)
SELECT named.task, named.run, CASE WHEN named.run = '{NEWEST}' THEN '{NONE}' ELSE named.run END AS compare,
  runs.run_id, runs.started_at, runs.status,
  CASE WHEN runs.gate_passed IS NULL THEN 'not reached' WHEN runs.gate_passed THEN 'passed' ELSE 'NOT passed' END
    AS gate,
  runs.gate_reasons, runs.warnings, runs.failed_step, runs.reason, runs.model_package, runs.data_fingerprint,
  runs.uploaded, runs.train, runs.validation, runs.quarantined, runs.duplicates,
  date_diff('second', runs.started_at, runs.ended_at) / 60.0 AS minutes, runs.cost_dollars
FROM named JOIN db.runs ON runs.task = named.task AND runs.run_id = named.run_id
""",
    columns=(
        Column("task"),
        Column("run"),
        Column("compare"),
        Column("run_id"),
        Column("started_at", TIME),
        Column("status"),
        Column("gate"),
        Column("gate_reasons"),
        Column("warnings"),
        Column("failed_step"),
        Column("reason"),
        Column("model_package"),
        Column("data_fingerprint"),
        Column("uploaded", WHOLE),
        Column("train", WHOLE),
        Column("validation", WHOLE),
        Column("quarantined", WHOLE),
        Column("duplicates", WHOLE),
        Column("minutes", NUMBER),
        Column("cost_dollars", NUMBER),
    ),
)

RUN_LIST = DataSet(
    name="run_list",
    title="Every run and every refused upload",
    sql="""
SELECT task, run_id, started_at, status,
  CASE WHEN gate_passed IS NULL THEN 'not reached' WHEN gate_passed THEN 'passed' ELSE 'NOT passed' END AS gate,
  coalesce(reason, gate_reasons) AS why, uploaded, train, date_diff('second', started_at, ended_at) / 60.0 AS minutes,
  cost_dollars
FROM db.runs
""",
    columns=(
        Column("task"),
        Column("run_id"),
        Column("started_at", TIME),
        Column("status"),
        Column("gate"),
        Column("why"),
        Column("uploaded", WHOLE),
        Column("train", WHOLE),
        Column("minutes", NUMBER),
        Column("cost_dollars", NUMBER),
    ),
)

HISTORY = DataSet(
    name="history",
    title="Scores of every run",
    sql=f"""
WITH {_MEASURED}
SELECT task, run_id, started_at, evaluation_set, slice, model, metric, mean FROM measured
""",
    columns=(
        Column("task"),
        Column("run_id"),
        Column("started_at", TIME),
        Column("evaluation_set"),
        Column("slice"),
        Column("model"),
        Column("metric"),
        Column("mean", NUMBER),
    ),
)

SCORES = DataSet(
    name="scores",
    title="Scores of a run",
    sql=f"""
WITH {_MEASURED},
{_NEWEST},
named AS (
  SELECT DISTINCT task, run_id, run_id AS run FROM db.scores
  UNION ALL
  SELECT task, run_id, '{NEWEST}' AS run FROM newest
),
beside AS (
  SELECT task, run_id, evaluation_set, slice, metric,
    max(CASE WHEN model = '{PRETRAINED}' THEN mean END) AS pretrained,
    max(CASE WHEN model = '{FINE_TUNED}' THEN mean END) AS fine_tuned,
    max(CASE WHEN model = '{CONSTANT}' THEN mean END) AS constant_answer,
    max(CASE WHEN model = '{LEAD}' THEN mean END) AS lead_sentences,
    max(CASE WHEN model = '{NEAREST}' THEN mean END) AS nearest_report,
    max(CASE WHEN model = '{CONSENSUS}' THEN mean END) AS consensus
  FROM measured GROUP BY task, run_id, evaluation_set, slice, metric
)
SELECT measured.task, named.run, measured.evaluation_set, measured.slice, measured.model,
  CASE WHEN measured.model IN ('{PRETRAINED}', '{FINE_TUNED}') THEN 'model' ELSE 'floor' END AS kind,
  measured.metric, CASE WHEN measured.metric LIKE 'rouge%' THEN 'ROUGE' ELSE 'error' END AS family,
  {_METRIC_TITLE} AS score, measured.evaluation_set || ' · ' || {_METRIC_TITLE} AS set_and_score,
  measured.count AS records, measured.mean, measured.std, measured.min AS lowest, measured.q1, measured.median,
  measured.q3, measured.max AS highest, measured.low, measured.high, measured.distinct_predictions,
  beside.pretrained, beside.fine_tuned, beside.constant_answer, beside.lead_sentences,
  beside.nearest_report, beside.consensus
FROM measured
JOIN named ON named.task = measured.task AND named.run_id = measured.run_id
JOIN beside ON beside.task = measured.task AND beside.run_id = measured.run_id AND beside.slice = measured.slice
  AND beside.evaluation_set = measured.evaluation_set AND beside.metric = measured.metric
""",
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
  CASE <<$order>> WHEN '{GAIN}' THEN before.rouge_l - after.rouge_l
    WHEN '{LOSS}' THEN after.rouge_l - before.rouge_l
    ELSE after.rouge_l END AS place
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
        Column("place", NUMBER),
    ),
    parameters=("task", "run", "slice", "order", "search"),
)


def _losses(series: str, run: str) -> str:
    """Rows of one run's curve, training and validation each as a series of its own."""
    where = f"FROM db.training_curve WHERE task = <<$task>> AND run_id = <<${run}>>"
    return (
        f"SELECT '{series}: training' AS series, step, epoch, train_loss AS loss {where} AND train_loss IS NOT NULL "
        f"UNION ALL SELECT '{series}: validation' AS series, step, epoch, validation_loss AS loss {where} "
        "AND validation_loss IS NOT NULL"
    )


CURVE = DataSet(
    name="curve",
    title="Losses while training",
    sql=f"{_losses(CHOSEN, 'run')}\nUNION ALL\n{_losses(COMPARED, 'compare')}",
    columns=(Column("series"), Column("step", WHOLE), Column("epoch", NUMBER), Column("loss", NUMBER)),
    parameters=("task", "run", "compare"),
)

_STEP_ORDER = ("Prepare", "StageModel", "FineTune", "GeneratePretrained", "GenerateFineTuned", "Evaluate", "Gate")
_PLACE = " ".join(f"WHEN '{step}' THEN {place}" for place, step in enumerate(_STEP_ORDER, start=1))


def _steps(series: str, run: str) -> str:
    return (
        f"SELECT '{series}' AS series, step, CASE step {_PLACE} ELSE {len(_STEP_ORDER) + 1} END AS place, status, "
        "seconds, cost_dollars, instance_type, failure "
        f"FROM db.steps WHERE task = <<$task>> AND run_id = <<${run}>>"
    )


STEPS = DataSet(
    name="steps",
    title="Steps of a run",
    sql=f"{_steps(CHOSEN, 'run')}\nUNION ALL\n{_steps(COMPARED, 'compare')}",
    columns=(
        Column("series"),
        Column("step"),
        Column("place", WHOLE),
        Column("status"),
        Column("seconds", NUMBER),
        Column("cost_dollars", NUMBER),
        Column("instance_type"),
        Column("failure"),
    ),
    parameters=("task", "run", "compare"),
)

PARAMETERS = DataSet(
    name="parameters",
    title="Parameters of a run",
    sql="""
WITH chosen AS (SELECT name, value FROM db.parameters WHERE task = <<$task>> AND run_id = <<$run>>),
compared AS (SELECT name, value FROM db.parameters WHERE task = <<$task>> AND run_id = <<$compare>>)
SELECT coalesce(chosen.name, compared.name) AS name, chosen.value AS chosen, compared.value AS compared,
  CASE WHEN compared.value IS NULL OR chosen.value = compared.value THEN '' ELSE 'differs' END AS difference
FROM chosen FULL OUTER JOIN compared ON compared.name = chosen.name
""",
    columns=(Column("name"), Column("chosen"), Column("compared"), Column("difference")),
    parameters=("task", "run", "compare"),
)

DATA_FLOW = DataSet(
    name="data_flow",
    title="What became of the records",
    sql="""
SELECT coalesce(evaluation_set, 'training data') AS part, outcome,
  CASE WHEN reason IS NULL THEN outcome ELSE outcome || ': ' || reason END AS what, coalesce(reason, '') AS reason,
  records
FROM db.data_flow WHERE task = <<$task>> AND run_id = <<$run>>
""",
    columns=(Column("part"), Column("outcome"), Column("what"), Column("reason"), Column("records", WHOLE)),
    parameters=("task", "run"),
)

LENGTHS = DataSet(
    name="lengths",
    title="Lengths of the texts",
    sql="""
SELECT split, field, words_from, records FROM db.lengths WHERE task = <<$task>> AND run_id = <<$run>>
""",
    columns=(Column("split"), Column("field"), Column("words_from", WHOLE), Column("records", WHOLE)),
    parameters=("task", "run"),
)

DATA_SETS = (RUNS, RUN_LIST, HISTORY, SCORES, RECORD_SCORES, REPORTS, CURVE, STEPS, PARAMETERS, DATA_FLOW, LENGTHS)
