"""The trainer: what this project does differently from transformers' own Trainer, and why.

- batches of similar length, in an order that a resumed training repeats exactly;
- the loss is the mean over all labels of an optimiser step (the target tokens of a text, or the class of each), however
  they lie in batches and on GPUs;
- the validation loss likewise, so that it does not depend on the batch size, and without what only training needs;
- a time budget that the learning rate schedule knows of.

What is particular to a kind of model is in training/summary_tuner.py and training/classifier_tuner.py.
"""

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Subset
from transformers import Trainer, TrainerCallback

from training.errors import ModelError
from training.token_store import IGNORED, LengthGroupedSampler, TokenStore

# Shares of the peak learning rate, by the share of the training that is done after warm-up, in [0, 1].
LR_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda _done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}


class TrainingClock:
    """Seconds of training, with those before an interruption, the same in every process.

    `max_seconds` 0 means no budget. The time is read once a step, by the first process for all: a schedule that
    differed between processes would pull their copies of the model apart.
    """

    def __init__(self, max_seconds: float) -> None:
        self.max_seconds = max_seconds
        self.seconds = 0.0
        self._began = time.monotonic()

    def start(self, already: float) -> None:
        self._began = time.monotonic() - already
        self.seconds = already

    def read(self, device: torch.device) -> None:
        seconds = time.monotonic() - self._began
        if self.max_seconds and torch.distributed.is_initialized():
            shared = torch.tensor(seconds, device=device)
            torch.distributed.broadcast(shared, src=0)
            seconds = shared.item()
        self.seconds = seconds

    @property
    def share(self) -> float:
        """Share of the budget that is used, at most 1; 0 without a budget."""
        return min(1.0, self.seconds / self.max_seconds) if self.max_seconds else 0.0


class FineTuner(Trainer):
    """`collator` makes a batch of the stores' items, with "labels"; `lr_schedule` is one of LR_SCHEDULES."""

    def __init__(
        self,
        *,
        model: Any,
        tokenizer: Any,
        train_store: TokenStore,
        validation_store: TokenStore,
        collator: Callable[..., dict[str, torch.Tensor]],
        loss: "StepMeanLoss",
        clock: TrainingClock,
        lr_schedule: str,
        warmup_ratio: float,
        **rest: Any,
    ) -> None:
        by_length = validation_store.by_length(np.arange(len(validation_store)))
        super().__init__(
            model=model,
            processing_class=tokenizer,
            train_dataset=train_store,
            eval_dataset=Subset(validation_store, by_length.tolist()),
            data_collator=collator,
            compute_loss_func=loss,
            **rest,
        )
        # The loss is that of the whole optimiser step already. transformers 5.3 has accelerate divide it once more.
        self.accelerator.gradient_accumulation_steps = 1
        self.clock = clock
        self.lr_scheduler: LambdaLR | None
        self.control: Any
        self.schedule = LR_SCHEDULES[lr_schedule]
        self.warmup_ratio = warmup_ratio
        self.sampler = LengthGroupedSampler(
            train_store, self.args.per_device_train_batch_size * self.args.world_size, self.args.seed
        )

    def _get_train_sampler(self, train_dataset: Any = None) -> LengthGroupedSampler:  # noqa: ARG002  # theirs
        return self.sampler

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
        """Progress is the larger of the shares of steps and of seconds, so the rate is down when either ends."""

        def factor(step: int) -> float:
            progress = min(1.0, max(step / num_training_steps, self.clock.share))
            if progress < self.warmup_ratio:
                return (progress + 1 / num_training_steps) / (self.warmup_ratio + 1 / num_training_steps)
            return self.schedule((progress - self.warmup_ratio) / (1.0 - self.warmup_ratio))

        if self.lr_scheduler is None:
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, factor)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def log(self, logs: dict[str, float], *args: Any) -> None:
        if "loss" in logs:
            logs["loss"] = self.compute_loss_func.pop_mean(self.accelerator)
        super().log(logs, *args)

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Scores of the validation split: `eval_loss` in nats a label, and what else the best model is chosen by."""

    def validation_outputs(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Logits in fp32 and labels of each validation batch of this process."""
        self.model.eval()
        for batch in self.get_eval_dataloader():
            batch = self._prepare_inputs(batch)
            labels = batch.pop("labels")
            with torch.no_grad():
                logits = self.model(**batch).logits.float()
            yield logits, labels

    def evaluate(self, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        """What `validate` finds, logged.

        Raises:
            ModelError: the loss is not a finite number: training diverged.
        """
        metrics = self.validate()
        if not math.isfinite(metrics["eval_loss"]):
            raise ModelError(
                f"training diverged: the validation loss is {metrics['eval_loss']} at step {self.state.global_step}; "
                "lower learning_rate or lengthen warmup_ratio"
            )
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class EpochOrder(TrainerCallback):
    """Tells the sampler which epoch begins; accelerate does so only in some of its versions and wrappings."""

    def __init__(self, sampler: LengthGroupedSampler) -> None:
        self._sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self._sampler.set_epoch(int(state.epoch or 0))


class StepMeanLoss:
    """A loss in nats, summed over labels and divided by those of the whole optimiser step.

    Also keeps sum and count for the log: the mean of the steps' means would show batches of short targets, which are
    easy, as large as those of long ones, and training would seem better than validation from the start.
    """

    def __init__(self) -> None:
        self._nats: Any = 0.0
        self._labels: Any = 0

    @abstractmethod
    def sum(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of `logits` (labels, classes) in fp32 and `labels` (labels,), summed."""

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor) -> torch.Tensor:
        counted = labels != IGNORED  # in a batch padding may be most of the places, and of the computing
        nats = self.sum(outputs.logits[counted].float(), labels[counted])
        self._nats += nats.detach()
        self._labels += counted.sum()
        return nats / num_items_in_batch

    def pop_mean(self, accelerator: Any) -> float:
        """Mean over all labels of all processes since the last call."""
        nats, labels = accelerator.reduce((self._nats, self._labels), reduction="sum")
        self._nats, self._labels = 0.0, 0
        return float(nats / labels)
