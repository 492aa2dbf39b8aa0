"""From the files of a model directory to a model: what summarisers and classifiers share."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
from transformers.modeling_layers import GradientCheckpointingLayer

import training.copying_model  # noqa: F401  # registers itself, so that the classes above load it too
from training.errors import ModelError

FILES_ALONE = {"local_files_only": True}

# The names under which configurations state how many positions their encoder and decoder have (LED; BART, Pegasus and
# BERT); T5 has relative positions and none of these.
_ENCODER_POSITIONS = ("max_encoder_position_embeddings", "max_position_embeddings")
_DECODER_POSITIONS = ("max_decoder_position_embeddings", "max_position_embeddings")
# Where a configuration has this, attention reaches only so far (LED): a text is padded to a multiple of it, and what
# is to be seen from everywhere must be said.
_WINDOW = "attention_window"


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
    """Tokens that the encoder (of a causal model: the model) reads, None where the configuration knows no limit; whole
    windows where attention reaches only a window."""
    limit = _positions(config, _ENCODER_POSITIONS)
    window = getattr(config, _WINDOW, 1)
    window = window if isinstance(window, int) else max(window)
    return None if limit is None else limit // window * window


def check_position_limit(config: Any, max_input_tokens: int) -> None:
    """Refuse inputs longer than the encoder has positions.

    Raises:
        ModelError: `max_input_tokens` is beyond the model's limit.
    """
    limit = position_limit(config)
    if limit is not None and max_input_tokens > limit:
        raise ModelError(f"max_input_tokens must be <= {limit} for this model, got {max_input_tokens}")


def check_answer_limit(config: Any, **tokens: int) -> None:
    """Refuse targets and answers longer than the decoder has positions.

    Raises:
        ModelError: one of `tokens`, by its name, is beyond the model's limit.
    """
    limit = answer_limit(config)
    for name, value in tokens.items():
        if limit is not None and value > limit:
            raise ModelError(f"{name} must be <= {limit} for this model, got {value}")


def answer_limit(config: Any) -> int | None:
    """Tokens that an answer may have; None where the model knows no limit."""
    return _positions(config, _DECODER_POSITIONS)


def encoder_inputs(config: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a model reads of padded prompts (batch, source). Where attention reaches only a window, the first token is
    seen from everywhere and sees everything, as Beltagy et al. 2020 (Longformer, LED) do it for summaries."""
    inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
    if hasattr(config, _WINDOW):
        everywhere = torch.zeros_like(attention_mask)
        everywhere[:, 0] = 1
        inputs["global_attention_mask"] = everywhere
    return inputs


def layer_classes(model: Any) -> list[str]:
    """Names of the classes of a transformer's layers. Not `_no_split_modules`, which Pegasus and LED leave empty."""
    layers = (module for module in model.modules() if isinstance(module, GradientCheckpointingLayer))
    return sorted({type(layer).__name__ for layer in layers})


def _positions(config: Any, names: tuple[str, ...]) -> int | None:
    found = (getattr(config, name, None) for name in names)
    return next((limit for limit in found if isinstance(limit, int)), None)


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, so that too large a batch fails at once."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
