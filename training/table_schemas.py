"""The tables that a run leaves behind, described once.

Glue (stacks/), the Parquet writers (training/evaluation_run.py, lambdas/record_run), the dashboard and the tests all
read these descriptions. This module needs nothing but the standard library, so that each of them can import it.

Where a table lies: `s3://<bucket>/tables/<table>/task=<task>/<second>=<value>/<file>.parquet`, where `<second>` is
`run_id` where one run is looked at (a query names its run and reads only that) and `month` (`YYYY-MM`) where all runs
are (read together over time; one file a run, named after the run). Tables by run have one partition more for each task,
NEWEST, with a copy of the rows of the run that was evaluated last. What comes in all the time lies by `day`
(`YYYY-MM-DD`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column. `type` is an Athena type: string, bigint, int, double, boolean or timestamp (UTC, milliseconds)."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """One table. `partitioned_by` names its two partition columns, both strings, in order."""

    name: str
    comment: str
    partitioned_by: tuple[str, str]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


# What a row of `predictions` and `scores` may have as its model: two models and the floors every score stands beside.
# Of a task that writes text:
PRETRAINED = "pre-trained"
FINE_TUNED = "fine-tuned"
CONSTANT = "constant"
LEAD = "lead"
NEAREST = "nearest"
CONSENSUS = "consensus"
FLOORS = (CONSTANT, LEAD, NEAREST, CONSENSUS)
MODELS = (PRETRAINED, FINE_TUNED, *FLOORS)

# Of a task that classifies: a linear probe on the encoder as it was before fine-tuning; FINE_TUNED; where synthetic
# texts are used, an encoder fine-tuned without them; and two floors, the second always positive.
BASE = "base"
WITHOUT_SYNTHETIC = "without synthetic"
TFIDF = "tf-idf"
ALL_POSITIVE = "all positive"
CLASSIFIERS = (BASE, FINE_TUNED, WITHOUT_SYNTHETIC, TFIDF, ALL_POSITIVE)

# ROUGE F1 in [0, 1]; ROUGE-Lsum with each sentence on a line of its own.
ROUGE_METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum")

# Slices of an evaluation set: every record, and the two halves that a reader must see apart.
ALL, NORMAL, ABNORMAL = "all", "normal", "abnormal"
SLICES = (ALL, NORMAL, ABNORMAL)

# Partition of uploads that were refused because there is no such task.
UNKNOWN_TASK = "unknown"

# A run's name in its place: the partition `run_id=newest` of a large table holds a copy of the rows of the task's run
# that was evaluated last, so a dashboard opens on them without knowing that run's id. No run is ever called so. A query
# that names both the run and NEWEST counts its rows twice.
NEWEST = "newest"

# What became of records (`data_flow`): of training data the first six, of an evaluation set the last four.
TRAINED_ON, VALIDATED_ON, HELD_OUT = "train", "validation", "holdout"
OVERRULED = "overruled by a review"
DUPLICATE, QUARANTINED = "duplicate", "quarantined"
TRAINING_TEXT, SCORED = "removed as training text", "scored"

# Words of a text are counted in bins of this width; the last bin has no upper end (`lengths`).
LENGTH_BIN, LAST_LENGTH_BIN = 10, 500

_MODEL = (
    "pre-trained, fine-tuned, constant, lead, nearest or consensus; of a task that classifies base, fine-tuned, "
    "without synthetic, tf-idf or all positive"
)

PREDICTIONS = Table(
    name="predictions",
    comment="One row a record, model and run: what was asked, what the doctor wrote, what the model wrote. Of a task "
    "that classifies, reference and prediction are labels, and what would describe a text of theirs is null.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("record_id", "string", "16 hexadecimal digits, the same in every run for the same text pair"),
        Column("evaluation_set", "string", "Name of the evaluation set, as in uploads/<task>/eval/<set>/"),
        Column("model", "string", _MODEL),
        Column("input", "string", "The findings, or the text to classify, as uploaded"),
        Column("reference", "string", "The impression or label that the doctor wrote"),
        Column("prediction", "string", "The text or label that this model gave"),
        Column(
            "marked",
            "string",
            "The prediction with the words that only it or only the reference has marked as in training/word_marks.py",
        ),
        Column("slice", "string", "normal or abnormal, by the reference (or the upload's own label); of labels: all"),
        Column("reads_as_normal", "boolean", "The prediction reads as a normal report"),
        Column("input_words", "int", "Words of the input"),
        Column("reference_words", "int", "Words of the reference"),
        Column("prediction_words", "int", "Words of the prediction"),
        Column("rouge1", "double", "ROUGE-1 F1 in [0, 1]"),
        Column("rouge2", "double", "ROUGE-2 F1 in [0, 1]"),
        Column("rouge_l", "double", "ROUGE-L F1 in [0, 1]"),
        Column("rouge_lsum", "double", "ROUGE-Lsum F1 in [0, 1]"),
        Column("probability", "double", "The model's probability of the positive label in [0, 1]; null for texts"),
        Column("threshold", "double", "From this probability on the model says the positive label; null for texts"),
    ),
)

SIMILAR_REPORTS = Table(
    name="similar_reports",
    comment="One row an evaluated record and training report whose impression the prompt showed: what the fine-tuned "
    "model's answer rested on. Empty for a task without retrieval.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("record_id", "string", "The evaluated record's id, as in predictions"),
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("rank", "int", "Place of the training report by similarity, from 1"),
        Column("similar_id", "string", "The training report's id, as in the run's prepared/train"),
        Column("similarity", "double", "In (0, 1]: its BM25 score for the findings over their own"),
        Column("agreed", "boolean", "It is the one on which the 15 most similar reports agree best (the consensus)"),
        Column("impression", "string", "What was written in the training report"),
    ),
)

SCORES = Table(
    name="scores",
    comment="One row a run, evaluation set, slice, model and metric: the distribution of that score over the records. "
    "A classifier's score is one of all records together: its value is the mean, and std to max are null. A score that "
    "is not defined (recall without a positive record) has no row.",
    partitioned_by=("task", "month"),
    columns=(
        Column("run_id", "string", "The pipeline execution's id"),
        Column("started_at", "timestamp", "When the run started"),
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("slice", "string", "all, normal or abnormal; of labels only all"),
        Column("model", "string", _MODEL),
        Column(
            "metric",
            "string",
            "rouge1, rouge2, rougeL, rougeLsum; abnormal_as_normal: of references that do not read as normal, the "
            "share whose prediction does (lower is better). Of labels: precision, recall, f1, auroc, "
            "average_precision; lower is better: brier, calibration_error",
        ),
        Column("count", "bigint", "Records scored"),
        Column("mean", "double", "Mean"),
        Column("std", "double", "Sample standard deviation; null for one record"),
        Column("min", "double", "Smallest"),
        Column("q1", "double", "25 % quantile, linear interpolation"),
        Column("median", "double", "50 % quantile"),
        Column("q3", "double", "75 % quantile"),
        Column("max", "double", "Largest"),
        Column("low", "double", "Lower end of the 95 % bootstrap interval of the mean"),
        Column("high", "double", "Upper end of the 95 % bootstrap interval of the mean"),
        Column(
            "distinct_predictions", "bigint", "How many different texts or labels this model gave on this set and slice"
        ),
    ),
)

PRECISION_RECALL = Table(
    name="precision_recall",
    comment="One row an evaluation set, model and threshold: what calling records positive from there on gives. Empty "
    "for a task that writes text, and for a set without a positive record.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("model", "string", "base, fine-tuned, without synthetic, tf-idf or all positive"),
        Column("threshold", "double", "In [0, 1]; at most 200 of a set and model, evenly spaced by rank"),
        Column("precision", "double", "Of the records called positive from this threshold on, the share that is"),
        Column("recall", "double", "Of the positive records, the share that is called so"),
        Column("chosen", "boolean", "It is the model's own threshold; true once for each model"),
    ),
)

TRAINING_CURVE = Table(
    name="training_curve",
    comment="One row a logged training step of a run.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("step", "bigint", "Optimiser step, from 1"),
        Column("epoch", "double", "Epochs done, fractional"),
        Column("seconds", "double", "Seconds since training began"),
        Column("train_loss", "double", "Mean cross-entropy in nats since the last row; null on a validation row"),
        Column("validation_loss", "double", "Cross-entropy on the validation split in nats; null on a training row"),
        Column("learning_rate", "double", "Learning rate at this step; null on a validation row"),
    ),
)

SYNTHETIC_EXAMPLES = Table(
    name="synthetic_examples",
    comment="One row a text that a model wrote as a further example of the positive label, kept or not.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("synthetic_id", "string", "Of a kept text its id in the run's synthetic split; equal texts have one id"),
        Column("text", "string", "What the model wrote, without number and quotes"),
        Column("kept", "boolean", "It was trained on, as a text of the positive label"),
        Column("reason", "string", "Why it was dropped (training/example_filters.py); null if it was kept"),
        Column("prompted_by", "string", "Ids of the training records that the prompt showed, with spaces between them"),
        Column("provider", "string", "model, bedrock or endpoint"),
        Column("model", "string", "Which model wrote it"),
        Column("first_model_probability", "double", "TF-IDF floor's probability of the positive label in [0, 1]"),
    ),
)

CANDIDATES = Table(
    name="candidates",
    comment="One row an evaluation set and way of answering it: the task's own models, the candidates of its file and "
    "the floors, on the same records. Empty for a task without candidates.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("candidate", "string", "Its name in the task file; or pre-trained, fine-tuned or a floor's name"),
        Column("kind", "string", "foundation, bedrock, fine_tuned, custom, pre-trained or floor"),
        Column("status", "string", "complete; partial: some records have no answer; failed: none has one"),
        Column("reason", "string", "Why it is not complete, in one sentence; null if it is"),
        Column("asked", "bigint", "Records that it was to answer"),
        Column("answered", "bigint", "Records that it answered"),
        Column("rouge_l", "double", "Mean ROUGE-L F1 of its answers in [0, 1]; null without any"),
        Column("rouge_l_low", "double", "Lower end of the 95 % bootstrap interval of the mean"),
        Column("rouge_l_high", "double", "Upper end of it"),
        Column("against_fine_tuned", "double", "Mean of its ROUGE-L minus the fine-tuned model's on the same records"),
        Column("against_fine_tuned_low", "double", "Lower end of the 95 % paired bootstrap interval of that"),
        Column("against_fine_tuned_high", "double", "Upper end of it"),
        Column("clinical_errors", "double", "Share of its answers in which a rule found at least one clinical error"),
        Column("clinical_errors_low", "double", "Lower end of the 95 % bootstrap interval of that share"),
        Column("clinical_errors_high", "double", "Upper end of it"),
        Column("distinct_predictions", "bigint", "How many different answers it gave"),
        Column("seconds_per_1000", "double", "Seconds of its machine or service for 1,000 records, as measured"),
        Column("dollars_per_1000", "double", "Dollars for 1,000 records at the task file's prices; null if not known"),
        Column("needs", "string", "What it takes: GPU, network, acceptance of a licence; joined by '; '"),
        Column("leaves_account", "boolean", "Text leaves the account's own machines for a service"),
        Column("recommended", "boolean", "The rules recommend it for this set (training/choice.py); true at most once"),
        Column("verdict", "string", "Why it is recommended or is not, in one sentence"),
    ),
)

CANDIDATE_FAILURES = Table(
    name="candidate_failures",
    comment="One row a reason for which records of an evaluation set have no answer of a candidate.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("candidate", "string", "Its name in the task file"),
        Column("reason", "string", "What went wrong, without any text of a record"),
        Column("records", "bigint", "Records, above 0"),
    ),
)

CLINICAL_ERRORS = Table(
    name="clinical_errors",
    comment="One row a passage of an answer in which a rule sees a clinical error, for each model and candidate. Empty "
    "for a task without candidates.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("record_id", "string", "The evaluated record's id, as in predictions"),
        Column("evaluation_set", "string", "Name of the evaluation set"),
        Column("model", "string", "Whose answer it is, as in candidates"),
        Column("check", "string", "Which rule (training/clinical_checks.py): number, side, negation, severity, term"),
        Column("passage", "string", "What the answer says that the rule does not find in the input"),
    ),
)

RUNS = Table(
    name="runs",
    comment="One row a run, also for a run that failed and for an upload that was refused.",
    partitioned_by=("task", "month"),
    columns=(
        Column("run_id", "string", "The pipeline execution's id; refused-<hash> for a refused upload"),
        Column("status", "string", "Succeeded, Failed, Stopped or Refused"),
        Column("started_at", "timestamp", "When the run started"),
        Column("ended_at", "timestamp", "When the run ended"),
        Column("failed_step", "string", "The step that failed; null otherwise"),
        Column("reason", "string", "Why it failed or was refused, in one sentence; null otherwise"),
        Column("warnings", "string", "What a reader must know, one sentence a line"),
        Column("data_version", "string", "Version of the uploaded files that the run was started for"),
        Column("data_fingerprint", "string", "SHA-256 over the bytes that Prepare read; null if it did not get there"),
        Column("uploaded", "bigint", "Records read"),
        Column("train", "bigint", "Records trained on"),
        Column("validation", "bigint", "Records of the validation split"),
        Column("quarantined", "bigint", "Records set aside as bad"),
        Column("duplicates", "bigint", "Records dropped as duplicates"),
        Column("evaluated", "string", "JSON object: evaluation set -> records scored"),
        Column("gate_passed", "boolean", "The gate let the model through; null if it was not reached"),
        Column("gate_reasons", "string", "Why, one sentence a line"),
        Column("model_package", "string", "ARN of the registered model package; null if none"),
        Column("parameters", "string", "JSON object: pipeline parameter -> value, given or by default"),
        Column("step_seconds", "string", "JSON object: step -> seconds"),
        Column("cost_dollars", "double", "Estimated cost of the run's jobs; null where prices are not known"),
    ),
)

STEPS = Table(
    name="steps",
    comment="One row a step that a run reached.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("step", "string", "Name of the step"),
        Column("status", "string", "SageMaker's word: Succeeded, Failed, Stopped, ..."),
        Column("seconds", "double", "From the step's start to its end, waiting included; null if it never ended"),
        Column("cached", "boolean", "An earlier run's result was taken"),
        Column("instance_type", "string", "Its machines; null if none ran: a condition, a registration, a cached step"),
        Column("instance_count", "bigint", "How many machines; null if none ran"),
        Column("cost_dollars", "double", "Estimated cost of its job, 0 if no machine ran; null where it is not known"),
        Column("failure", "string", "Why it failed, on one line; null otherwise"),
    ),
)

PARAMETERS = Table(
    name="parameters",
    comment="One row a setting of a run: what to look at when two runs differ.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column(
            "name",
            "string",
            "A pipeline parameter (Epochs), an argument of the training script (fine_tune.learning_rate), "
            "data_version or data_fingerprint",
        ),
        Column("value", "string", "Its value as text"),
    ),
)

SEARCH_JOBS = Table(
    name="search_jobs",
    comment="One row a training job of a run's search over hyperparameters; none for a run that searched for nothing. "
    "Where an earlier run's search was taken, they are that one's.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("job", "string", "Name of the training job"),
        Column("status", "string", "SageMaker's word: Completed, Failed, Stopped, ..."),
        Column("objective", "double", "The metric that the search goes by, as the log showed it last; null if never"),
        Column("best", "boolean", "The job that the search found to be the best"),
        Column(
            "early_stopped",
            "boolean",
            "It was stopped because it did worse than the others; null where somebody stopped the search",
        ),
        Column("seconds", "double", "Seconds that its machines ran; null if the end is not known"),
        Column("learning_rate", "double", "What was tried; null where the search has none"),
        Column("max_seq_length", "int", "What was tried, in tokens; null where the search has none"),
        Column("train_batch_size", "int", "What was tried; null where the search has none"),
        Column("model_name", "string", "The model that it started from; null where the search has none"),
        Column("parameters", "string", "JSON object: each hyperparameter that was searched -> what was tried, as text"),
        Column("failure", "string", "Why it failed, on one line; null otherwise"),
    ),
)

DATA_FLOW = Table(
    name="data_flow",
    comment="One row an outcome that uploaded records had in a run. Of training data that Prepare got through, "
    "the records of all outcomes are those uploaded.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("evaluation_set", "string", "Name of the evaluation set; null for training data"),
        Column(
            "outcome",
            "string",
            "train, validation, holdout (training data set aside as evaluation set holdout), duplicate, quarantined; "
            "of an evaluation set: duplicate, quarantined, removed as training text, scored",
        ),
        Column("reason", "string", "Why records were quarantined; null for other outcomes"),
        Column("records", "bigint", "Records, above 0"),
    ),
)

LENGTHS = Table(
    name="lengths",
    comment="Histograms of the lengths of texts in words (parts between white space): one row a bin that is not empty.",
    partitioned_by=("task", "run_id"),
    columns=(
        Column("started_at", "timestamp", "When the run started"),
        Column("evaluation_set", "string", "Name of the evaluation set; null for training data"),
        Column("split", "string", "train, validation or the evaluation set's name"),
        Column("field", "string", "input or target"),
        Column(
            "words_from", "int", "Lower end of the bin: 0 for 0 to 9 words, 10 for 10 to 19, ... 500 for 500 and more"
        ),
        Column("records", "bigint", "Records, above 0"),
    ),
)

EVENTS = Table(
    name="events",
    comment="One row a text that was sent to a task's live endpoint, by file or by message, each text once.",
    partitioned_by=("task", "day"),
    columns=(
        Column(
            "event_id",
            "string",
            "The sender's id, unique together with source; SHA-256 of the text where the sender gave none",
        ),
        Column("source", "string", "Where the text is from, as the sender says; file-<digest of its key> for a file"),
        Column("happened_at", "timestamp", "The sender's time; null where none was given"),
        Column("arrived_at", "timestamp", "When the text reached the queue; its day is the partition"),
        Column("written_at", "timestamp", "When this row was written"),
        Column("text", "string", "The text as sent"),
        Column("label", "string", "What the endpoint answered: one of the task's two labels"),
        Column("probability", "double", "Of the positive label, in [0, 1]"),
        Column("model_version", "string", "What the endpoint says that it serves"),
        Column("drugs", "string", "Drugs that the text names, joined by '; '; empty if none were found"),
        Column("effects", "string", "Effects that the text names, joined by '; '; empty if none were found"),
        Column("kind", "string", "Body system of most of its effects (skin, liver, ...); null without effects"),
        Column("icd10", "string", "ICD-10-CM codes, joined by '; '; null unless Amazon Comprehend Medical found any"),
        Column("notified", "boolean", "A notice went to the task's topic (at least once)"),
    ),
)

REVIEWS = Table(
    name="reviews",
    comment="One row an event about which a person gave a verdict: the last one. Its day is the event's.",
    partitioned_by=("task", "day"),
    columns=(
        Column("event_id", "string", "The event's id, as in events"),
        Column("source", "string", "The event's source, as in events"),
        Column("verdict", "string", "confirmed, or rejected: the other label is the right one"),
        Column("label", "string", "The label that is right, with which the next run trains"),
        Column("model_label", "string", "What the endpoint had answered"),
        Column("probability", "double", "Of the positive label, as the endpoint had answered"),
        Column("model_version", "string", "What the endpoint said that it served"),
        Column("reviewed_at", "timestamp", "When the verdict was given"),
        Column("reviewer", "string", "Who gave it, as they say themselves; null where they do not"),
    ),
)

# Written by lambdas/record_run when a run has ended.
RECORDED = (RUNS, STEPS, PARAMETERS, SEARCH_JOBS, DATA_FLOW, LENGTHS)

# Written by Evaluate.
EVALUATED = (PREDICTIONS, SIMILAR_REPORTS, SCORES, PRECISION_RECALL, SYNTHETIC_EXAMPLES, TRAINING_CURVE)

# Written by Compare.
COMPARED = (CANDIDATES, CANDIDATE_FAILURES, CLINICAL_ERRORS)

# Written by lambdas/classify_texts, and about its rows by lambdas/record_review.
STREAMED = (EVENTS, REVIEWS)

TABLES = (*EVALUATED, *COMPARED, *RECORDED, *STREAMED)
