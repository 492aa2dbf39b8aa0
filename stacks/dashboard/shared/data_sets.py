"""What every dashboard asks the tables, as SQL that Athena runs.

Data sets of one run take the run as a parameter and read its partitions alone (`run_id` is part of the path), however
many runs there are; so do those that hold clinical text, which is never copied out of the bucket. What is over all
runs is small, and kept by QuickSight (SPICE).

The run `newest` is the newest evaluated run of a task: Evaluate writes its rows under that name too, so that the
dashboard opens on it without anybody knowing its id.
"""

from stacks.dashboard.parts import Column, DataSet, Kind
from stacks.dashboard.shared.scores import MEASURED, NEWEST_RUNS, OWN_MODELS
from training.table_schemas import NEWEST

TEXT, WHOLE, NUMBER, TIME = Kind.TEXT, Kind.WHOLE, Kind.NUMBER, Kind.TIME
NONE = "none"
CHOSEN, COMPARED = "chosen run", "compared run"

RUNS = DataSet(
    name="runs",
    title="Runs",
    sql=f"""
WITH {NEWEST_RUNS},
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
WITH {MEASURED}
SELECT task, run_id, started_at, evaluation_set, slice, model, metric, mean FROM measured
WHERE model IN ({OWN_MODELS})
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

# Of pipelines of every kind.
# A step's name begins so. StageModel2, ... stage further encoders.
_STEP_ORDER = (
    *("Prepare", "Stage", "Tune", "FineTuneWithoutSynthetic", "GenerateExamples", "FineTune"),
    *("GeneratePretrained", "ClassifyBase", "GenerateFineTuned", "ClassifyFineTuned", "Evaluate"),
    *("Gate", "Register", "Answer", "Compare"),
)
_PLACE = " ".join(f"WHEN step LIKE '{step}%' THEN {place}" for place, step in enumerate(_STEP_ORDER, start=1))


def _steps(series: str, run: str) -> str:
    return (
        f"SELECT '{series}' AS series, step, CASE {_PLACE} ELSE {len(_STEP_ORDER) + 1} END AS place, status, "
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
