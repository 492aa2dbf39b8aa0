"""Bring the model to start from into the run's own storage, as a model directory.

    python3 -m training.stage_model --source huggingface --model-id google/flan-t5-xl --revision COMMIT --output DIR
    python3 -m training.stage_model --source jumpstart --model DIR --model-id ID --revision VERSION --output DIR
    python3 -m training.stage_model --source s3 --model DIR --output DIR
    python3 -m training.stage_model --source stand_in --train DIR --output DIR
    python3 -m training.stage_model ... --positive-label Adverse_Event --negative-label Not_AE

With the two labels the model is an encoder that is to be trained to tell them apart (huggingface, s3); otherwise it
writes text. Reads nothing, a channel that holds a model (files or an archive of them), or the train split. Writes the
model directory (training/model_directory.py) to `--output` and the arguments to
`--output`/stage_model_arguments.json. Only source `huggingface` uses the network.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, GenerationConfig
from transformers.utils import logging as transformers_logging

from training.errors import ArgumentError, UploadError
from training.generation import SPLIT, GenerationParameters
from training.hub_commit import newest_commit
from training.hub_download import COMMIT, Download, commit_of, download_model
from training.job import run_job, save_arguments
from training.labels import Decision, Labels
from training.model_directory import ModelCard, finish_model_directory
from training.model_import import convert_to_safetensors, import_model
from training.model_loading import check_answer_limit, check_position_limit
from training.prompt import PLACEHOLDER, check_prompt_template
from training.splits import read_split
from training.stand_in import CopyingSize, Denoising, build_model, train_to_denoise, train_tokenizer
from training.text_classifier import check_length, load_encoder

HUGGING_FACE, JUMPSTART, S3, STAND_IN = "huggingface", "jumpstart", "s3", "stand_in"
# What cannot move: (pattern, how that is said).
REVISIONS = {
    HUGGING_FACE: COMMIT,
    JUMPSTART: (re.compile(r"\d+\.\d+\.\d+"), "an exact version such as 2.0.3"),
}
ENCODER_SOURCES = (HUGGING_FACE, S3)
WRITING_ARGUMENTS = ("prompt_template", "max_new_tokens", "num_beams", "long_inputs")
DENOISING_STEPS_BETWEEN_LOG_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`prompt_template`, `max_input_tokens` (whole prompt), `max_new_tokens`, `num_beams` and `long_inputs` say how the
    staged model is to be asked; an encoder has `max_input_tokens` only, beside its labels. `denoise_steps`,
    `denoise_seconds` and `seed` are for source stand_in."""

    source: str
    output: Path
    model_id: str | None = None
    revision: str | None = None
    model: Path | None = None
    train: Path | None = None
    positive_label: str | None = None
    negative_label: str | None = None
    prompt_template: str = PLACEHOLDER
    max_input_tokens: int = 512
    max_new_tokens: int = 128
    num_beams: int = 1
    long_inputs: str = SPLIT
    denoise_steps: int = 400
    denoise_seconds: float = 0.0
    seed: int = 1
    message_file: Path | None = None

    def __post_init__(self) -> None:
        needed = {
            HUGGING_FACE: ("model_id",),  # and perhaps a revision
            JUMPSTART: ("model", "model_id", "revision"),
            S3: ("model",),
            STAND_IN: ("train",),
        }
        if self.source not in needed:
            raise ArgumentError(f"source must be one of {', '.join(needed)}, got {self.source!r}")
        for name in ("model_id", "revision", "model", "train"):
            given, wanted = getattr(self, name) is not None, name in needed[self.source]
            if given != wanted and (self.source, name) != (HUGGING_FACE, "revision"):
                raise ArgumentError(
                    f"source {self.source} {'needs' if wanted else 'takes no'} --{name.replace('_', '-')}"
                )
        if self.revision is not None:
            pattern, wanted_form = REVISIONS[self.source]
            if not pattern.fullmatch(self.revision):
                raise ArgumentError(f"revision must be {wanted_form}, got {self.revision!r}")
        check_prompt_template(self.prompt_template)
        if self.max_input_tokens < 2 or self.denoise_steps < 1 or self.denoise_seconds < 0:
            raise ArgumentError(
                "max_input_tokens must be >= 2, denoise_steps >= 1 and denoise_seconds >= 0 (0: no limit)"
            )
        _ = self.generation
        if self.labels is not None:
            self._check_encoder()

    @property
    def labels(self) -> Labels | None:
        """What an encoder is to tell apart; None for a model that writes text."""
        if self.positive_label is None and self.negative_label is None:
            return None
        if self.positive_label is None or self.negative_label is None:
            raise ArgumentError("--positive-label and --negative-label are given together or not at all")
        return Labels(self.positive_label, self.negative_label)

    @property
    def generation(self) -> GenerationParameters:
        return GenerationParameters(
            max_new_tokens=self.max_new_tokens, num_beams=self.num_beams, long_inputs=self.long_inputs
        )

    def _check_encoder(self) -> None:
        if self.source not in ENCODER_SOURCES:
            raise ArgumentError(
                f"source {self.source} gives models that write text and takes no labels; "
                f"encoders come from {' or '.join(ENCODER_SOURCES)}"
            )
        for field in dataclasses.fields(self):
            if field.name in WRITING_ARGUMENTS and getattr(self, field.name) != field.default:
                raise ArgumentError(f"an encoder writes no text and takes no --{field.name.replace('_', '-')}")


def main(arguments: Arguments, download: Download | None = None, newest: Callable[[str], str] = newest_commit) -> None:
    """Stage the model. `download` stands for huggingface_hub.snapshot_download.

    A model of the hub without a revision is staged at its newest commit, which its card then names.

    Raises:
        ModelError: the source holds no usable sequence-to-sequence model, or with labels no usable encoder.
        UploadError: the train split is empty.
    """
    transformers_logging.disable_progress_bar()
    if arguments.labels is not None:
        transformers_logging.set_verbosity_error()  # that an encoder lacks the head for these labels is as it should be
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.source == HUGGING_FACE and arguments.revision is None:
        arguments = dataclasses.replace(arguments, revision=commit_of(str(arguments.model_id), newest))
    if arguments.source == HUGGING_FACE:
        description = _stage_from_hub(arguments, download)
    elif arguments.source in (JUMPSTART, S3):
        description = _stage_from_channel(arguments)
    else:
        description = _stage_stand_in(arguments)
    if arguments.labels is None:
        _save_generation_config(arguments)
        decision, decoding = None, arguments.generation.card_decoding
    else:
        _check_encoder(arguments, arguments.labels)
        decision, decoding = Decision(positive=arguments.labels.positive, negative=arguments.labels.negative), None
    card = finish_model_directory(
        arguments.output,
        ModelCard(
            source=arguments.source,
            description=description,
            stand_in=arguments.source == STAND_IN,
            prompt_template=arguments.prompt_template,
            max_input_tokens=arguments.max_input_tokens,
            model_id=arguments.model_id,
            revision=arguments.revision,
            decoding=decoding,
            decision=decision,
        ),
    )
    save_arguments(arguments, arguments.output / "stage_model_arguments.json")
    print(f"staged: {description}; weights sha256 {card.weights_sha256}", flush=True)


def _stage_from_hub(arguments: Arguments, download: Download | None) -> str:
    download_model(str(arguments.model_id), str(arguments.revision), arguments.output, download)
    convert_to_safetensors(arguments.output, arguments.output, arguments.labels)
    return f"{arguments.model_id} at revision {arguments.revision} of the Hugging Face hub"


def _stage_from_channel(arguments: Arguments) -> str:
    assert arguments.model is not None  # Arguments refuses these sources without it
    import_model(arguments.model, arguments.output, arguments.labels)
    if arguments.source == JUMPSTART:
        return f"{arguments.model_id}, version {arguments.revision} of SageMaker JumpStart"
    return "a model of one's own, from S3"


def _stage_stand_in(arguments: Arguments) -> str:
    assert arguments.train is not None  # Arguments refuses source stand_in without it
    texts = [text for record in read_split(arguments.train) for text in (record.input, record.target)]
    if not texts:
        raise UploadError("the train split is empty: a stand-in model cannot be built from nothing")
    tokenizer = train_tokenizer(texts, CopyingSize.vocabulary)
    model = build_model(tokenizer, CopyingSize(), arguments.seed)
    denoising = Denoising(steps=arguments.denoise_steps, seconds=arguments.denoise_seconds, seed=arguments.seed)
    step = 0
    for step, loss, seconds in train_to_denoise(model, tokenizer, texts, denoising):
        if step % DENOISING_STEPS_BETWEEN_LOG_LINES == 0:
            print(f"denoising step {step} of {denoising.steps}: loss {loss:.3f} nats, {seconds:.0f} s", flush=True)
    model.save_pretrained(arguments.output)
    tokenizer.save_pretrained(arguments.output)
    return (
        f"stand-in for a pre-trained model: a copying model of {model.num_parameters() / 1e6:.1f} million parameters "
        f"with random weights, {step} steps of self-supervised denoising on this run's training text only"
    )


def _save_generation_config(arguments: Arguments) -> None:
    """Give the staged model the task's way of decoding, on top of its own special tokens."""
    model_config = AutoConfig.from_pretrained(arguments.output, local_files_only=True)
    check_position_limit(model_config, arguments.max_input_tokens)
    check_answer_limit(model_config, max_new_tokens=arguments.max_new_tokens)
    if (arguments.output / "generation_config.json").exists():
        config = GenerationConfig.from_pretrained(arguments.output, local_files_only=True)
    else:
        config = GenerationConfig.from_model_config(model_config)
    arguments.generation.generation_config(config).save_pretrained(arguments.output)


def _check_encoder(arguments: Arguments, labels: Labels) -> None:
    """Load the staged encoder, so that what is wrong with it is said here and not in each job after this one."""
    model, tokenizer, _ = load_encoder(arguments.output, torch.float32, labels)
    check_length(model, tokenizer, arguments.max_input_tokens)


if __name__ == "__main__":
    run_job(Arguments, main)
