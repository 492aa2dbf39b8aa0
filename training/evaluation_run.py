"""What the scripts that evaluate and compare share: arguments, what they read of every run, and what they write.

Each script that evaluates is a subclass of EvaluationOptions with what is particular to its kind of model, and a
`main`; Compare is one of RunOptions.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.errors import ArgumentError, EvaluationError
from training.evaluation_inputs import (
    EvaluationRecord,
    read_evaluation_sets,
    read_long_inputs,
    read_report,
    read_training_curve,
    read_training_warnings,
    sets_answered,
)
from training.gate import Decision
from training.job import save_arguments
from training.table_schemas import COMPARED, EVALUATED, NEWEST, PREDICTIONS, TRAINING_CURVE, Table
from training.tables import month_of, partition_folder, write_table

# Fewer answers than this cannot show that a model has collapsed to one answer.
ANSWERS_TO_JUDGE = 10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True)
class FileNames:
    """How one script calls its file of a run: in a table by run, and (before the ending) in one by month."""

    by_run: str
    by_month: str


EVALUATE_FILES = FileNames("part-00000.parquet", "{run_id}")
# Beside Evaluate's, in the tables to which Compare adds the rows of candidates.
CANDIDATE_FILES = FileNames("part-00001.parquet", "{run_id}-candidates")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """`started_at` is ISO 8601; without a zone it is UTC, as SageMaker's times are. `seed` is that of the bootstrap."""

    task: str
    run_id: str
    started_at: str
    output: Path
    tables: Path
    seed: int = 1
    message_file: Path | None = None

    def __post_init__(self) -> None:
        for name in ("task", "run_id"):
            if not _NAME.fullmatch(getattr(self, name)):
                raise ArgumentError(f"{name} must be letters, digits, - and _, got {getattr(self, name)!r}")
        if self.run_id == NEWEST:
            raise ArgumentError(f"run_id must not be {NEWEST!r}: the tables have a partition of that name")
        if self.seed < 0:
            raise ArgumentError(f"seed must be >= 0, got {self.seed}")
        try:
            datetime.fromisoformat(self.started_at)
        except ValueError as error:
            raise ArgumentError(f"started_at must be an ISO 8601 time, got {self.started_at!r}") from error

    @property
    def started(self) -> datetime:
        """When the run started, in UTC."""
        moment = datetime.fromisoformat(self.started_at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(RunOptions):
    """A `champion` folder without any set means that no model is in service."""

    prepared: Path
    train: Path
    fine_tuned: Path
    training_output: Path | None = None
    champion: Path | None = None

    @property
    def in_service(self) -> Path | None:
        """The predictions of the model in service; None where there is none."""
        return self.champion if self.champion and sets_answered(self.champion) else None


@dataclass(frozen=True)
class Prepared:
    """What Prepare left behind: its report, and the evaluation sets that hold records."""

    report: Mapping[str, Any]
    sets: Mapping[str, Sequence[EvaluationRecord]]


def begin(options: EvaluationOptions, asked: Mapping[str, Path]) -> Prepared:
    """Save the arguments and read what Prepare wrote; `asked` is model -> folder of its predictions.

    Raises:
        EvaluationError: Prepare's output is not whole, or a model answered a set that Prepare did not write, so that
            its predictions come from another run's data.
    """
    save_arguments(options, options.output / "arguments.json")
    report = read_report(options.prepared)
    sets = read_evaluation_sets(options.prepared, report["counts"]["eval"])
    for model, folder in asked.items():
        other = sorted(sets_answered(folder) - sets.keys())
        if other:
            raise EvaluationError(f"the {model} model answered sets that Prepare did not write: {', '.join(other)}")
    return Prepared(report, sets)


def write_tables(options: EvaluationOptions, rows: Mapping[Table, Iterable[Mapping[str, Any]]]) -> None:
    """Write this run's file of every table in EVALUATED, those by run a second time as the newest run's.

    A table that `rows` does not name has a file without rows; the training curve is read from the job's output. So have
    the files that Compare replaces where the run has one: without them the newest run would show an earlier one's.

    Raises:
        EvaluationError: the training job's output holds no readable curve.
    """
    if options.training_output is not None:
        rows = {**rows, TRAINING_CURVE: read_training_curve(options.training_output)}
    for table in (*EVALUATED, *COMPARED):
        write_rows(options, table, rows.get(table, ()), EVALUATE_FILES)
    write_rows(options, PREDICTIONS, (), CANDIDATE_FILES)


def write_rows(options: RunOptions, table: Table, rows: Iterable[Mapping[str, Any]], names: FileNames) -> None:
    """Write one file of this run's rows; of a table by run a second time as the newest run's."""
    by_run = table.partitioned_by[1] == "run_id"
    second = options.run_id if by_run else month_of(options.started)
    file = names.by_run if by_run else f"{names.by_month.format(run_id=options.run_id)}.parquet"
    path = partition_folder(options.tables, table, options.task, second) / file
    written = write_table(path, table, rows)
    if by_run:
        # Uploaded under the same key as an earlier run's copy, which it replaces.
        newest = partition_folder(options.tables, table, options.task, NEWEST)
        newest.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, newest / file)
    print(f"table {table.name}: {written} rows", flush=True)


def long_input_warnings(evaluation_set: str, asked: Mapping[str, Path]) -> Iterator[str]:
    """How many inputs of a set were longer than a model reads, and what became of them; `asked` is model -> folder of
    its predictions.

    Raises:
        EvaluationError: what a model left of them cannot be read.
    """
    for model, folder in asked.items():
        inputs = read_long_inputs(folder, evaluation_set, model)
        refused = sum(one.pieces == 0 for one in inputs)
        longest = max((one.tokens for one in inputs), default=0)
        place = f"Set {evaluation_set}: inputs longer than the {model} model reads (up to {longest} tokens)"
        if refused:
            yield f"{place}: {refused} were refused, and score as empty answers."
        if len(inputs) > refused:
            pieces = max(one.pieces for one in inputs)
            yield f"{place}: {len(inputs) - refused} were read in pieces, up to {pieces} each."


def write_evaluation(
    options: EvaluationOptions,
    report: Mapping[str, Any],
    decision: Decision,
    warnings: Iterable[str],
    **measured: Mapping[str, Any],
) -> None:
    """Write `evaluation.json` with what was `measured`; `warnings` stand behind Prepare's, those of the training and of
    lost floors.

    Raises:
        EvaluationError: the training job's output is damaged.
    """
    trained = [] if options.training_output is None else read_training_warnings(options.training_output)
    evaluation = {
        "task": options.task,
        "run_id": options.run_id,
        **{name: report[name] for name in ("counts", "removed_from_evaluation", "fingerprint")},
        "warnings": [*report["warnings"], *trained, *decision.lost_to_floors, *warnings],
        **measured,
        "gate": {"passed": decision.passed, "reasons": list(decision.reasons)},
    }
    text = json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False)
    (options.output / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    print(f"gate {'passed' if decision.passed else 'not passed'}", *decision.reasons, sep="\n", flush=True)
