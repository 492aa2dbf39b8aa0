"""Asking a classifier for whole sets of records, and what it leaves of them for Evaluate.

<set>/part-*.jsonl    {"id", "prediction": label, "probability": of the positive label, in [0, 1]}
decision.json         {"positive", "negative", "threshold"}
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from training.classifier_predictions import DECISION_FILE
from training.evaluation_answers import PoolAnswers, answer_parts, pools
from training.labelled_splits import check_both_labels, class_number
from training.labels import POSITIVE, Decision
from training.splits import Record, read_split
from training.statistics import BoolArray, FloatArray
from training.text_windows import Reading


class Classifier(Protocol):
    """What tells two labels apart, however it does; it reads `max_input_tokens` of a text at once."""

    @property
    def decision(self) -> Decision: ...

    @property
    def max_input_tokens(self) -> int: ...

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as it reads them, in their order."""

    def probabilities(self, readings: Sequence[Reading], batch_size: int) -> FloatArray:
        """Probability of the positive label of each text (texts,)."""


def write_classified_sets(classifier: Classifier, parts: Sequence[Path], output: Path, batch_size: int) -> None:
    """Classify the records of `parts`. `batch_size` is in windows of a text, most of which have one.

    Raises:
        UploadError: a line is not a record.
        ModelError: the model answers with something that is no number.
    """
    decision = classifier.decision
    output.mkdir(parents=True, exist_ok=True)
    content = json.dumps(dataclasses.asdict(decision), indent=2, sort_keys=True) + "\n"
    (output / DECISION_FILE).write_text(content, encoding="utf-8")

    def answer(pool: Sequence[Record]) -> PoolAnswers:
        readings = classifier.read([record.input for record in pool])
        found = classifier.probabilities(readings, batch_size).tolist()
        lines = [{"prediction": decision.label(probability), "probability": probability} for probability in found]
        return PoolAnswers(lines, [(reading.tokens, len(reading.windows)) for reading in readings])

    long = f"texts longer than {classifier.max_input_tokens} tokens were read in windows"
    answer_parts(parts, output, batch_size, answer, long)


def ask_validation(classifier: Classifier, split: Path, batch_size: int) -> tuple[BoolArray, FloatArray]:
    """Of every validation record whether it is positive, and the probability that it is (records,): what a threshold is
    chosen by, asked as the evaluation sets are.

    Raises:
        UploadError: a label is missing or another one is there, or a line is not a record.
        ModelError: the model answers with something that is no number.
    """
    labels = classifier.decision.labels
    truth, found = np.empty(0, dtype=np.bool_), np.empty(0)
    for pool in pools(read_split(split), batch_size):
        positive = [class_number(record, labels) == POSITIVE for record in pool]
        readings = classifier.read([record.input for record in pool])
        truth = np.append(truth, positive)
        found = np.append(found, classifier.probabilities(readings, batch_size))
    check_both_labels("validation", [int((~truth).sum()), int(truth.sum())], labels)
    return truth, found
