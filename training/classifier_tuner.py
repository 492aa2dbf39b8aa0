"""The trainer of classifiers: a loss for rare positives, and the best model by average precision on validation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from training.classification_metrics import (
    AUROC,
    AVERAGE_PRECISION,
    F1,
    METRICS,
    PRECISION,
    RECALL,
    choose_threshold,
    scores,
)
from training.fine_tuner import FineTuner, StepMeanLoss
from training.labels import POSITIVE
from training.statistics import BoolArray, FloatArray
from training.text_classifier import positive_probabilities
from training.training_run import say

CROSS_ENTROPY, FOCAL = LOSSES = "cross_entropy", "focal"
NONE, BALANCED = CLASS_WEIGHTS = "none", "balanced"
SHOWN = (F1, PRECISION, RECALL, AVERAGE_PRECISION, AUROC)


class ClassifierTuner(FineTuner):
    """`loss` is a ClassLoss."""

    def __init__(self, *, tokenizer: Any, **rest: Any) -> None:
        super().__init__(tokenizer=tokenizer, collator=ClassCollator(tokenizer), **rest)

    def validate(self) -> dict[str, float]:
        """Mean cross-entropy in nats, without weights, and the scores at the threshold with the best F1.

        F1 is then of the records that its threshold was chosen on, and a little too good; so the best model is that of
        the best average precision, which has no threshold and moves less from one validation to the next.
        """
        truth, probabilities = self.validated()
        of_truth = np.where(truth, probabilities, 1 - probabilities)
        nats = float(-np.log(np.maximum(of_truth, np.finfo(np.float64).tiny)).mean())
        if not np.isfinite(nats):
            return {"eval_loss": nats}
        threshold = choose_threshold(truth, probabilities)
        found = dict(zip(METRICS, scores(truth, probabilities, threshold), strict=True))
        say(metric_line(found, threshold))
        return {"eval_loss": nats} | {f"eval_{name}": found[name] for name in SHOWN}

    def validated(self) -> tuple[BoolArray, FloatArray]:
        """Of every validation record whether it is positive, and the probability that it is."""
        truth, probabilities = [], []
        for logits, labels in self.validation_outputs():
            # A record that fills up the last batch of another process is left out here.
            logits, labels = self.accelerator.gather_for_metrics((logits, labels))
            truth.append(labels.cpu().numpy() == POSITIVE)
            probabilities.append(positive_probabilities(logits))
        return np.concatenate(truth), np.concatenate(probabilities)


class ClassCollator:
    """Pads a batch to its longest input; "labels" (records,) are the numbers of their classes."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, items: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        inputs = self._tokenizer.pad({"input_ids": [item["input_ids"] for item in items]}, return_tensors="pt")
        return {
            "input_ids": inputs["input_ids"],
            "attention_mask": inputs["attention_mask"],
            "labels": torch.tensor([label for item in items for label in item["labels"]]),
        }


class ClassLoss(StepMeanLoss):
    """Cross-entropy of each record, times the weight of its class, times (1 - p)**gamma for the focal loss.

    p is the probability of the right class: what is right already counts less (Lin et al. 2017). `gamma` 0 is plain
    cross-entropy. `weights` (classes,) are 1 on average over the training records, so that they move no learning rate.
    """

    def __init__(self, weights: Sequence[float], gamma: float) -> None:
        super().__init__()
        self._weights = torch.tensor(weights)
        self._gamma = gamma

    def sum(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        nats = cross_entropy(logits, labels, reduction="none")
        if self._gamma:
            nats = nats * (1 - torch.exp(-nats)) ** self._gamma
        return (nats * self._weights.to(nats.device)[labels]).sum()


def balanced_weights(counts: Sequence[int]) -> list[float]:
    """Weights with which every class counts alike, by their numbers of records; 1 on average over the records."""
    return [sum(counts) / (len(counts) * count) for count in counts]


def metric_line(found: dict[str, float], threshold: float) -> str:
    """`f1: 0.7134, precision: 0.6954, ...`, which SageMaker reads by `f1: ([0-9.]+).*$`."""
    return ", ".join([*(f"{name}: {found[name]:.4f}" for name in SHOWN), f"threshold: {threshold:.4f}"])
