"""Fine-tune a sequence-to-sequence model on text pairs: all parameters, best model by validation loss.

    python3 -m training.fine_tune --epochs 3 --learning_rate 3e-4 ...

Started by SageMaker's training toolkit, which sets `SM_CHANNEL_TRAIN`, `SM_CHANNEL_VALIDATION`, `SM_CHANNEL_MODEL`,
`SM_MODEL_DIR`, `SM_OUTPUT_DATA_DIR` and `SM_OUTPUT_DIR`; each can be given as an argument too.

Reads two splits as Prepare writes them and a model directory. Writes the model directory of the best model to
`model_dir`, training_curve.jsonl and arguments.json to `output_data_dir`, and checkpoints to `checkpoints`, from the
newest of which a killed training goes on. With several GPUs or hosts it starts one process a GPU.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, Seq2SeqTrainingArguments, set_seed
from transformers.utils import logging as transformers_logging

from training.checkpoints import CURVE, newest_checkpoint
from training.distributed import become, torchrun_command
from training.errors import ArgumentError, UploadError
from training.fine_tuner import LR_SCHEDULES, EpochOrder, FineTuner, TrainingClock
from training.generation import (
    CONSENSUS,
    MBR,
    MBR_PARAMETERS,
    GenerationParameters,
    TextGenerator,
    check_position_limit,
    load_model,
)
from training.job import run_job, save_arguments
from training.learn_choice import learn_choice
from training.model_directory import (
    ANSWER_CHOICE,
    SIMILAR_REPORTS,
    ModelCard,
    finish_model_directory,
    read_model_card,
    unpacked_model,
)
from training.prompt import check_prompt_template
from training.retrieval import SimilarReports
from training.similar_impressions import load_similar
from training.splits import read_split
from training.token_store import TokenStore, build_token_store
from training.training_record import TrainingEnd, TrainingRecord, read_curve_seconds

STRATEGIES = ("ddp", "fsdp")
# Arguments that may differ between a killed training and the one that goes on from its checkpoint.
NOT_IDENTITY = {
    "train",
    "validation",
    "model",
    "similar",
    "model_dir",
    "output_data_dir",
    "checkpoints",
    "max_seconds",
    "patience",
}


def _sagemaker_path(variable: str) -> Path:
    if variable not in os.environ:
        raise ArgumentError(f"{variable} is not set: give the path as an argument, or run under SageMaker")
    return Path(os.environ[variable])


def _similar_channel() -> Path | None:
    channel = os.environ.get("SM_CHANNEL_SIMILAR")
    return Path(channel) if channel else None


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Ranges are checked below. Lengths are in tokens and cover the whole prompt, or the target, with the end token.

    `prompt_template` None means the model card's; `max_seconds` 0 means no time budget; `patience` is how many
    validations without a better loss end training, 0 for none; `processes` 0 means one a GPU, or one;
    `strategy` ddp copies the model to each GPU, fsdp shards it over them.
    """

    train: Path = field(default_factory=partial(_sagemaker_path, "SM_CHANNEL_TRAIN"))
    validation: Path = field(default_factory=partial(_sagemaker_path, "SM_CHANNEL_VALIDATION"))
    model: Path = field(default_factory=partial(_sagemaker_path, "SM_CHANNEL_MODEL"))
    model_dir: Path = field(default_factory=partial(_sagemaker_path, "SM_MODEL_DIR"))
    output_data_dir: Path = field(default_factory=partial(_sagemaker_path, "SM_OUTPUT_DATA_DIR"))
    checkpoints: Path = Path("/opt/ml/checkpoints")
    similar: Path | None = field(default_factory=_similar_channel)
    prompt_template: str | None = None
    max_input_tokens: int = 512
    max_target_tokens: int = 128
    epochs: float = 3.0
    max_seconds: float = 0.0
    train_batch_size: int = 8
    gradient_accumulation_steps: int = 1
    learning_rate: float = 1e-4
    lr_schedule: str = "linear"
    warmup_ratio: float = 0.03
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    evaluations_per_epoch: int = 2
    patience: int = 0
    log_every_steps: int = 10
    gradient_checkpointing: bool = False
    strategy: str = "ddp"
    processes: int = 0
    max_new_tokens: int = 128
    num_beams: int = 1
    method: str | None = None
    samples: int = 16
    temperature: float = 1.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "learning_rate"):
            self._require(name, getattr(self, name) > 0, "above 0")
        for name in ("max_input_tokens", "max_target_tokens"):
            self._require(name, getattr(self, name) >= 2, ">= 2")
        for name in (
            "train_batch_size",
            "gradient_accumulation_steps",
            "evaluations_per_epoch",
            "log_every_steps",
        ):
            self._require(name, getattr(self, name) >= 1, ">= 1")
        for name in ("max_seconds", "weight_decay", "patience", "processes", "seed"):
            self._require(name, getattr(self, name) >= 0, ">= 0")
        for name in ("warmup_ratio", "label_smoothing"):
            self._require(name, 0 <= getattr(self, name) < 1, "at least 0 and below 1")
        self._require("lr_schedule", self.lr_schedule in LR_SCHEDULES, f"one of {', '.join(LR_SCHEDULES)}")
        self._require("strategy", self.strategy in STRATEGIES, f"one of {', '.join(STRATEGIES)}")
        if self.strategy == "fsdp" and self.processes == 1:
            raise ArgumentError("strategy fsdp shards a model over several GPUs: processes must be 0 or > 1, got 1")
        if self.prompt_template is not None:
            check_prompt_template(self.prompt_template)
        _ = self.generation

    @property
    def generation(self) -> GenerationParameters:
        return GenerationParameters(
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            method=self.method,
            samples=self.samples,
            temperature=self.temperature,
        )

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise ArgumentError(f"{name} must be {allowed}, got {getattr(self, name)!r}")


def main(arguments: Arguments) -> None:
    """Train, and leave the best model in `model_dir`.

    Raises:
        ArgumentError: strategy fsdp on a machine without a GPU.
        UploadError: the train or the validation split is empty, or a line of it is not a record.
        ModelError: the model cannot be loaded, a checkpoint belongs to another training, or training diverged.
    """
    # Asked of the machine here and not with the arguments, which are checked on other machines too.
    if arguments.strategy == "fsdp" and not torch.cuda.is_available():
        raise ArgumentError("strategy fsdp shards a model over GPUs, and this machine has none: use strategy ddp")
    processes = arguments.processes or max(1, torch.cuda.device_count())
    command = torchrun_command(os.environ, "training.fine_tune", sys.argv[1:], processes)
    if command is not None:
        become(command, import_root=str(Path(__file__).parent.parent))
    set_seed(arguments.seed)
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    arguments.output_data_dir.mkdir(parents=True, exist_ok=True)
    save_arguments(arguments, arguments.output_data_dir / "arguments.json")
    with unpacked_model(arguments.model) as directory, tempfile.TemporaryDirectory(prefix="tokens-") as tokens:
        base_card = read_model_card(directory)
        model, tokenizer = load_model(directory, torch.float32)
        check_position_limit(model.config, arguments.max_input_tokens)
        template = arguments.prompt_template or base_card.prompt_template
        similar = load_similar(arguments.similar, template)
        stores = _build_stores(arguments, tokenizer, template, similar, Path(tokens))
        trainer = _train(arguments, model, tokenizer, stores, base_card)
        _save(arguments, trainer, dataclasses.replace(base_card, prompt_template=template), similar)


def _build_stores(
    arguments: Arguments, tokenizer: Any, prompt_template: str, similar: SimilarReports | None, folder: Path
) -> dict[str, TokenStore]:
    """Tokenise both splits. Says how many records are cut off; refuses an empty split."""
    stores = {}
    for split in ("train", "validation"):
        store = build_token_store(
            read_split(getattr(arguments, split)),
            tokenizer,
            folder / split,
            prompt_template=prompt_template,
            max_input_tokens=arguments.max_input_tokens,
            max_target_tokens=arguments.max_target_tokens,
            similar=similar,
            seed=arguments.seed,
        )
        if len(store) == 0:
            raise UploadError(f"the {split} split holds no records: upload more pairs (see Prepare's report)")
        _say(
            f"{split}: {len(store)} records, {store.input_lengths.sum()} input and {store.target_lengths.sum()} target "
            f"tokens; cut off: {store.truncated_inputs} inputs longer than {arguments.max_input_tokens} tokens, "
            f"{store.truncated_targets} targets longer than {arguments.max_target_tokens}"
        )
        stores[split] = store
    return stores


def _train(
    arguments: Arguments, model: Any, tokenizer: Any, stores: dict[str, TokenStore], base_card: ModelCard
) -> FineTuner:
    """Run the training, from a checkpoint if there is one; the trainer then holds the best model."""
    model.generation_config = arguments.generation.generation_config(model.generation_config)
    clock = TrainingClock(arguments.max_seconds)
    identity = _identity(arguments, stores, base_card)
    curve = arguments.output_data_dir / CURVE
    trainer = FineTuner(
        model=model,
        tokenizer=tokenizer,
        args=_training_arguments(arguments, model, len(stores["train"])),
        train_store=stores["train"],
        validation_store=stores["validation"],
        clock=clock,
        lr_schedule=arguments.lr_schedule,
        warmup_ratio=arguments.warmup_ratio,
        label_smoothing=arguments.label_smoothing,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(EpochOrder(trainer.sampler))
    if arguments.patience:
        trainer.add_callback(EarlyStoppingCallback(early_stopping_patience=arguments.patience))
    trainer.add_callback(TrainingEnd(clock))
    trainer.add_callback(TrainingRecord(curve, clock, identity))
    with trainer.args.main_process_first(local=True):
        checkpoint = newest_checkpoint(arguments.checkpoints, identity)
    if checkpoint is not None:
        _say(f"going on from {checkpoint.name}")
        shutil.copyfile(checkpoint / CURVE, curve)
        clock.start(already=read_curve_seconds(curve))
    else:
        curve.unlink(missing_ok=True)
        clock.start(already=0.0)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer


def _training_arguments(arguments: Arguments, model: Any, records: int) -> Seq2SeqTrainingArguments:
    gpu = torch.cuda.is_available()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    records_a_step = arguments.train_batch_size * arguments.gradient_accumulation_steps * world
    steps_an_epoch = -(-records // records_a_step)
    evaluate_every = max(1, steps_an_epoch // arguments.evaluations_per_epoch)
    sharded = arguments.strategy == "fsdp"
    return Seq2SeqTrainingArguments(
        output_dir=str(arguments.checkpoints),
        num_train_epochs=arguments.epochs,
        per_device_train_batch_size=arguments.train_batch_size,
        per_device_eval_batch_size=arguments.train_batch_size,
        gradient_accumulation_steps=arguments.gradient_accumulation_steps,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
        seed=arguments.seed,
        use_cpu=not gpu,
        # fp32 elsewhere: CPUs without AVX-512 compute bf16 two hundred times slower, and T5 overflows fp16.
        bf16=gpu and torch.cuda.is_bf16_supported(including_emulation=False),
        # FSDP has its own checkpointing, which does not gather a layer's weights twice. None, not False: newer
        # transformers warn whenever the argument is given under this name, the only one that older ones know.
        gradient_checkpointing=True if arguments.gradient_checkpointing and not sharded else None,
        fsdp="full_shard auto_wrap" if sharded else "",
        fsdp_config={
            "transformer_layer_cls_to_wrap": list(model._no_split_modules),
            "activation_checkpointing": arguments.gradient_checkpointing,
            "state_dict_type": "FULL_STATE_DICT",
        }
        if sharded
        else None,
        eval_strategy="steps",
        eval_steps=evaluate_every,
        save_strategy="steps",
        save_steps=evaluate_every,
        save_total_limit=2,  # the best and the newest
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,
        logging_steps=arguments.log_every_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is not a number must be seen
        log_level="error",  # in every process; what a reader needs is printed by TrainingRecord
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
    )


def _say(line: str) -> None:
    """Print once, however many processes train."""
    if os.environ.get("RANK", "0") == "0":
        print(line, flush=True)


def _identity(arguments: Arguments, stores: dict[str, TokenStore], base_card: ModelCard) -> str:
    """What makes a training the same training: arguments, record ids and the weights it starts from."""
    parts = {name: value for name, value in dataclasses.asdict(arguments).items() if name not in NOT_IDENTITY}
    parts["records"] = {split: store.ids_sha256 for split, store in stores.items()}
    parts["weights"] = base_card.weights_sha256
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _save(arguments: Arguments, trainer: FineTuner, base_card: ModelCard, similar: SimilarReports | None) -> None:
    """Write the model directory; every process takes part, since a sharded model is gathered from all."""
    trainer.save_model(str(arguments.model_dir))
    if not trainer.is_world_process_zero():
        return
    (arguments.model_dir / "training_args.bin").unlink(missing_ok=True)  # a pickle, and nothing to serve with
    best = {"best_validation_loss": trainer.state.best_metric, "best_step": trainer.state.best_global_step}
    resolved = json.loads((arguments.output_data_dir / "arguments.json").read_text(encoding="utf-8"))
    card = dataclasses.replace(
        base_card,
        description=f"fine-tuned from: {base_card.description}",
        max_input_tokens=arguments.max_input_tokens,
        training={**best, "steps": trainer.state.global_step, "arguments": resolved},
    )
    if arguments.method == MBR:
        generator = TextGenerator(trainer.model.eval(), trainer.processing_class, card, similar)
        if similar is not None:
            splits = read_split(arguments.train), read_split(arguments.validation)
            choice = learn_choice(generator, *splits, arguments.generation)
            choice.save(arguments.model_dir / ANSWER_CHOICE)
            _say(choice.description)
        card = dataclasses.replace(card, decoding={name: getattr(arguments, name) for name in MBR_PARAMETERS})
    elif arguments.method == CONSENSUS:
        card = dataclasses.replace(card, decoding={"method": CONSENSUS})
    if arguments.similar is not None:
        shutil.copytree(arguments.similar, arguments.model_dir / SIMILAR_REPORTS, dirs_exist_ok=True)
    finish_model_directory(arguments.model_dir, card)
    print(
        f"saved the model of step {best['best_step']}, validation loss {best['best_validation_loss']:.4f} nats",
        flush=True,
    )


if __name__ == "__main__":
    run_job(Arguments, main, Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure")
