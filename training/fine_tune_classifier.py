"""Fine-tune an encoder to tell two labels apart: all parameters, best model by average precision on validation.

    python3 -m training.fine_tune_classifier --positive_label Adverse_Event --negative_label Not_AE --epochs 3 ...

Started by SageMaker's training toolkit as training/fine_tune.py is, with the same channels and the same output: the
model directory of the best model in `model_dir`, training_curve.jsonl and arguments.json in `output_data_dir`, and
checkpoints, from the newest of which a killed training goes on. Reads two splits as Prepare writes them, whose targets
are labels, and in channel `synthetic`, if there is one, what training/generate_examples.py wrote: it is trained on, and
chooses neither model nor threshold. Where a search tries several encoders, each lies in a channel of its own beside
`model`, or in place of it, and `--model_name` says which one to start from (training/channels.py).

At the end it chooses the threshold on the validation records, stores it with the model, and prints the best model's
scores once more: `f1: 0.7134, ...` is the last line of that form, which is what a search over settings goes by.
"""

import dataclasses
import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainingArguments

from training.channels import channel_of
from training.classification_metrics import METRICS, choose_threshold, scores
from training.classifier_answers import ask_validation
from training.classifier_tuner import (
    BALANCED,
    CLASS_WEIGHTS,
    CROSS_ENTROPY,
    FOCAL,
    LOSSES,
    NONE,
    SHOWN,
    ClassifierTuner,
    ClassLoss,
    balanced_weights,
    metric_line,
)
from training.errors import ArgumentError
from training.fine_tuner import TrainingClock
from training.job import run_job
from training.labelled_splits import check_both_labels
from training.labels import Decision, Labels
from training.mean_pooled import FIRST, MEAN, POOLINGS, mean_pooled
from training.model_directory import ModelCard, finish_model_directory, read_model_card, unpacked_model
from training.prompt import PLACEHOLDER
from training.splits import Record, read_split
from training.text_classifier import TextClassifier, check_length, load_encoder
from training.token_store import TokenStore, build_token_store
from training.training_run import (
    TrainingOptions,
    begin,
    cut_off,
    fine_tuned_card,
    optional_path,
    run_training,
    sagemaker_path,
    save_warnings,
    say,
    trainer_arguments,
    training_identity,
)


def _model_channel() -> Path:
    """Where channel `model` lies, or would lie if there were one: a search over encoders need not have it."""
    train = os.environ.get("SM_CHANNEL_TRAIN")
    if "SM_CHANNEL_MODEL" in os.environ or train is None:
        return sagemaker_path("SM_CHANNEL_MODEL")
    return Path(train).parent / "model"


@dataclass(frozen=True, kw_only=True)
class Arguments(TrainingOptions):
    """`model_name` is one of several encoders that lie beside `model`, None for `model` itself. `max_seq_length` is in
    tokens and covers the whole text with what the tokenizer adds.

    `class_weight` balanced makes both labels count alike, however rare one is. `loss` focal lets records count less
    that the model gets right already, the less the larger `focal_gamma` (0 to 5). `pooling` says what the classifier
    looks at (training/mean_pooled.py).
    """

    synthetic: Path | None = field(default_factory=partial(optional_path, "SM_CHANNEL_SYNTHETIC"))
    positive_label: str
    negative_label: str
    model: Path = field(default_factory=_model_channel)
    model_name: str | None = None
    max_seq_length: int = 128
    train_batch_size: int = 16
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    evaluations_per_epoch: int = 1
    pooling: str = FIRST
    class_weight: str = NONE
    loss: str = CROSS_ENTROPY
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("max_seq_length", self.max_seq_length >= 4, ">= 4")
        self._require("pooling", self.pooling in POOLINGS, f"one of {', '.join(POOLINGS)}")
        self._require("class_weight", self.class_weight in CLASS_WEIGHTS, f"one of {', '.join(CLASS_WEIGHTS)}")
        self._require("loss", self.loss in LOSSES, f"one of {', '.join(LOSSES)}")
        self._require("focal_gamma", 0 <= self.focal_gamma <= 5, "between 0 and 5")
        _ = self.labels
        if self.model_name is not None:
            channel_of(self.model_name)

    @property
    def labels(self) -> Labels:
        return Labels(self.positive_label, self.negative_label)

    @property
    def encoder(self) -> Path:
        """Where the encoder to start from lies.

        Raises:
            ArgumentError: there is no channel of that name.
        """
        if self.model_name is None:
            return self.model
        channels = self.model.parent
        if not (folder := channels / channel_of(self.model_name)).is_dir():
            there = ", ".join(sorted(path.name for path in channels.glob("*/"))) or "none"
            raise ArgumentError(f"model_name {self.model_name}: there is no channel {folder.name}, only {there}")
        return folder


def main(arguments: Arguments) -> None:
    """Train, and leave the best model in `model_dir`.

    Raises:
        UploadError: a split is empty, lacks one of the labels or holds another, or a line of it is not a record.
        ModelError: the encoder cannot be loaded, a checkpoint belongs to another training, or training diverged.
    """
    begin(arguments, "training.fine_tune_classifier")
    with unpacked_model(arguments.encoder) as directory, tempfile.TemporaryDirectory(prefix="tokens-") as tokens:
        base_card = read_model_card(directory)
        model, tokenizer, untrained = load_encoder(directory, torch.float32, arguments.labels)
        if arguments.pooling == MEAN:
            model = mean_pooled(model)
        check_length(model, tokenizer, arguments.max_seq_length)
        say(f"{model.num_parameters():,} parameters; untrained before: {', '.join(untrained) or 'none'}")
        stores = {split: _build_store(arguments, tokenizer, split, Path(tokens)) for split in ("train", "validation")}
        cut = (cut_off(split, store, arguments.max_seq_length) for split, store in stores.items())
        save_warnings(arguments, list(itertools.chain(*cut)))
        trainer = _train(arguments, model, tokenizer, stores, base_card)
        _save(arguments, trainer, base_card)


def _build_store(arguments: Arguments, tokenizer: Any, split: str, folder: Path) -> TokenStore:
    """Tokenise a split. Says how many texts are cut off; refuses a split without both labels."""
    store = build_token_store(
        _records(arguments, split),
        tokenizer,
        folder / split,
        prompt_template=PLACEHOLDER,
        max_input_tokens=arguments.max_seq_length,
        max_target_tokens=1,
        labels=arguments.labels,
    )
    counts = _class_counts(store)
    check_both_labels(split, counts, arguments.labels)
    positive, negative = arguments.labels.positive, arguments.labels.negative
    say(
        f"{split}: {counts[1]} {positive}, {counts[0]} {negative}, {store.input_lengths.sum()} tokens; cut off: "
        f"{store.truncated_inputs} texts longer than {arguments.max_seq_length} tokens"
    )
    return store


def _records(arguments: Arguments, split: str) -> Iterator[Record]:
    """The records of a split, and behind those of training the synthetic ones."""
    yield from read_split(getattr(arguments, split))
    if split == "train" and arguments.synthetic is not None:
        synthetic = list(read_split(arguments.synthetic))
        say(f"train: {len(synthetic)} of its records are synthetic")
        yield from synthetic


def _class_counts(store: TokenStore) -> list[int]:
    """Records by class number."""
    counts: list[int] = np.bincount([store[place]["labels"][0] for place in range(len(store))], minlength=2).tolist()
    return counts


def _train(
    arguments: Arguments, model: Any, tokenizer: Any, stores: dict[str, TokenStore], base_card: ModelCard
) -> ClassifierTuner:
    """Run the training; the trainer then holds the best model."""
    weights = balanced_weights(_class_counts(stores["train"])) if arguments.class_weight == BALANCED else [1.0, 1.0]
    given = trainer_arguments(arguments, len(stores["train"])) | {
        "metric_for_best_model": "eval_average_precision",
        "greater_is_better": True,
    }
    trainer = ClassifierTuner(
        model=model,
        tokenizer=tokenizer,
        args=TrainingArguments(**given),
        train_store=stores["train"],
        validation_store=stores["validation"],
        loss=ClassLoss(weights, arguments.focal_gamma if arguments.loss == FOCAL else 0.0),
        clock=TrainingClock(arguments.max_seconds),
        lr_schedule=arguments.lr_schedule,
        warmup_ratio=arguments.warmup_ratio,
    )
    run_training(arguments, trainer, training_identity(arguments, stores, base_card))
    return trainer


def _save(arguments: Arguments, trainer: ClassifierTuner, base_card: ModelCard) -> None:
    """Write the model directory, and choose the threshold by asking it as evaluation and the endpoint do: in full
    precision, and long texts to their end."""
    trainer.save_model(str(arguments.model_dir))
    if not trainer.is_world_process_zero():
        return
    (arguments.model_dir / "training_args.bin").unlink(missing_ok=True)  # a pickle, and nothing to serve with
    decision = Decision(positive=arguments.positive_label, negative=arguments.negative_label)
    untold = dataclasses.replace(base_card, max_input_tokens=arguments.max_seq_length, decision=decision)
    finish_model_directory(arguments.model_dir, untold)
    truth, probabilities = ask_validation(
        TextClassifier.load(arguments.model_dir), arguments.validation, arguments.train_batch_size
    )
    threshold = choose_threshold(truth, probabilities)
    found = dict(zip(METRICS, scores(truth, probabilities, threshold), strict=True))
    card = fine_tuned_card(
        arguments,
        base_card,
        arguments.max_seq_length,
        validation={name: found[name] for name in SHOWN},
        best_step=trainer.state.best_global_step,
        steps=trainer.state.global_step,
    )
    decision = dataclasses.replace(decision, threshold=threshold)
    finish_model_directory(
        arguments.model_dir, dataclasses.replace(card, prompt_template=PLACEHOLDER, decision=decision)
    )
    say(f"saved the model of step {trainer.state.best_global_step}; on the validation records:")
    say(metric_line(found, threshold))


if __name__ == "__main__":
    run_job(Arguments, main, Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure")
