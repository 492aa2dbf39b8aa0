"""The trainer of models that write text: its loss is over target tokens, its best model that of the lowest one."""

from typing import Any

import torch
from torch.nn.functional import cross_entropy

from training.fine_tuner import FineTuner, StepMeanLoss
from training.token_store import IGNORED, PairCollator


class SummaryTuner(FineTuner):
    """Trains with `label_smoothing` in [0, 1) and validates without."""

    def __init__(self, *, model: Any, tokenizer: Any, label_smoothing: float, **rest: Any) -> None:
        super().__init__(
            model=model,
            tokenizer=tokenizer,
            collator=PairCollator(tokenizer, model),
            loss=TokenMeanLoss(label_smoothing),
            **rest,
        )

    def validate(self) -> dict[str, float]:
        """Mean cross-entropy over all target tokens of the validation split, in nats."""
        nats = tokens = 0.0
        for logits, labels in self.validation_outputs():
            sums = cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
            counts = (labels != IGNORED).sum(1)
            # A record that fills up the last batch of another process is left out here.
            sums, counts = self.accelerator.gather_for_metrics((sums, counts))
            nats += sums.sum().item()
            tokens += counts.sum().item()
        return {"eval_loss": nats / tokens}


class TokenMeanLoss(StepMeanLoss):
    """Cross-entropy over target tokens."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self._label_smoothing = label_smoothing

    def sum(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return cross_entropy(logits, labels, reduction="sum", label_smoothing=self._label_smoothing)
