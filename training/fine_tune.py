"""Fine-tune a sequence-to-sequence model on text pairs: all parameters, best model by validation loss.

    python3 -m training.fine_tune --epochs 3 --learning_rate 3e-4 ...

Started by SageMaker's training toolkit, which sets `SM_CHANNEL_TRAIN`, `SM_CHANNEL_VALIDATION`, `SM_CHANNEL_MODEL`,
`SM_MODEL_DIR`, `SM_OUTPUT_DATA_DIR` and `SM_OUTPUT_DIR`; each can be given as an argument too.

Reads two splits as Prepare writes them and a model directory. Writes the model directory of the best model to
`model_dir`, training_curve.jsonl, training_warnings.jsonl and arguments.json to `output_data_dir`, and checkpoints to
`checkpoints`, from the newest of which a killed training goes on. With several GPUs or hosts it starts one process a
GPU. What is longer than allowed is cut off, counted and warned of.
"""

import dataclasses
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import Seq2SeqTrainingArguments

from training.errors import ArgumentError, UploadError
from training.fine_tuner import TrainingClock
from training.generation import MBR, SPLIT, GenerationParameters, TextGenerator
from training.job import run_job
from training.learn_choice import learn_choice
from training.model_directory import (
    ANSWER_CHOICE,
    SIMILAR_REPORTS,
    ModelCard,
    finish_model_directory,
    read_model_card,
    unpacked_model,
)
from training.model_loading import (
    check_answer_limit,
    check_position_limit,
    inference_dtype,
    layer_classes,
    load_model,
)
from training.prompt import check_prompt_template
from training.retrieval import SimilarReports
from training.similar_impressions import load_similar
from training.splits import read_split
from training.summary_tuner import SummaryTuner
from training.token_store import TokenStore, build_token_store
from training.training_run import (
    TrainingOptions,
    begin,
    cut_off,
    fine_tuned_card,
    optional_path,
    run_training,
    save_warnings,
    say,
    trainer_arguments,
    training_identity,
)

STRATEGIES = ("ddp", "fsdp")


@dataclass(frozen=True, kw_only=True)
class Arguments(TrainingOptions):
    """Ranges are checked below. Lengths are in tokens and cover the whole prompt, or the target, with the end token.

    `prompt_template` None means the model card's; `strategy` ddp copies the model to each GPU, fsdp shards it over
    them.
    """

    similar: Path | None = field(default_factory=partial(optional_path, "SM_CHANNEL_SIMILAR"))
    prompt_template: str | None = None
    max_input_tokens: int = 512
    max_target_tokens: int = 128
    label_smoothing: float = 0.0
    strategy: str = "ddp"
    max_new_tokens: int = 128
    num_beams: int = 1
    method: str | None = None
    samples: int = 16
    temperature: float = 1.0
    long_inputs: str = SPLIT

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_input_tokens", "max_target_tokens"):
            self._require(name, getattr(self, name) >= 2, ">= 2")
        self._require("label_smoothing", 0 <= self.label_smoothing < 1, "at least 0 and below 1")
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
            long_inputs=self.long_inputs,
        )


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
    begin(arguments, "training.fine_tune")
    with unpacked_model(arguments.model) as directory, tempfile.TemporaryDirectory(prefix="tokens-") as tokens:
        base_card = read_model_card(directory)
        model, tokenizer = load_model(directory, torch.float32)
        check_position_limit(model.config, arguments.max_input_tokens)
        lengths = {name: getattr(arguments, name) for name in ("max_target_tokens", "max_new_tokens")}
        check_answer_limit(model.config, **lengths)
        template = arguments.prompt_template or base_card.prompt_template
        similar = load_similar(arguments.similar, template)
        stores = _build_stores(arguments, tokenizer, template, similar, Path(tokens))
        trainer = _train(arguments, model, tokenizer, stores, base_card)
        _save(arguments, trainer, dataclasses.replace(base_card, prompt_template=template), similar)


def _build_stores(
    arguments: Arguments, tokenizer: Any, prompt_template: str, similar: SimilarReports | None, folder: Path
) -> dict[str, TokenStore]:
    """Tokenise both splits. Says and warns how many records are cut off; refuses an empty split."""
    stores, warnings = {}, []
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
        say(
            f"{split}: {len(store)} records, {store.input_lengths.sum()} input and {store.target_lengths.sum()} target "
            f"tokens; cut off: {store.truncated_inputs} inputs longer than {arguments.max_input_tokens} tokens, "
            f"{store.truncated_targets} targets longer than {arguments.max_target_tokens}"
        )
        warnings += cut_off(split, store, arguments.max_input_tokens)
        if store.truncated_targets:
            warnings.append(
                f"Training: {store.truncated_targets} of {len(store)} targets of the {split} split are longer than "
                f"{arguments.max_target_tokens} tokens; only their beginning was read."
            )
        stores[split] = store
    save_warnings(arguments, warnings)
    return stores


def _train(
    arguments: Arguments, model: Any, tokenizer: Any, stores: dict[str, TokenStore], base_card: ModelCard
) -> SummaryTuner:
    """Run the training; the trainer then holds the best model."""
    model.generation_config = arguments.generation.generation_config(model.generation_config)
    trainer = SummaryTuner(
        model=model,
        tokenizer=tokenizer,
        args=_trainer_arguments(arguments, model, len(stores["train"])),
        train_store=stores["train"],
        validation_store=stores["validation"],
        clock=TrainingClock(arguments.max_seconds),
        lr_schedule=arguments.lr_schedule,
        warmup_ratio=arguments.warmup_ratio,
        label_smoothing=arguments.label_smoothing,
    )
    run_training(arguments, trainer, training_identity(arguments, stores, base_card))
    return trainer


def _trainer_arguments(arguments: Arguments, model: Any, records: int) -> Seq2SeqTrainingArguments:
    given = trainer_arguments(arguments, records) | {
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }
    if arguments.strategy == "fsdp":
        given |= {
            "fsdp": "full_shard auto_wrap",
            "fsdp_config": {
                "transformer_layer_cls_to_wrap": layer_classes(model),
                "activation_checkpointing": arguments.gradient_checkpointing,
                "state_dict_type": "FULL_STATE_DICT",
            },
            # FSDP has its own checkpointing, which does not gather a layer's weights twice.
            "gradient_checkpointing": None,
        }
    return Seq2SeqTrainingArguments(**given)


def _save(arguments: Arguments, trainer: SummaryTuner, base_card: ModelCard, similar: SimilarReports | None) -> None:
    """Write the model directory; every process takes part, since a sharded model is gathered from all."""
    trainer.save_model(str(arguments.model_dir))
    if not trainer.is_world_process_zero():
        return
    (arguments.model_dir / "training_args.bin").unlink(missing_ok=True)  # a pickle, and nothing to serve with
    best = {"best_validation_loss": trainer.state.best_metric, "best_step": trainer.state.best_global_step}
    card = fine_tuned_card(arguments, base_card, arguments.max_input_tokens, **best, steps=trainer.state.global_step)
    card = dataclasses.replace(card, decoding=arguments.generation.card_decoding)
    if arguments.method == MBR and similar is not None:
        _learn_choice(arguments, trainer, card, similar)
    if arguments.similar is not None:
        shutil.copytree(arguments.similar, arguments.model_dir / SIMILAR_REPORTS, dirs_exist_ok=True)
    finish_model_directory(arguments.model_dir, card)
    print(
        f"saved the model of step {best['best_step']}, validation loss {best['best_validation_loss']:.4f} nats",
        flush=True,
    )


def _learn_choice(arguments: Arguments, trainer: SummaryTuner, card: ModelCard, similar: SimilarReports) -> None:
    """With the model as it was saved: the trainer's own may be sharded, and computes in another precision than the one
    that answers."""
    device = trainer.args.device
    trainer.optimizer = trainer.lr_scheduler = None
    trainer.accelerator.free_memory()
    model, tokenizer = load_model(arguments.model_dir, inference_dtype(device.type))
    generator = TextGenerator(model.to(device).eval(), tokenizer, card, similar)
    splits = read_split(arguments.train), read_split(arguments.validation)
    choice = learn_choice(generator, *splits, arguments.generation)
    choice.save(arguments.model_dir / ANSWER_CHOICE)
    say(choice.description)


if __name__ == "__main__":
    run_job(Arguments, main, Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure")
