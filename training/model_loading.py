"""From the files of a model directory to a model: what summarisers and classifiers share."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

import training.copying_model  # noqa: F401  # registers itself, so that the classes above load it too
from training.errors import ModelError

FILES_ALONE = {"local_files_only": True}

# The names under which configurations state how many positions their encoder has (BART, Pegasus and BERT; LED); T5 has
# relative positions and none of these.
_POSITION_FIELDS = ("max_encoder_position_embeddings", "max_position_embeddings")


def load_model(directory: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load a sequence-to-sequence model and its tokenizer from files alone: no network, no code of the model's own.

    Raises:
        ModelError: the files cannot be loaded.
    """
    return load_files(directory, lambda: AutoModelForSeq2SeqLM.from_pretrained(directory, dtype=dtype, **FILES_ALONE))


def load_files(directory: Path, load: Callable[[], Any], **tokenizer_options: Any) -> tuple[Any, Any]:
    """What `load` gives, which reads a model of `directory`, and the tokenizer beside it.

    Raises:
        ModelError: the files cannot be loaded, or do not belong together.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, **FILES_ALONE, **tokenizer_options)
        model = load()
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise ModelError("the tokenizer has more tokens than the model has embeddings: they belong to different models")
    return model, tokenizer


def inference_dtype(device: str) -> torch.dtype:
    """bf16 on a GPU that computes in it, otherwise fp32. Never fp16: T5's activations overflow it."""
    if device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def position_limit(config: Any) -> int | None:
    """How many positions the configuration says that the encoder (of a causal model: the model) has; None without."""
    limits = (getattr(config, name, None) for name in _POSITION_FIELDS)
    return next((limit for limit in limits if isinstance(limit, int)), None)


def check_position_limit(config: Any, max_input_tokens: int) -> None:
    """Refuse inputs longer than the encoder has positions.

    Raises:
        ModelError: `max_input_tokens` is beyond the model's limit.
    """
    limit = position_limit(config)
    if limit is not None and max_input_tokens > limit:
        raise ModelError(f"max_input_tokens must be <= {limit} for this model, got {max_input_tokens}")


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that too large a batch fails at once."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
