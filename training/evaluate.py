"""Score the model before and after fine-tuning beside trivial floors, and decide whether it may be registered.

    python3 -m training.evaluate --task radiology_impressions --run-id abc123 --started-at 2026-01-31T12:00:00Z \\
        --prepared DIR --train DIR --pretrained DIR --fine-tuned DIR --training-output DIR --champion DIR \\
        [--similar DIR] --output DIR --tables DIR --seed 1

Reads `eval/` and `report/` of Prepare (`--prepared`), the train split (`--train`) and the index of its records
(`--similar`; left out, it is built) for the floors, both models'
predictions, the predictions of the model in service (`--champion`; a folder without any means that there is none) and
`output.tar.gz` of the training job (`--training-output`; left out where the training script leaves no curve).

Writes `evaluation.json` and `arguments.json` to `--output`, and below `--tables` the files of this run in the tables
`predictions`, `similar_reports`, `scores` and `training_curve` (training/table_schemas.py), those of all but `scores` a
second time in the partition of the newest run.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import ArgumentError, EvaluationError
from training.evaluation_inputs import (
    EvaluationRecord,
    matched_predictions,
    read_evaluation_sets,
    read_predictions,
    read_report,
    read_training_curve,
    sets_answered,
)
from training.floors import Floors
from training.gate import Comparison, InService, decide
from training.job import run_job, save_arguments
from training.rouge import ROUGE_L, rouge_scores
from training.scored_set import (
    ScoredSet,
    abnormal_summary,
    mean_scores,
    prediction_rows,
    score_rows,
    score_set,
    similar_rows,
)
from training.table_schemas import (
    FINE_TUNED,
    FLOORS,
    NEWEST,
    PREDICTIONS,
    PRETRAINED,
    SCORES,
    SIMILAR_REPORTS,
    TRAINING_CURVE,
    Table,
)
from training.tables import month_of, partition_folder, write_table

PART = "part-00000.parquet"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
# Fewer answers than this cannot show that a model has collapsed to one answer.
_ANSWERS_TO_JUDGE = 10
NO_CURVE = (
    "There is no training curve: JumpStart's script leaves none. Its losses are in CloudWatch, under the names of the "
    "task's metrics."
)


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`started_at` is ISO 8601; without a zone it is UTC, as SageMaker's times are. `similar` is the index of the train
    split, which is built where it is not given; with `retrieval` the task's model is shown similar reports, so that
    their consensus can be served in its place. `workers` processes share the scoring of many pairs; None means one a
    core."""

    task: str
    run_id: str
    started_at: str
    prepared: Path
    train: Path
    pretrained: Path
    fine_tuned: Path
    output: Path
    tables: Path
    training_output: Path | None = None
    champion: Path | None = None
    similar: Path | None = None
    retrieval: bool = False
    seed: int = 1
    workers: int | None = None
    message_file: Path | None = None

    def __post_init__(self) -> None:
        for name in ("task", "run_id"):
            if not _NAME.fullmatch(getattr(self, name)):
                raise ArgumentError(f"{name} must be letters, digits, - and _, got {getattr(self, name)!r}")
        if self.run_id == NEWEST:
            raise ArgumentError(f"run_id must not be {NEWEST!r}: the tables have a partition of that name")
        if self.seed < 0:
            raise ArgumentError(f"seed must be >= 0, got {self.seed}")
        if self.workers is not None and self.workers < 1:
            raise ArgumentError(f"workers must be >= 1, got {self.workers}")
        try:
            datetime.fromisoformat(self.started_at)
        except ValueError as error:
            raise ArgumentError(f"started_at must be an ISO 8601 time, got {self.started_at!r}") from error

    @property
    def started(self) -> datetime:
        """When the run started, in UTC."""
        moment = datetime.fromisoformat(self.started_at)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)

    @property
    def processes(self) -> int:
        return self.workers or os.cpu_count() or 1


def main(arguments: Arguments) -> None:
    """Evaluate one run.

    Raises:
        EvaluationError: the inputs do not fit together.
    """
    save_arguments(arguments, arguments.output / "arguments.json")
    report = read_report(arguments.prepared)
    sets = read_evaluation_sets(arguments.prepared, report["counts"]["eval"])
    _refuse_other_sets(arguments, sets)
    floors = Floors.learn(arguments.train, arguments.similar)
    scored_sets = [_score(arguments, name, records, floors) for name, records in sets.items()]
    champion = arguments.champion if arguments.champion and sets_answered(arguments.champion) else None
    decision = decide(
        [_comparison(scored, champion, arguments) for scored in scored_sets],
        arguments.seed,
    )
    _write_tables(arguments, scored_sets)
    warnings = [
        *report["warnings"],
        *decision.lost_to_floors,
        *(warning for scored in scored_sets for warning in _warnings(scored)),
        *([NO_CURVE] if arguments.training_output is None else []),
    ]
    evaluation = {
        "task": arguments.task,
        "run_id": arguments.run_id,
        **{name: report[name] for name in ("counts", "removed_from_evaluation", "fingerprint")},
        "warnings": warnings,
        "scores": {scored.name: mean_scores(scored) for scored in scored_sets},
        "abnormal": {scored.name: abnormal_summary(scored) for scored in scored_sets},
        "gate": {"passed": decision.passed, "reasons": list(decision.reasons)},
    }
    text = json.dumps(evaluation, indent=2, ensure_ascii=False, allow_nan=False)
    (arguments.output / "evaluation.json").write_text(text + "\n", encoding="utf-8")
    print(f"gate {'passed' if decision.passed else 'not passed'}", *decision.reasons, sep="\n", flush=True)


def _refuse_other_sets(arguments: Arguments, sets: Mapping[str, Sequence[EvaluationRecord]]) -> None:
    """Predictions for a set that Prepare does not know come from another run's data."""
    for model, folder in ((PRETRAINED, arguments.pretrained), (FINE_TUNED, arguments.fine_tuned)):
        other = sorted(sets_answered(folder) - sets.keys())
        if other:
            raise EvaluationError(f"the {model} model answered sets that Prepare did not write: {', '.join(other)}")


def _score(arguments: Arguments, name: str, records: Sequence[EvaluationRecord], floors: Floors) -> ScoredSet:
    predictions: dict[str, list[str]] = {}
    for model, folder in ((PRETRAINED, arguments.pretrained), (FINE_TUNED, arguments.fine_tuned)):
        predictions[model] = matched_predictions(read_predictions(folder, name, model), records, name, model)
    inputs = [record.input for record in records]
    similar = floors.similar(inputs)
    predictions |= floors.predictions(inputs, similar)
    # Without retrieval no answer rested on them; the floors alone look.
    scored = score_set(name, records, predictions, arguments.processes, similar if arguments.retrieval else None)
    scores = ", ".join(f"{model} {answers.rouge_l.mean():.3f}" for model, answers in scored.models.items())
    print(f"set {name}: {len(records)} records, ROUGE-L {scores}", flush=True)
    return scored


def _comparison(scored: ScoredSet, champion: Path | None, arguments: Arguments) -> Comparison:
    rouge_l = {model: answers.rouge_l for model, answers in scored.models.items()}
    return Comparison(
        evaluation_set=scored.name,
        fine_tuned=rouge_l[FINE_TUNED],
        pretrained=rouge_l[PRETRAINED],
        floors={floor: rouge_l[floor] for floor in FLOORS},
        in_service=None if champion is None else _in_service(scored, champion, arguments),
        agreed=None if scored.similar is None else np.array([bool(reports) for reports in scored.similar]),
    )


def _in_service(scored: ScoredSet, champion: Path, arguments: Arguments) -> InService:
    """The champion was asked in an earlier run, so perhaps only some of the records."""
    predictions = read_predictions(champion, scored.name, "champion")
    shared = [i for i, record in enumerate(scored.records) if record.id in predictions]
    pairs = [(predictions[scored.records[i].id], scored.records[i].target) for i in shared]
    rouge_l = rouge_scores(pairs, arguments.processes)[:, ROUGE_L]
    return InService(champion=rouge_l, fine_tuned=scored.models[FINE_TUNED].rouge_l[shared])


def _warnings(scored: ScoredSet) -> Iterator[str]:
    """What a reader of the scores must know besides them."""
    for model in (PRETRAINED, FINE_TUNED):
        texts = scored.models[model].predictions
        empty = sum(not text.strip() for text in texts)
        if empty:
            yield f"Set {scored.name}: {empty} of {len(texts)} predictions by the {model} model are empty."
        if len(texts) >= _ANSWERS_TO_JUDGE and len(set(texts)) == 1:
            yield f"Set {scored.name}: the {model} model gave one and the same answer to all {len(texts)} records."
    missed = scored.models[FINE_TUNED].read_as_normal[scored.said_abnormal]
    if missed.any():
        yield (
            f"Set {scored.name}: the fine-tuned model answers {missed.sum()} of {missed.size} abnormal records "
            f"({missed.mean():.1%}) as if they were normal."
        )


def _write_tables(arguments: Arguments, scored_sets: Sequence[ScoredSet]) -> None:
    task, run_id, started = arguments.task, arguments.run_id, arguments.started
    curve = iter(()) if arguments.training_output is None else read_training_curve(arguments.training_output)
    files: list[tuple[Table, str, str, Iterator[dict[str, Any]]]] = [
        (PREDICTIONS, run_id, PART, (row for scored in scored_sets for row in prediction_rows(scored))),
        (SIMILAR_REPORTS, run_id, PART, (row for scored in scored_sets for row in similar_rows(scored))),
        (
            SCORES,
            month_of(started),
            f"{run_id}.parquet",
            (row for scored in scored_sets for row in score_rows(scored, run_id, started, arguments.seed)),
        ),
        (TRAINING_CURVE, run_id, PART, curve),
    ]
    for table, second, file, rows in files:
        path = partition_folder(arguments.tables, table, task, second) / file
        written = write_table(path, table, rows)
        if table.partitioned_by[1] == "run_id":
            # Uploaded under the same key as an earlier run's copy, which it replaces.
            newest = partition_folder(arguments.tables, table, task, NEWEST)
            newest.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, newest / file)
        print(f"table {table.name}: {written} rows", flush=True)


if __name__ == "__main__":
    run_job(Arguments, main)
