"""Asking a model: used by evaluation (training/generate.py) and by the endpoint (training/inference.py) alike.

Prompts, precision, batching and decoding are decided here and nowhere else, so a score in a report is a score of what
the endpoint answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig

from training.errors import ArgumentError, ModelError
from training.model_directory import ModelCard, read_model_card
from training.prompt import render_prompt

MAX_NEW_TOKENS_LIMIT = 1024
NUM_BEAMS_LIMIT = 16
NUM_RETURN_SEQUENCES_LIMIT = 16

# The names under which encoder-decoder configurations state how many positions their encoder has (BART and Pegasus,
# LED); T5 has relative positions and none of these.
_POSITION_FIELDS = ("max_encoder_position_embeddings", "max_position_embeddings")


@dataclass(frozen=True, kw_only=True)
class GenerationParameters:
    """How to decode. Greedy by default.

    `max_new_tokens` 1..1024; `num_beams` 1..16; `num_return_sequences` 1..`num_beams`, with `do_sample` 1..16;
    `temperature` in (0, 5] and `top_p` in (0, 1], both only with `do_sample`; `seed` 0..2**32-1 fixes sampling.

    Raises:
        ArgumentError: a value is of another type, out of range or does not fit another one.
    """

    max_new_tokens: int = 128
    num_beams: int = 1
    num_return_sequences: int = 1
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_types()
        _check_range("max_new_tokens", self.max_new_tokens, 1, MAX_NEW_TOKENS_LIMIT)
        _check_range("num_beams", self.num_beams, 1, NUM_BEAMS_LIMIT)
        returned = NUM_RETURN_SEQUENCES_LIMIT if self.do_sample else self.num_beams
        _check_range("num_return_sequences", self.num_return_sequences, 1, returned)
        if self.do_sample and self.num_beams > 1:
            raise ArgumentError("num_beams must be 1 with do_sample")
        if not self.do_sample and (self.temperature, self.top_p) != (1.0, 1.0):
            raise ArgumentError("temperature and top_p have a meaning only with do_sample")
        if not 0 < self.temperature <= 5:
            raise ArgumentError(f"temperature must be above 0 and at most 5, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ArgumentError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        _check_range("seed", self.seed, 0, 2**32 - 1)

    def _check_types(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # bool is an int in Python, not in JSON; an integer is a fine float.
            wanted = {int: (int,), bool: (bool,), float: (int, float)}[type(field.default)]
            if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
                raise ArgumentError(f"{field.name} must be {type(field.default).__name__}, got {type(value).__name__}")

    def generation_config(self, model_config: GenerationConfig) -> GenerationConfig:
        """The model's own special tokens with these parameters, and nothing else of the model's defaults."""
        sampling: dict[str, float] = {}
        if self.do_sample:
            # float(): JSON's 2 is an int, which transformers refuses as a temperature.
            sampling = {"temperature": float(self.temperature), "top_p": float(self.top_p), "top_k": 0}
        return GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            num_beams=self.num_beams,
            num_return_sequences=self.num_return_sequences,
            do_sample=self.do_sample,
            decoder_start_token_id=model_config.decoder_start_token_id,
            bos_token_id=model_config.bos_token_id,
            eos_token_id=model_config.eos_token_id,
            pad_token_id=model_config.pad_token_id,
            forced_bos_token_id=model_config.forced_bos_token_id,
            forced_eos_token_id=model_config.forced_eos_token_id,
            **sampling,
        )


class TextGenerator:
    """A loaded model with its tokenizer and card."""

    def __init__(self, model: Any, tokenizer: Any, card: ModelCard) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.card = card

    @classmethod
    def load(cls, directory: Path, device: str | None = None) -> "TextGenerator":
        """Load a model directory onto `device` (default: the first GPU, or the CPU).

        Raises:
            ModelError: the directory is incomplete or its files do not fit together.
        """
        card = read_model_card(directory)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model, tokenizer = load_model(directory, inference_dtype(device))
        check_position_limit(model.config, card.max_input_tokens)
        return cls(model.to(device).eval(), tokenizer, card)

    @property
    def defaults(self) -> GenerationParameters:
        """What FineTune or StageModel saved as this model's own way of decoding."""
        config = self.model.generation_config
        return GenerationParameters(
            max_new_tokens=config.max_new_tokens or GenerationParameters.max_new_tokens,
            num_beams=config.num_beams or GenerationParameters.num_beams,
        )

    def tokenise(self, texts: Sequence[str], prompt_template: str | None = None) -> list[list[int]]:
        """Prompts as token ids with their end token, not truncated."""
        template = prompt_template or self.card.prompt_template
        prompts = [render_prompt(template, text) for text in texts]
        ids: list[list[int]] = self.tokenizer(prompts, verbose=False)["input_ids"]
        return ids

    def generate(
        self, prompts: Sequence[Sequence[int]], parameters: GenerationParameters, batch_size: int
    ) -> list[list[str]]:
        """Decode answers: `num_return_sequences` for each prompt, in the order of `prompts`.

        Prompts of similar length share a batch of at most `batch_size` and one call of the model.
        """
        answers: list[list[str]] = [[] for _ in prompts]
        config = parameters.generation_config(self.model.generation_config)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(parameters.seed)
            for indices in batches_by_length([len(prompt) for prompt in prompts], batch_size):
                texts = self._generate_batch([prompts[index] for index in indices], config)
                for position, index in enumerate(indices):
                    first = position * parameters.num_return_sequences
                    answers[index] = texts[first : first + parameters.num_return_sequences]
        return answers

    def _generate_batch(self, prompts: list[Sequence[int]], config: GenerationConfig) -> list[str]:
        batch = self.tokenizer.pad({"input_ids": [list(prompt) for prompt in prompts]}, return_tensors="pt")
        outputs = self.model.generate(
            input_ids=batch["input_ids"].to(self.model.device),
            attention_mask=batch["attention_mask"].to(self.model.device),
            generation_config=config,
        )
        texts = self.tokenizer.batch_decode(outputs, skip_special_tokens=True)
        return [text.strip() for text in texts]


def load_model(directory: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load model and tokenizer from files alone: no network, no code of the model's own.

    Raises:
        ModelError: the files cannot be loaded.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
        model = AutoModelForSeq2SeqLM.from_pretrained(directory, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise ModelError("the tokenizer has more tokens than the model has embeddings: they belong to different models")
    return model, tokenizer


def inference_dtype(device: str) -> torch.dtype:
    """bf16 on a GPU that computes in it, otherwise fp32. Never fp16: T5's activations overflow it."""
    if device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def check_position_limit(config: Any, max_input_tokens: int) -> None:
    """Refuse inputs longer than the encoder has positions.

    Raises:
        ModelError: `max_input_tokens` is beyond the model's limit.
    """
    for name in _POSITION_FIELDS:
        limit = getattr(config, name, None)
        if isinstance(limit, int):
            if max_input_tokens > limit:
                raise ModelError(f"max_input_tokens must be <= {limit} for this model, got {max_input_tokens}")
            return


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that too large a batch fails at once."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ArgumentError(f"{name} must be between {low} and {high}, got {value}")
