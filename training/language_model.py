"""A model that continues or answers text, as its makers publish it: causal or encoder-decoder, loaded from files."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

from training.errors import ModelError
from training.model_directory import unpacked_model
from training.model_loading import FILES_ALONE, inference_dtype, load_files, position_limit

GGUF = ".gguf"
# What tokenizers say that know no limit is a number beyond all models.
KNOWN_LIMIT = 10_000_000


@dataclass(frozen=True)
class LanguageModel:
    """A loaded model with its tokenizer; `name` says which it is."""

    model: Any
    tokenizer: Any
    name: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a folder that `save_pretrained` wrote, an archive of one, a GGUF file, or a folder that holds one.

        Raises:
            ModelError: there is no such model, or it cannot be loaded.
        """
        with ExitStack() as stack:
            directory = path.parent if path.suffix == GGUF else stack.enter_context(unpacked_model(path))
            packed = [path.name] if path.suffix == GGUF else sorted(file.name for file in directory.glob(f"*{GGUF}"))
            if len(packed) > 1:
                raise ModelError(f"there must be one GGUF file, found {', '.join(packed)}")
            form = {"gguf_file": packed[0]} if packed else {}
            try:
                model, tokenizer = load_files(directory, lambda: _load(directory, form), **form)
            except ImportError as error:
                raise ModelError(f"{packed[0]} cannot be read without the package gguf") from error
        millions = round(model.num_parameters() / 1e6)
        name = Path(packed[0]).stem if packed else f"{type(model).__name__} of {millions} million parameters"
        if not model.config.is_encoder_decoder:
            # The answers begin where the prompts end, all at the same place.
            tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return cls(model, tokenizer, name)

    @property
    def on_cpu(self) -> bool:
        return bool(self.model.device.type == "cpu")

    @property
    def is_causal(self) -> bool:
        return not self.model.config.is_encoder_decoder

    @property
    def chats(self) -> bool:
        """It was trained on messages, and is asked by them."""
        return self.tokenizer.chat_template is not None

    @property
    def ends(self) -> list[int]:
        """Tokens that end an answer: the model's own, and the tokenizer's, which ends a message of a chat."""
        own = self.model.generation_config.eos_token_id
        tokens = {*(own if isinstance(own, list) else [own]), self.tokenizer.eos_token_id}
        return sorted(token for token in tokens if token is not None)

    @property
    def most_tokens(self) -> int | None:
        """How many tokens it reads; of a causal model, reads and writes together. None where nobody says."""
        said = position_limit(self.model.config) or self.tokenizer.model_max_length
        return int(said) if said < KNOWN_LIMIT else None

    def chat(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The text that asks for the next message of a chat."""
        text: str = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return text

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, with the special tokens that a chat template writes itself."""
        ids: list[list[int]] = self.tokenizer(list(texts), add_special_tokens=not self.chats, verbose=False)[
            "input_ids"
        ]
        return ids

    def write(self, prompts: Sequence[Sequence[int]], config: GenerationConfig) -> torch.Tensor:
        """Token ids (prompts, longest answer) of what it writes to each prompt, padded."""
        batch = self.tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(self.model.device)
        read = batch["input_ids"].shape[1] if self.is_causal else 0
        with torch.inference_mode():
            rows: torch.Tensor = self.model.generate(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], generation_config=config
            )
        return rows[:, read:]

    def texts(self, rows: torch.Tensor) -> list[str]:
        texts: list[str] = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return texts


def _load(directory: Path, form: Mapping[str, str]) -> Any:
    config = AutoConfig.from_pretrained(directory, **FILES_ALONE, **form)
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = kind.from_pretrained(directory, dtype=inference_dtype(device), **FILES_ALONE, **form)
    return model.to(device).eval()
