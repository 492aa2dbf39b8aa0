"""What the sheet Choice asks the tables: every way to answer, what it costs, and what it gets wrong."""

from stacks.dashboard.parts import Column, DataSet, Kind
from training.clinical_checks import CHECKS
from training.table_schemas import FINE_TUNED, PRETRAINED

WHOLE, NUMBER = Kind.WHOLE, Kind.NUMBER
RECOMMENDED = " ★ recommended"
NO_ERRORS = "none found"
# Kinds of ways to answer as the sheet writes them; those of the table have an underscore.
KINDS = (PRETRAINED, FINE_TUNED, "foundation", "bedrock", "custom", "floor")
RULES = tuple(sorted(CHECKS))

_OF_RUN = "WHERE task = <<$task>> AND run_id = <<$run>>"
_SETS = "sets AS (SELECT count(DISTINCT evaluation_set) AS number FROM found)"
# With one evaluation set its name would only take the room of the candidates'.
_NAMED = "CASE WHEN sets.number = 1 THEN found.candidate ELSE found.evaluation_set || ' · ' || found.candidate END"


def _interval(column: str, decimals: int, factor: int = 1) -> str:
    """An interval's two ends as a text; empty where there is none."""
    low, high = (
        f"CAST(CAST({factor} * {column}_{end} AS decimal(7, {decimals})) AS varchar)" for end in ("low", "high")
    )
    return f"coalesce({low} || ' to ' || {high}, '') AS {column}_interval"


CHOICE = DataSet(
    name="choice",
    title="Ways to answer",
    sql=f"""
WITH found AS (SELECT * FROM db.candidates {_OF_RUN}),
{_SETS}
SELECT found.evaluation_set, found.candidate, {_NAMED} AS set_and_candidate,
  {_NAMED} || CASE WHEN recommended THEN '{RECOMMENDED}' ELSE '' END AS marked_candidate,
  replace(kind, '_', '-') AS kind,
  CAST(answered AS varchar) || ' of ' || CAST(asked AS varchar) || ', ' || status
    || CASE WHEN reason IS NULL THEN '' ELSE ': ' || reason END AS answered,
  rouge_l, rouge_l_low, rouge_l_high, {_interval("rouge_l", 3)},
  against_fine_tuned, {_interval("against_fine_tuned", 3)},
  clinical_errors, clinical_errors_low, clinical_errors_high, {_interval("clinical_errors", 1, factor=100)},
  seconds_per_1000, dollars_per_1000, coalesce(needs, '') AS needs,
  CASE WHEN leaves_account THEN 'yes' ELSE 'no' END AS leaves_account,
  verdict,
  row_number() OVER (ORDER BY found.evaluation_set, CASE WHEN recommended THEN 0 ELSE 1 END, coalesce(rouge_l, -1) DESC,
    found.candidate) AS place,
  row_number() OVER (ORDER BY found.evaluation_set, coalesce(rouge_l, -1) DESC, found.candidate) AS rouge_l_place
FROM found CROSS JOIN sets
""",
    columns=(
        Column("evaluation_set"),
        Column("candidate"),
        Column("marked_candidate"),
        Column("set_and_candidate"),
        Column("kind"),
        Column("answered"),
        Column("rouge_l", NUMBER),
        Column("rouge_l_low", NUMBER),
        Column("rouge_l_high", NUMBER),
        Column("rouge_l_interval"),
        Column("against_fine_tuned", NUMBER),
        Column("against_fine_tuned_interval"),
        Column("clinical_errors", NUMBER),
        Column("clinical_errors_low", NUMBER),
        Column("clinical_errors_high", NUMBER),
        Column("clinical_errors_interval"),
        Column("seconds_per_1000", NUMBER),
        Column("dollars_per_1000", NUMBER),
        Column("needs"),
        Column("leaves_account"),
        Column("verdict"),
        Column("place", WHOLE),
        Column("rouge_l_place", WHOLE),
    ),
    parameters=("task", "run"),
)

# As training/choice.py begins the verdict of the recommended one.
_VERDICT_BEGINS = "Recommended: "
# A sentence an evaluation set of the run, also where nothing was compared: a task need not name candidates.
RECOMMENDATION = DataSet(
    name="recommendation",
    title="The recommendation",
    sql=f"""
WITH answered AS (SELECT DISTINCT evaluation_set FROM db.predictions {_OF_RUN}),
compared AS (
  SELECT evaluation_set, max(CASE WHEN recommended
    THEN '{_VERDICT_BEGINS}' || candidate || ', for ' || replace(verdict, '{_VERDICT_BEGINS}', '') END) AS sentence
  FROM db.candidates {_OF_RUN} GROUP BY evaluation_set
)
SELECT answered.evaluation_set,
  CASE WHEN compared.evaluation_set IS NULL
      THEN 'Nothing was compared: the task file names no candidates, or the step Compare did not end.'
    ELSE coalesce(compared.sentence, 'None is recommended: the table below says why of each.') END AS sentence
FROM answered LEFT JOIN compared ON compared.evaluation_set = answered.evaluation_set
""",
    columns=(Column("evaluation_set"), Column("sentence")),
    parameters=("task", "run"),
)

# Ways to answer in which no rule found anything are there too, with a bar of no height.
ERRORS_BY_RULE = DataSet(
    name="errors_by_rule",
    title="Clinical errors by rule",
    sql=f"""
WITH found AS (SELECT evaluation_set, candidate, answered FROM db.candidates {_OF_RUN} AND answered > 0),
{_SETS},
counted AS (
  SELECT evaluation_set, model, "check" AS rule, count(*) AS passages
  FROM db.clinical_errors {_OF_RUN} GROUP BY evaluation_set, model, "check"
)
SELECT found.evaluation_set, found.candidate, {_NAMED} AS set_and_candidate,
  coalesce(counted.rule, '{NO_ERRORS}') AS rule,
  100.0 * coalesce(counted.passages, 0) / found.answered AS per_100_answers
FROM found CROSS JOIN sets
LEFT JOIN counted ON counted.evaluation_set = found.evaluation_set AND counted.model = found.candidate
""",
    columns=(
        Column("evaluation_set"),
        Column("candidate"),
        Column("set_and_candidate"),
        Column("rule"),
        Column("per_100_answers", NUMBER),
    ),
    parameters=("task", "run"),
)

FAILURES = DataSet(
    name="candidate_failures",
    title="Why records have no answer",
    sql=f"""
SELECT evaluation_set, candidate, reason, records FROM db.candidate_failures {_OF_RUN}
""",
    columns=(Column("evaluation_set"), Column("candidate"), Column("reason"), Column("records", WHOLE)),
    parameters=("task", "run"),
)

DATA_SETS = (CHOICE, RECOMMENDATION, ERRORS_BY_RULE, FAILURES)
