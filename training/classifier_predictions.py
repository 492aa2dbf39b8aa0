"""What Evaluate reads of a classifier: the labels of records, and each model's probabilities with its decision.

A model's predictions are `<folder>/<set>/part-*.jsonl`, rows {"id", "prediction": label, "probability": of the positive
label}, and `<folder>/decision.json`, {"positive", "negative", "threshold"}: the same for all of its sets.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.errors import ArgumentError, EvaluationError
from training.evaluation_inputs import EvaluationRecord, folder_lines, refuse_repeated, text_of
from training.labels import Decision, Labels
from training.splits import Record
from training.statistics import BoolArray

DECISION_FILE = "decision.json"


def truth_of(records: Sequence[EvaluationRecord] | Sequence[Record], labels: Labels, what: str) -> BoolArray:
    """Which records are of the positive label (records,); `what` names them in messages.

    Raises:
        EvaluationError: a target is not one of the labels.
    """
    for record in records:
        if record.target not in labels.names:
            raise EvaluationError(
                f"{what}: the target of record {record.id} is not {labels}; run Prepare again with the task's labels"
            )
    return np.array([record.target == labels.positive for record in records], dtype=np.bool_)


def read_decision(folder: Path, labels: Labels, model: str) -> Decision:
    """How `model` turned its probabilities into labels.

    Raises:
        EvaluationError: `decision.json` is missing, is none, or is of other labels than the task's.
    """
    what = f"{DECISION_FILE} beside the predictions of the {model} model"
    try:
        content = json.loads((folder / DECISION_FILE).read_text(encoding="utf-8"))
        written = Labels(str(content["positive"]), str(content["negative"]))
        threshold = _number(content["threshold"])
        decision = Decision(positive=written.positive, negative=written.negative, threshold=threshold)
    except FileNotFoundError as error:
        raise EvaluationError(f"{what} is missing; let that model classify the evaluation sets again") from error
    except (ValueError, KeyError, TypeError, ArgumentError) as error:
        raise EvaluationError(
            f"{what} does not hold two labels and a threshold above 0 and at most 1; let that model classify the "
            "evaluation sets again"
        ) from error
    if decision.labels != labels:
        raise EvaluationError(
            f"{what} is of other labels than the task's, {labels}; let that model classify the evaluation sets again "
            "with these, or, if it is the model in service, reject its model package first"
        )
    return decision


def read_probabilities(folder: Path, evaluation_set: str, model: str, decision: Decision) -> dict[str, float]:
    """What `model` answered on one evaluation set: id -> probability of the positive label, in [0, 1].

    Raises:
        EvaluationError: a line is no prediction of a classifier, its label does not follow from its probability by
            `decision`, or an id stands twice.
    """
    what = f"predictions of the {model} model on set {evaluation_set}"
    rows: list[tuple[str, float]] = []
    for place, row in folder_lines(folder / evaluation_set, what):
        try:
            probability = _number(row.get("probability"))
        except TypeError as error:
            raise EvaluationError(f"{place}: probability is missing or not a number") from error
        if not 0 <= probability <= 1:
            raise EvaluationError(f"{place}: probability is not in [0, 1]")
        label = text_of(place, row, "prediction")
        if label not in decision.labels.names:
            raise EvaluationError(f"{place}: prediction is not a label of the task, {decision.labels}")
        if label != decision.label(probability):
            raise EvaluationError(
                f"{place}: prediction does not follow from probability by the threshold in {DECISION_FILE}; let that "
                "model classify the evaluation sets again"
            )
        rows.append((text_of(place, row, "id"), probability))
    refuse_repeated(what, [record_id for record_id, _ in rows])
    return dict(rows)


def _number(value: object) -> float:
    """Raises TypeError for anything but a number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return float(value)
