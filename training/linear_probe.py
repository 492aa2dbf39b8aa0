"""The model before fine-tuning, as a classifier: the encoder as it comes, and a logistic regression on what it says.

    python3 -m training.linear_probe --model DIR --train DIR --validation DIR --evaluation DIR --output DIR
        --positive-label Adverse_Event --negative-label Not_AE --max-seq-length 128

An encoder cannot be asked for labels before something is trained, and this is the least: the encoder stays as it is,
and only weights over the mean of its last hidden states, standardised, are fitted to the train split. What fine-tuning
gives beyond that is what it is worth. The threshold is chosen on the validation split, as the fine-tuned model's is.

Reads a model directory, two splits and the evaluation sets as Prepare writes them. Writes `<set>/part-*.jsonl` with
{"id", "prediction", "probability"}, and decision.json (training/classifier_answers.py). A text longer than
`--max-seq-length` is read in windows (training/text_windows.py), and the mean is over all of them.

Of the train split at most `--max-train-texts` are learnt from, drawn by their ids, which are hashes; only what the
encoder makes of them is kept (20,000 texts of width 768: 120 MB), so memory does not grow with the data.
"""

import dataclasses
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers.utils import logging as transformers_logging

from training.classification_metrics import choose_threshold
from training.classifier_answers import ask_validation, write_classified_sets
from training.errors import ArgumentError
from training.evaluation_answers import evaluation_parts, pools
from training.frozen_encoder import FrozenEncoder
from training.job import run_job, save_arguments
from training.labelled_splits import check_both_labels, class_number
from training.labels import POSITIVE, Decision, Labels
from training.model_directory import unpacked_model
from training.splits import Record, read_split
from training.statistics import FloatArray
from training.text_windows import Reading

# How little large weights are penalised; on held-out articles .01 to .1 differed by .005 of average precision.
_INVERSE_PENALTY = 0.03


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`max_seq_length` is in tokens, with what the tokenizer adds; `batch_size` in windows of a text, most of which
    have one."""

    model: Path
    train: Path
    validation: Path
    evaluation: Path
    output: Path
    positive_label: str
    negative_label: str
    max_seq_length: int = 128
    max_train_texts: int = 20_000
    batch_size: int = 64
    message_file: Path | None = None

    def __post_init__(self) -> None:
        for name, least in (("max_seq_length", 4), ("max_train_texts", 2), ("batch_size", 1)):
            if getattr(self, name) < least:
                raise ArgumentError(f"{name} must be >= {least}, got {getattr(self, name)}")
        _ = self.labels

    @property
    def labels(self) -> Labels:
        return Labels(self.positive_label, self.negative_label)


@dataclass(frozen=True)
class LinearProbe:
    """A frozen encoder, and `weights` fitted to what it says."""

    encoder: FrozenEncoder
    weights: Any
    decision: Decision

    @property
    def max_input_tokens(self) -> int:
        return self.encoder.max_input_tokens

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as token ids, in their order, whole."""
        return self.encoder.read(texts)

    def probabilities(self, readings: Sequence[Reading], batch_size: int) -> FloatArray:
        """Probability of the positive label of each text (texts,)."""
        found: FloatArray = self.weights.predict_proba(self.encoder.features(readings, batch_size))[:, POSITIVE]
        return found


def main(arguments: Arguments) -> None:
    """Fit, and classify.

    Raises:
        UploadError: a split lacks one of the labels or holds another, or a line of it is not a record.
        ModelError: the encoder cannot be loaded.
        EvaluationError: there is no evaluation set.
    """
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()  # that the encoder lacks a head for these labels is as it should be
    parts = evaluation_parts(arguments.evaluation)
    save_arguments(arguments, arguments.output / "arguments.json")
    with unpacked_model(arguments.model) as directory:
        encoder = FrozenEncoder.load(directory, arguments.labels, arguments.max_seq_length)
    probe = _fit(arguments, encoder)
    truth, probabilities = ask_validation(probe, arguments.validation, arguments.batch_size)
    decision = dataclasses.replace(probe.decision, threshold=choose_threshold(truth, probabilities))
    print(f"threshold: {decision.threshold:.4f}, chosen by {len(truth)} validation texts", flush=True)
    write_classified_sets(dataclasses.replace(probe, decision=decision), parts, arguments.output, arguments.batch_size)


def _fit(arguments: Arguments, encoder: FrozenEncoder) -> LinearProbe:
    """A probe that was fitted to the train split, with no threshold of its own yet."""
    labels = arguments.labels
    features, truth = [], np.empty(0, dtype=np.bool_)
    for pool in pools(_draw(arguments.train, arguments.max_train_texts), arguments.batch_size):
        truth = np.append(truth, [class_number(record, labels) == POSITIVE for record in pool])
        readings = encoder.read([record.input for record in pool])
        features.append(encoder.features(readings, arguments.batch_size))
    counts = [int((~truth).sum()), int(truth.sum())]
    check_both_labels("train", counts, labels)
    print(f"train: {counts[1]} {labels.positive}, {counts[0]} {labels.negative}", flush=True)
    weights = make_pipeline(StandardScaler(), LogisticRegression(C=_INVERSE_PENALTY, max_iter=1000))
    weights.fit(np.concatenate(features), truth)
    return LinearProbe(encoder, weights, Decision(positive=labels.positive, negative=labels.negative))


def _draw(split: Path, count: int) -> Iterator[Record]:
    """At most `count` records: those with the lowest ids, so the same ones every time. Only ids are held."""
    lowest = set(heapq.nsmallest(count, (record.id for record in read_split(split))))
    left_out = 0
    for record in read_split(split):
        if record.id in lowest:
            yield record
        else:
            left_out += 1
    print(f"train: {len(lowest)} texts are learnt from, drawn by their ids; {left_out} are left out", flush=True)


if __name__ == "__main__":
    run_job(Arguments, main)
