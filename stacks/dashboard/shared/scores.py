"""Scores of runs, as SQL: every model's own beside those of the other models."""

from collections.abc import Mapping

from training.table_schemas import CLASSIFIERS, MODELS, NEWEST

ALL_SLICES = "all"
_MEASURED_COLUMNS = (
    "model, metric, count, mean, std, min, q1, median, q3, max, low, high, distinct_predictions FROM db.scores"
)
# Models of the pipeline itself. Candidates of a task file are others in every run, and may answer some records alone.
OWN_MODELS = ", ".join(f"'{model}'" for model in dict.fromkeys((*MODELS, *CLASSIFIERS)))
# The error on abnormal reports stands in the table under their slice alone; whoever looks at all reports must see it.
MEASURED = f"""
measured AS (
  SELECT task, run_id, started_at, evaluation_set, slice, {_MEASURED_COLUMNS}
  UNION ALL
  SELECT task, run_id, started_at, evaluation_set, '{ALL_SLICES}' AS slice, {_MEASURED_COLUMNS}
  WHERE metric = 'abnormal_as_normal'
)"""
NEWEST_RUNS = "newest AS (SELECT task, max_by(run_id, started_at) AS run_id FROM db.scores GROUP BY task)"


def scores_of_runs(selected: str, beside: Mapping[str, str], metrics: str) -> str:
    """A query of one row a run, evaluation set, slice, model and metric, and the newest run's once more under NEWEST.

    `selected` are expressions over the tables `measured`, `named` and `beside`, which has a column of the mean for each
    model of `beside` (column -> model); beside a candidate they are null, so that a mean over all rows gives each
    evaluation set the same weight, whichever candidates answered it. `metrics` is the condition on metrics that this
    kind of task has.
    """
    means = ",\n    ".join(
        f"max(CASE WHEN model = '{model}' THEN mean END) AS {name}" for name, model in beside.items()
    )
    columns = ", ".join(f"beside.{name}" for name in beside)
    return f"""
WITH {MEASURED},
{NEWEST_RUNS},
named AS (
  SELECT DISTINCT task, run_id, run_id AS run FROM db.scores
  UNION ALL
  SELECT task, run_id, '{NEWEST}' AS run FROM newest
),
beside AS (
  SELECT task, run_id, evaluation_set, slice, metric,
    {means}
  FROM measured GROUP BY task, run_id, evaluation_set, slice, metric
)
SELECT measured.task, named.run, measured.evaluation_set, measured.slice, measured.model, {selected}, {columns}
FROM measured
JOIN named ON named.task = measured.task AND named.run_id = measured.run_id
LEFT JOIN beside ON measured.model IN ({OWN_MODELS}) AND beside.task = measured.task
  AND beside.run_id = measured.run_id AND beside.evaluation_set = measured.evaluation_set
  AND beside.slice = measured.slice AND beside.metric = measured.metric
WHERE {metrics}
"""
