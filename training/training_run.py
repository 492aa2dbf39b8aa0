"""What the scripts that fine-tune share: arguments, how a run begins, goes on from a checkpoint, and is known again.

Each script is a subclass of TrainingOptions with what is particular to its kind of model, and a `main`.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, set_seed
from transformers.utils import logging as transformers_logging

from training.checkpoints import CURVE, newest_checkpoint
from training.distributed import become, torchrun_command
from training.errors import ArgumentError
from training.fine_tuner import LR_SCHEDULES, EpochOrder, FineTuner
from training.job import save_arguments
from training.model_directory import ModelCard
from training.token_store import TokenStore
from training.training_record import TrainingEnd, TrainingRecord, read_curve_seconds

# Beside the curve: one {"warning": str} a line.
WARNINGS = "training_warnings.jsonl"
# Arguments that may differ between a killed training and the one that goes on from its checkpoint.
NOT_IDENTITY = {
    "train",
    "validation",
    "model",
    "similar",
    "synthetic",
    "model_dir",
    "output_data_dir",
    "checkpoints",
    "max_seconds",
    "patience",
    # How answers are decoded: a model that lost to the consensus need not be trained again to serve that.
    "method",
    "num_beams",
    "samples",
    "temperature",
    "max_new_tokens",
    "long_inputs",
}


def sagemaker_path(variable: str) -> Path:
    if variable not in os.environ:
        raise ArgumentError(f"{variable} is not set: give the path as an argument, or run under SageMaker")
    return Path(os.environ[variable])


def optional_path(variable: str) -> Path | None:
    """The path in an environment variable; None where it is not set."""
    return Path(os.environ[variable]) if os.environ.get(variable) else None


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Ranges are checked below.

    `max_seconds` 0 means no time budget; `patience` is how many validations without a better model end training, 0 for
    none; `processes` 0 means one a GPU, or one.
    """

    train: Path = field(default_factory=partial(sagemaker_path, "SM_CHANNEL_TRAIN"))
    validation: Path = field(default_factory=partial(sagemaker_path, "SM_CHANNEL_VALIDATION"))
    model: Path = field(default_factory=partial(sagemaker_path, "SM_CHANNEL_MODEL"))
    model_dir: Path = field(default_factory=partial(sagemaker_path, "SM_MODEL_DIR"))
    output_data_dir: Path = field(default_factory=partial(sagemaker_path, "SM_OUTPUT_DATA_DIR"))
    checkpoints: Path = Path("/opt/ml/checkpoints")
    epochs: float = 3.0
    max_seconds: float = 0.0
    train_batch_size: int = 8
    gradient_accumulation_steps: int = 1
    learning_rate: float = 1e-4
    lr_schedule: str = "linear"
    warmup_ratio: float = 0.03
    weight_decay: float = 0.0
    evaluations_per_epoch: int = 2
    patience: int = 0
    log_every_steps: int = 10
    gradient_checkpointing: bool = False
    processes: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate"):
            self._require(name, getattr(self, name) > 0, "above 0")
        for name in (
            "train_batch_size",
            "gradient_accumulation_steps",
            "evaluations_per_epoch",
            "log_every_steps",
        ):
            self._require(name, getattr(self, name) >= 1, ">= 1")
        for name in ("max_seconds", "weight_decay", "patience", "processes", "seed"):
            self._require(name, getattr(self, name) >= 0, ">= 0")
        self._require("warmup_ratio", 0 <= self.warmup_ratio < 1, "at least 0 and below 1")
        self._require("lr_schedule", self.lr_schedule in LR_SCHEDULES, f"one of {', '.join(LR_SCHEDULES)}")

    @property
    def curve(self) -> Path:
        return self.output_data_dir / CURVE

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise ArgumentError(f"{name} must be {allowed}, got {getattr(self, name)!r}")


def begin(options: TrainingOptions, module: str) -> None:
    """Become one process a GPU where there are several, fix the seed, and write the resolved arguments."""
    processes = options.processes or max(1, torch.cuda.device_count())
    command = torchrun_command(os.environ, module, sys.argv[1:], processes)
    if command is not None:
        become(command, import_root=str(Path(__file__).parent.parent))
    set_seed(options.seed)
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    options.output_data_dir.mkdir(parents=True, exist_ok=True)
    save_arguments(options, options.output_data_dir / "arguments.json")


def trainer_arguments(options: TrainingOptions, records: int) -> dict[str, Any]:
    """What transformers' TrainingArguments are given, whatever the kind of model."""
    gpu = torch.cuda.is_available()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    steps_an_epoch = -(-records // (options.train_batch_size * options.gradient_accumulation_steps * world))
    evaluate_every = max(1, steps_an_epoch // options.evaluations_per_epoch)
    return {
        "output_dir": str(options.checkpoints),
        "num_train_epochs": options.epochs,
        "per_device_train_batch_size": options.train_batch_size,
        "per_device_eval_batch_size": options.train_batch_size,
        "gradient_accumulation_steps": options.gradient_accumulation_steps,
        "learning_rate": options.learning_rate,
        "weight_decay": options.weight_decay,
        "seed": options.seed,
        "use_cpu": not gpu,
        # fp32 elsewhere: CPUs without AVX-512 compute bf16 two hundred times slower, and T5 overflows fp16.
        "bf16": gpu and torch.cuda.is_bf16_supported(including_emulation=False),
        # None, not False: newer transformers warn whenever the argument is given under this name, the only one that
        # older ones know.
        "gradient_checkpointing": True if options.gradient_checkpointing else None,
        "eval_strategy": "steps",
        "eval_steps": evaluate_every,
        "save_strategy": "steps",
        "save_steps": evaluate_every,
        "save_total_limit": 2,  # the best and the newest
        "load_best_model_at_end": True,
        "restore_callback_states_from_checkpoint": True,
        "logging_steps": options.log_every_steps,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # a loss that is not a number must be seen
        "log_level": "error",  # in every process; what a reader needs is printed by TrainingRecord
        "disable_tqdm": True,
        "report_to": "none",
        "remove_unused_columns": False,
        "ddp_find_unused_parameters": False,
    }


def run_training(options: TrainingOptions, trainer: FineTuner, identity: str) -> None:
    """Train, from the newest checkpoint if there is one; the trainer then holds the best model."""
    clock, curve = trainer.clock, options.curve
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(EpochOrder(trainer.sampler))
    if options.patience:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=options.patience))
    trainer.add_callback(TrainingEnd(clock))
    trainer.add_callback(TrainingRecord(curve, clock, identity))
    with trainer.args.main_process_first(local=True):
        checkpoint = newest_checkpoint(options.checkpoints, identity)
    if checkpoint is not None:
        say(f"going on from {checkpoint.name}")
        shutil.copyfile(checkpoint / CURVE, curve)
        clock.start(already=read_curve_seconds(curve))
    else:
        curve.unlink(missing_ok=True)
        clock.start(already=0.0)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def training_identity(options: TrainingOptions, stores: Mapping[str, TokenStore], base_card: ModelCard) -> str:
    """What makes a training the same training: arguments, record ids and the weights it starts from."""
    parts = {name: value for name, value in dataclasses.asdict(options).items() if name not in NOT_IDENTITY}
    parts["records"] = {split: store.ids_sha256 for split, store in stores.items()}
    parts["weights"] = base_card.weights_sha256
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def save_warnings(options: TrainingOptions, warnings: Sequence[str]) -> None:
    """Leave what a reader of the run's scores must know of its training, for Evaluate to say."""
    if os.environ.get("RANK", "0") == "0":
        lines = "".join(json.dumps({"warning": warning}) + "\n" for warning in warnings)
        (options.output_data_dir / WARNINGS).write_text(lines, encoding="utf-8")


def cut_off(split: str, store: TokenStore, max_input_tokens: int) -> list[str]:
    """The warning that inputs of a split were cut off; none where all fit."""
    if not store.truncated_inputs:
        return []
    return [
        f"Training: {store.truncated_inputs} of {len(store)} inputs of the {split} split are longer than "
        f"{max_input_tokens} tokens with the prompt; only their beginning was read."
    ]


def say(line: str) -> None:
    """Print once, however many processes train."""
    if os.environ.get("RANK", "0") == "0":
        print(line, flush=True)


def fine_tuned_card(options: TrainingOptions, base: ModelCard, max_input_tokens: int, **found: Any) -> ModelCard:
    """The card of a model that was fine-tuned from `base`; `found` is what is worth telling of its training."""
    resolved = json.loads((options.output_data_dir / "arguments.json").read_text(encoding="utf-8"))
    return dataclasses.replace(
        base,
        description=f"fine-tuned from: {base.description}",
        max_input_tokens=max_input_tokens,
        training={**found, "arguments": resolved},
    )
