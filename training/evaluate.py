"""Score the model before and after fine-tuning beside trivial floors, and decide whether it may be registered.

    python3 -m training.evaluate --task radiology_impressions --run-id abc123 --started-at 2026-01-31T12:00:00Z \\
        --prepared DIR --train DIR --pretrained DIR --fine-tuned DIR --training-output DIR --champion DIR \\
        [--similar DIR] --output DIR --tables DIR --seed 1

Reads `eval/` and `report/` of Prepare (`--prepared`), the train split (`--train`) and the index of its records
(`--similar`; left out, it is built) for the floors, both models' predictions, the predictions of the model in service
(`--champion`; a folder without any means that there is none) and `output.tar.gz` of the training job
(`--training-output`; left out where the training script leaves no curve).

Writes `evaluation.json`, `arguments.json` and what the floors answered (`answers/<floor>/<set>/part-*.jsonl`) to
`--output`, and below `--tables` this run's file of each table in
EVALUATED (training/table_schemas.py), those of all but `scores` a second time in the partition of the newest run.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.errors import ArgumentError
from training.evaluation_inputs import EvaluationRecord, matched_predictions, read_predictions
from training.evaluation_run import (
    EvaluationOptions,
    begin,
    long_input_warnings,
    write_evaluation,
    write_tables,
)
from training.floor_answers import floor_answers, write_floor_answers
from training.floors import Floors
from training.gate import Comparison, Measure, Measured, Rule, decide
from training.job import run_job
from training.rouge import ROUGE_L, rouge_scores
from training.scored_set import (
    ScoredSet,
    abnormal_summary,
    answer_warnings,
    mean_scores,
    prediction_rows,
    score_rows,
    score_set,
    similar_rows,
)
from training.table_schemas import (
    CONSENSUS,
    CONSTANT,
    FINE_TUNED,
    LEAD,
    NEAREST,
    PREDICTIONS,
    PRETRAINED,
    SCORES,
    SIMILAR_REPORTS,
)

MEASURE = Measure("ROUGE-L", "records")
FLOOR_NAMES = {
    CONSTANT: "the constant-answer floor",
    LEAD: "the lead-sentences floor",
    NEAREST: "the nearest-report floor",
    CONSENSUS: "the consensus floor",
}
SERVE_CONSENSUS = (
    "To serve the consensus itself, set generation.method to consensus in the task file, deploy, and start the "
    "pipeline once more."
)
NO_CURVE = (
    "There is no training curve: JumpStart's script leaves none. Its losses are in CloudWatch, under the names of the "
    "task's metrics."
)


@dataclass(frozen=True, kw_only=True)
class Arguments(EvaluationOptions):
    """`similar` is the index of the train split, which is built where it is not given; with `retrieval` the task's
    model is shown similar reports, so that their consensus can be served in its place. `workers` processes share the
    scoring of many pairs; None means one a core."""

    pretrained: Path
    similar: Path | None = None
    retrieval: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers is not None and self.workers < 1:
            raise ArgumentError(f"workers must be >= 1, got {self.workers}")

    @property
    def asked(self) -> dict[str, Path]:
        """Model -> folder of its predictions."""
        return {PRETRAINED: self.pretrained, FINE_TUNED: self.fine_tuned}

    @property
    def processes(self) -> int:
        return self.workers or os.cpu_count() or 1


def main(arguments: Arguments) -> None:
    """Evaluate one run.

    Raises:
        EvaluationError: the inputs do not fit together.
    """
    prepared = begin(arguments, arguments.asked)
    floors = Floors.learn(arguments.train, arguments.similar)
    scored_sets = [_score(arguments, name, records, floors) for name, records in prepared.sets.items()]
    champion = arguments.in_service
    decision = decide(
        [comparison for scored in scored_sets for comparison in _comparisons(scored, champion, arguments)], MEASURE
    )
    started, seed = arguments.started, arguments.seed
    write_tables(
        arguments,
        {
            PREDICTIONS: (row for scored in scored_sets for row in prediction_rows(scored)),
            SIMILAR_REPORTS: (row for scored in scored_sets for row in similar_rows(scored)),
            SCORES: (row for scored in scored_sets for row in score_rows(scored, arguments.run_id, started, seed)),
        },
    )
    warnings = [
        warning
        for scored in scored_sets
        for warning in (*_warnings(scored), *long_input_warnings(scored.name, arguments.asked))
    ]
    write_evaluation(
        arguments,
        prepared.report,
        decision,
        [*warnings, *([NO_CURVE] if arguments.training_output is None else [])],
        scores={scored.name: mean_scores(scored) for scored in scored_sets},
        abnormal={scored.name: abnormal_summary(scored) for scored in scored_sets},
    )


def _score(arguments: Arguments, name: str, records: Sequence[EvaluationRecord], floors: Floors) -> ScoredSet:
    predictions: dict[str, list[str]] = {}
    for model, folder in arguments.asked.items():
        predictions[model] = matched_predictions(read_predictions(folder, name, model), records, name, model)
    inputs = [record.input for record in records]
    similar = floors.similar(inputs)
    trivial = floors.predictions(inputs, similar)
    for floor, texts in trivial.items():
        write_floor_answers(floor_answers(arguments.output, floor) / name, records, texts)
    predictions |= trivial
    # Without retrieval no answer rested on them; the floors alone look.
    scored = score_set(name, records, predictions, arguments.processes, similar if arguments.retrieval else None)
    scores = ", ".join(f"{model} {answers.rouge_l.mean():.3f}" for model, answers in scored.models.items())
    print(f"set {name}: {len(records)} records, ROUGE-L {scores}", flush=True)
    return scored


def _comparisons(scored: ScoredSet, champion: Path | None, arguments: Arguments) -> Iterator[Comparison]:
    seed = arguments.seed
    rouge_l = {model: answers.rouge_l for model, answers in scored.models.items()}
    ours = rouge_l[FINE_TUNED]
    for floor, other in FLOOR_NAMES.items():
        yield Comparison(Rule.FLOOR, scored.name, other, Measured.means(ours, rouge_l[floor], seed))
    if scored.similar is not None:
        # Without any similar report the consensus is no answer: served instead, it would leave that to the model too.
        agreed = np.array([bool(reports) for reports in scored.similar])
        measured = Measured.means(ours[agreed], rouge_l[CONSENSUS][agreed], seed)
        other = "the consensus of similar reports, which needs no model"
        yield Comparison(Rule.ALTERNATIVE, scored.name, other, measured, SERVE_CONSENSUS)
    before = Measured.means(ours, rouge_l[PRETRAINED], seed)
    yield Comparison(Rule.BEFORE, scored.name, "the pre-trained model", before)
    if champion is not None:
        measured = _against_champion(scored, champion, arguments)
        yield Comparison(Rule.IN_SERVICE, scored.name, "the model in service", measured)


def _against_champion(scored: ScoredSet, champion: Path, arguments: Arguments) -> Measured | None:
    """The champion was asked in an earlier run, so perhaps only some of the records."""
    predictions = read_predictions(champion, scored.name, "champion")
    shared = [i for i, record in enumerate(scored.records) if record.id in predictions]
    pairs = [(predictions[scored.records[i].id], scored.records[i].target) for i in shared]
    rouge_l = rouge_scores(pairs, arguments.processes)[:, ROUGE_L]
    return Measured.means(scored.models[FINE_TUNED].rouge_l[shared], rouge_l, arguments.seed)


def _warnings(scored: ScoredSet) -> Iterator[str]:
    """What a reader of the scores must know besides them."""
    for model in (PRETRAINED, FINE_TUNED):
        yield from answer_warnings(scored, model, f"the {model} model")
    missed = scored.models[FINE_TUNED].read_as_normal[scored.said_abnormal]
    if missed.any():
        yield (
            f"Set {scored.name}: the fine-tuned model answers {missed.sum()} of {missed.size} abnormal records "
            f"({missed.mean():.1%}) as if they were normal."
        )


if __name__ == "__main__":
    run_job(Arguments, main)
