"""Score a classifier before and after fine-tuning beside floors, and decide whether it may be registered.

    python3 -m training.evaluate_classifier --task adverse_events --run-id abc123 --started-at 2026-01-31T12:00:00Z \\
        --positive-label Adverse_Event --negative-label Not_AE \\
        --prepared DIR --train DIR --validation DIR --base DIR --fine-tuned DIR \\
        [--without-synthetic DIR --synthetic DIR] --training-output DIR --champion DIR --output DIR --tables DIR

Reads what training/evaluate.py reads, of models that classify (training/classifier_predictions.py): `--base` is the
linear probe on the encoder before fine-tuning, `--without-synthetic` the model fine-tuned on the doctors' texts alone,
where the other one saw synthetic texts too; those are in `--synthetic`. The TF-IDF floor is trained on the train split,
and its threshold chosen on the validation split.

Writes what training/evaluate.py writes. Every model is scored, and compared by F1, at its own threshold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.classification_metrics import F1, METRICS
from training.classified_set import (
    Answers,
    ClassifiedSet,
    confusions,
    curve_rows,
    measured_f1,
    prediction_rows,
    score_intervals,
    score_rows,
    score_set,
    score_values,
)
from training.classifier_predictions import read_decision, read_probabilities, truth_of
from training.errors import ArgumentError, EvaluationError
from training.evaluation_inputs import EvaluationRecord, matched_predictions
from training.evaluation_run import ANSWERS_TO_JUDGE, EvaluationOptions, begin, write_evaluation, write_tables
from training.gate import FEWEST, Comparison, Measure, Rule, decide
from training.job import run_job
from training.labels import Labels
from training.splits import read_split
from training.synthetic_examples import SyntheticExamples
from training.table_schemas import (
    ALL_POSITIVE,
    BASE,
    FINE_TUNED,
    PRECISION_RECALL,
    PREDICTIONS,
    SCORES,
    SYNTHETIC_EXAMPLES,
    TFIDF,
    WITHOUT_SYNTHETIC,
)
from training.tfidf_floor import MAX_CHARACTERS, TEXT_CHARACTERS, TfidfFloor

MEASURE = Measure("F1", "positive records")
# Rule -> model, as it is called in a sentence, and what to do where it blocks; in the order in which they are said.
COMPARED = (
    (Rule.FLOOR, TFIDF, "the TF-IDF floor", ""),
    (Rule.FLOOR, ALL_POSITIVE, "the all-positive floor", ""),
    (
        Rule.ALTERNATIVE,
        TFIDF,
        "the TF-IDF floor, which only counts words and trains in seconds",
        "Upload more labelled texts, or set training.epochs or another model in the task file, and start the pipeline "
        "once more.",
    ),
    (Rule.BEFORE, BASE, "the base model", ""),
    (
        Rule.LEFT_OUT,
        WITHOUT_SYNTHETIC,
        "the model trained without synthetic texts",
        "Take synthetic and jobs.generate_examples out of the task file, deploy, and start the pipeline once more.",
    ),
)
NO_CURVE = "There is no training curve: this job was not given the training job's output."


@dataclass(frozen=True, kw_only=True)
class Arguments(EvaluationOptions):
    """`without_synthetic` and `synthetic` are None where no synthetic texts are used."""

    positive_label: str
    negative_label: str
    validation: Path
    base: Path
    without_synthetic: Path | None = None
    synthetic: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.without_synthetic is None) != (self.synthetic is None):
            raise ArgumentError("without_synthetic and synthetic belong together: give both or neither")
        _ = self.labels

    @property
    def labels(self) -> Labels:
        return Labels(self.positive_label, self.negative_label)

    @property
    def asked(self) -> dict[str, Path]:
        """Model -> folder of its predictions."""
        folders = {BASE: self.base, FINE_TUNED: self.fine_tuned, WITHOUT_SYNTHETIC: self.without_synthetic}
        return {model: folder for model, folder in folders.items() if folder is not None}


def main(arguments: Arguments) -> None:
    """Evaluate one run.

    Raises:
        EvaluationError: the inputs do not fit together.
    """
    prepared = begin(arguments, arguments.asked)
    floor = _learn_floor(arguments)
    sets = [_score(arguments, name, records, floor) for name, records in prepared.sets.items()]
    decision = decide([comparison for one in sets for comparison in _comparisons(one, arguments)], MEASURE)
    synthetic = None if arguments.synthetic is None else SyntheticExamples(arguments.synthetic)
    write_tables(
        arguments,
        {
            SYNTHETIC_EXAMPLES: synthetic.rows(arguments.started) if synthetic else (),
            PREDICTIONS: (row for one in sets for row in prediction_rows(one)),
            SCORES: (row for one in sets for row in score_rows(one, arguments.run_id, arguments.started)),
            PRECISION_RECALL: (row for one in sets for row in curve_rows(one)),
        },
    )
    write_evaluation(
        arguments,
        prepared.report,
        decision,
        [
            *(warning for one in sets for warning in _warnings(one)),
            *_floor_warnings(floor),
            *(synthetic.report["warnings"] if synthetic else []),
            *([NO_CURVE] if arguments.training_output is None else []),
        ],
        scores={one.name: score_values(one) for one in sets},
        intervals={one.name: score_intervals(one) for one in sets},
        confusion={one.name: confusions(one) for one in sets},
        classes={one.name: one.classes for one in sets},
        synthetic={name: synthetic.report[name] for name in ("asked", "kept", "dropped")} if synthetic else {},
        thresholds={model: answers.threshold for model, answers in sets[0].models.items()},
    )


def _learn_floor(arguments: Arguments) -> TfidfFloor:
    """Train the TF-IDF floor and choose its threshold, each on its split.

    Raises:
        EvaluationError: a split lacks a label that it needs, or holds another.
    """
    splits = []
    for name, folder in (("train", arguments.train), ("validation", arguments.validation)):
        records = list(read_split(folder))
        truth = truth_of(records, arguments.labels, f"the {name} split")
        splits.append(([record.input for record in records], truth))
    training, validation = splits
    if not validation[1].any():
        raise EvaluationError(
            f"the validation split holds no text labelled {arguments.labels.positive}, so no threshold can be chosen; "
            "upload more texts with it"
        )
    floor = TfidfFloor(*training)
    floor.choose_threshold(*validation)
    return floor


def _score(arguments: Arguments, name: str, records: Sequence[EvaluationRecord], floor: TfidfFloor) -> ClassifiedSet:
    models = {}
    for model, folder in arguments.asked.items():
        decision = read_decision(folder, arguments.labels, model)
        found = read_probabilities(folder, name, model, decision)
        models[model] = Answers(np.array(matched_predictions(found, records, name, model)), decision.threshold)
    models[TFIDF] = Answers(floor.probabilities([record.input for record in records]), floor.threshold)
    models[ALL_POSITIVE] = Answers(np.ones(len(records)), 1.0)
    truth = truth_of(records, arguments.labels, f"evaluation set {name}")
    scored = score_set(name, records, truth, arguments.labels, models, arguments.seed)
    f1 = {model: found[F1].value for model, found in scored.scores.items()}
    shown = ", ".join(f"{model} {'undefined' if value is None else f'{value:.3f}'}" for model, value in f1.items())
    print(f"set {name}: {len(records)} records, {truth.sum()} positive, F1 {shown}", flush=True)
    return scored


def _comparisons(scored: ClassifiedSet, arguments: Arguments) -> Iterator[Comparison]:
    ours = scored.models[FINE_TUNED]
    measured = {
        model: measured_f1(scored.truth, ours, answers, arguments.seed)
        for model, answers in scored.models.items()
        if model != FINE_TUNED
    }
    for rule, model, other, hint in COMPARED:
        if model in measured:
            yield Comparison(rule, scored.name, other, measured[model], hint)
    champion = arguments.in_service
    if champion is not None:
        # It was asked in an earlier run, so perhaps only some of the records.
        decision = read_decision(champion, arguments.labels, "champion")
        found = read_probabilities(champion, scored.name, "champion", decision)
        shared = [i for i, record in enumerate(scored.records) if record.id in found]
        theirs = Answers(np.array([found[scored.records[i].id] for i in shared]), decision.threshold)
        in_service = measured_f1(scored.truth[shared], ours.at(shared), theirs, arguments.seed)
        yield Comparison(Rule.IN_SERVICE, scored.name, "the model in service", in_service)


def _warnings(scored: ClassifiedSet) -> Iterator[str]:
    """What a reader of the scores must know besides them."""
    name, count, positive = scored.name, len(scored.records), scored.labels.positive
    positives = scored.classes[positive]
    undefined = [metric for metric in METRICS if scored.scores[FINE_TUNED][metric].value is None]
    if undefined:
        only = positive if positives else scored.labels.negative
        decides = "" if positives else " It decides nothing."
        yield f"Set {name}: all texts are labelled {only}, so these are not defined: {', '.join(undefined)}.{decides}"
    if 0 < positives < FEWEST:
        yield (
            f"Set {name}: only {positives} of {count} texts are labelled {positive}; a decision needs {FEWEST}, and "
            "scores of so few may be chance."
        )
    for model in (BASE, FINE_TUNED, WITHOUT_SYNTHETIC):
        if model in scored.models and count >= ANSWERS_TO_JUDGE:
            yield from _one_answer(scored, model)
    missed = int((scored.truth & ~scored.models[FINE_TUNED].called).sum())
    if missed:
        yield (
            f"Set {name}: the fine-tuned model misses {missed} of {positives} ({missed / positives:.1%}) texts that "
            f"report {positive}."
        )


def _one_answer(scored: ClassifiedSet, model: str) -> Iterator[str]:
    """Of a model that gives one answer to all, unless that is right."""
    called = scored.models[model].called
    for label, says_so, right in (
        (scored.labels.positive, called, scored.truth),
        (scored.labels.negative, ~called, ~scored.truth),
    ):
        if says_so.all() and not right.all():
            yield f"Set {scored.name}: the {model} model calls all {len(called)} texts {label}."


def _floor_warnings(floor: TfidfFloor) -> Iterator[str]:
    if floor.left_out:
        yield (
            f"The TF-IDF floor was trained without {floor.left_out} training texts: it reads at most "
            f"{MAX_CHARACTERS:,} characters in all."
        )
    if floor.cut_off:
        yield f"Of {floor.cut_off} training texts the TF-IDF floor read only the first {TEXT_CHARACTERS:,} characters."


if __name__ == "__main__":
    run_job(Arguments, main)
