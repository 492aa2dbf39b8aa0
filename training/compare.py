"""Set every way of answering a task's evaluation sets side by side, and recommend one by rules that are written down.

    python3 -m training.compare --task clinical_notes --run-id abc123 --started-at 2026-01-31T12:00:00Z \\
        --evaluation-sets DIR --evaluation DIR --pretrained DIR --fine-tuned DIR [--candidates DIR DIR ...] \\
        [--generate-dollars-per-hour 1.515 --generate-instance-type ml.g5.2xlarge] [--allow-leaving-account false] \\
        [--max-dollars-per-1000 5] [--max-seconds-per-1000 600] --output DIR --tables DIR --seed 1

Reads Prepare's `eval/` (`--evaluation-sets`), what the floors answered from Evaluate's output (`--evaluation`), the
answers of both of the task's own models, and a folder for each candidate as training.answer_candidate leaves it. A
candidate that failed, or whose folder is empty or makes no sense, fails alone and by name.

Writes `comparison.json`, `before_and_after.json` and `arguments.json` to `--output`, and below `--tables` this run's
files of the tables in COMPARED (training/table_schemas.py) and one more of `predictions` and of `scores`, with the
candidates' rows.
"""

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.before_and_after import before_and_after
from training.candidate_results import CandidateResult, machine_cost, read_candidate
from training.choice import RULES, Limits
from training.comparison import ComparedSet
from training.errors import ArgumentError, EvaluationError
from training.evaluation_inputs import (
    EvaluationRecord,
    matched_predictions,
    read_predictions,
    read_sets,
)
from training.evaluation_run import CANDIDATE_FILES, EVALUATE_FILES, RunOptions, write_rows
from training.floor_answers import floor_answers
from training.job import run_job, save_arguments
from training.scored_set import prediction_rows, score_rows, score_set
from training.table_schemas import (
    CANDIDATE_FAILURES,
    CANDIDATES,
    CLINICAL_ERRORS,
    FINE_TUNED,
    FLOORS,
    MODELS,
    PREDICTIONS,
    PRETRAINED,
    SCORES,
)


@dataclass(frozen=True, kw_only=True)
class Arguments(RunOptions):
    """Prices are of the machine on which the task's own models answered; without one, what they cost is not known.
    `workers` processes share the scoring of many pairs; None means one a core."""

    evaluation_sets: Path
    evaluation: Path
    pretrained: Path
    fine_tuned: Path
    candidates: tuple[Path, ...] = ()
    generate_dollars_per_hour: float | None = None
    generate_instance_type: str | None = None
    allow_leaving_account: bool = True
    max_dollars_per_1000: float | None = None
    max_seconds_per_1000: float | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("generate_dollars_per_hour", "max_dollars_per_1000", "max_seconds_per_1000"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ArgumentError(f"{name} must be >= 0, got {value}")
        if self.workers is not None and self.workers < 1:
            raise ArgumentError(f"workers must be >= 1, got {self.workers}")

    @property
    def own(self) -> dict[str, Path]:
        """The task's own models and the floors -> folder of what each answered."""
        floors = {floor: floor_answers(self.evaluation, floor) for floor in FLOORS}
        return {PRETRAINED: self.pretrained, FINE_TUNED: self.fine_tuned, **floors}

    @property
    def limits(self) -> Limits:
        return Limits(
            allow_leaving_account=self.allow_leaving_account,
            max_dollars_per_1000=self.max_dollars_per_1000,
            max_seconds_per_1000=self.max_seconds_per_1000,
        )

    @property
    def processes(self) -> int:
        return self.workers or os.cpu_count() or 1


def main(arguments: Arguments) -> None:
    """Compare.

    Raises:
        EvaluationError: the run's own inputs do not fit together, or two candidates have one name.
    """
    save_arguments(arguments, arguments.output / "arguments.json")
    sets = read_sets(arguments.evaluation_sets)
    candidates = [read_candidate(folder, sets) for folder in arguments.candidates]
    _check_names(candidates)
    compared = [_compare(arguments, name, records, candidates) for name, records in sets.items()]
    rows = {each.own.name: list(each.candidate_rows(arguments.started, arguments.seed)) for each in compared}
    _write_tables(arguments, compared, itertools.chain.from_iterable(rows.values()))
    _write_comparison(arguments, compared, rows)
    _write_json(
        arguments.output / "before_and_after.json",
        {each.own.name: before_and_after(each.own, each.tuned_errors) for each in compared},
    )


def _check_names(candidates: Sequence[CandidateResult]) -> None:
    names = Counter([*MODELS, *(candidate.name for candidate in candidates)])
    repeated = sorted(name for name, count in names.items() if count > 1)
    if repeated:
        raise EvaluationError(f"several ways of answering are called {', '.join(repeated)}; give each its own name")


def _compare(
    arguments: Arguments, name: str, records: Sequence[EvaluationRecord], candidates: Sequence[CandidateResult]
) -> ComparedSet:
    predictions = {
        model: matched_predictions(read_predictions(folder, name, model), records, name, model)
        for model, folder in arguments.own.items()
    }
    price, instance = arguments.generate_dollars_per_hour, arguments.generate_instance_type
    costs = {model: machine_cost(arguments.own[model], price, instance) for model in (PRETRAINED, FINE_TUNED)}
    own = score_set(name, records, predictions, arguments.processes)
    compared = ComparedSet.of(own, candidates, costs, arguments.limits, arguments.processes, arguments.seed)
    recommended = compared.choice.recommended or "nothing"
    print(f"set {name}: {len(records)} records, {len(compared.ways)} ways, recommended: {recommended}", flush=True)
    return compared


def _write_tables(
    arguments: Arguments, compared: Sequence[ComparedSet], candidate_rows: Iterable[Mapping[str, Any]]
) -> None:
    started, seed = arguments.started, arguments.seed
    scored_sets = [scored for each in compared for scored in each.of_candidates]
    failures = (row for each in compared for row in each.failure_rows(started))
    errors = (row for each in compared for row in each.error_rows())
    predictions = (row for scored in scored_sets for row in prediction_rows(scored))
    scores = (row for scored in scored_sets for row in score_rows(scored, arguments.run_id, started, seed))
    write_rows(arguments, CANDIDATES, candidate_rows, EVALUATE_FILES)
    write_rows(arguments, CANDIDATE_FAILURES, failures, EVALUATE_FILES)
    write_rows(arguments, CLINICAL_ERRORS, errors, EVALUATE_FILES)
    write_rows(arguments, PREDICTIONS, predictions, CANDIDATE_FILES)
    write_rows(arguments, SCORES, scores, CANDIDATE_FILES)


def _write_comparison(
    arguments: Arguments, compared: Sequence[ComparedSet], rows: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    comparison = {
        "task": arguments.task,
        "run_id": arguments.run_id,
        "sets": {
            name: [{**row, "started_at": row["started_at"].isoformat()} for row in of_set]
            for name, of_set in rows.items()
        },
        "recommended": {each.own.name: each.choice.recommended for each in compared},
        "rules": list(RULES),
        "warnings": [warning for each in compared for warning in each.warnings()],
    }
    _write_json(arguments.output / "comparison.json", comparison)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_job(Arguments, main)
