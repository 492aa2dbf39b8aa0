"""What is asked about the search over hyperparameters, and about the texts that a model wrote to train on."""

from stacks.dashboard.parts import Column, DataSet, Kind

WHOLE, NUMBER = Kind.WHOLE, Kind.NUMBER
BEST, OTHERS, NO_RESULT = "best", "others", "without a result"
KEPT, DROPPED = "kept", "dropped"
_OF_RUN = "task = <<$task>> AND run_id = <<$run>>"

SEARCH_JOBS = DataSet(
    name="search_jobs",
    title="Training jobs of the search",
    sql=f"""
SELECT job, CASE WHEN best THEN '{BEST}' WHEN objective IS NULL THEN '{NO_RESULT}' ELSE '{OTHERS}' END AS place,
  CASE WHEN best THEN objective END AS best_objective, status,
  CASE WHEN early_stopped THEN 'stopped early' ELSE '' END AS stopped, objective,
  learning_rate, learning_rate * 1e6 AS learning_rate_millionths, max_seq_length, train_batch_size,
  coalesce(model_name, '') AS model_name, seconds / 60 AS minutes, coalesce(failure, '') AS failure, 1 AS jobs
FROM db.search_jobs WHERE {_OF_RUN}
""",
    columns=(
        Column("job"),
        Column("place"),
        Column("best_objective", NUMBER),
        Column("status"),
        Column("stopped"),
        Column("objective", NUMBER),
        Column("learning_rate", NUMBER),
        Column("learning_rate_millionths", NUMBER),
        Column("max_seq_length", WHOLE),
        Column("train_batch_size", WHOLE),
        Column("model_name"),
        Column("minutes", NUMBER),
        Column("failure"),
        Column("jobs", WHOLE),
    ),
    parameters=("task", "run"),
)

OUTCOMES = DataSet(
    name="synthetic_outcomes",
    title="What became of the texts that a model wrote",
    sql=f"""
SELECT CASE WHEN kept THEN '{KEPT}' ELSE '{DROPPED}' END AS fate,
  CASE WHEN kept THEN '{KEPT}' ELSE '{DROPPED}: ' || coalesce(reason, '') END AS outcome, count(*) AS texts
FROM db.synthetic_examples WHERE {_OF_RUN} GROUP BY kept, reason
""",
    columns=(Column("fate"), Column("outcome"), Column("texts", WHOLE)),
    parameters=("task", "run"),
)

EXAMPLES = DataSet(
    name="synthetic_texts",
    title="Texts that a model wrote",
    sql=f"""
SELECT synthetic_id, text, CASE WHEN kept THEN '{KEPT}' ELSE '{DROPPED}' END AS fate, coalesce(reason, '') AS reason,
  first_model_probability AS probability, provider, model AS written_by
FROM db.synthetic_examples WHERE {_OF_RUN}
""",
    columns=(
        Column("synthetic_id"),
        Column("text"),
        Column("fate"),
        Column("reason"),
        Column("probability", NUMBER),
        Column("provider"),
        Column("written_by"),
    ),
    parameters=("task", "run"),
)

DATA_SETS = (SEARCH_JOBS, OUTCOMES, EXAMPLES)
