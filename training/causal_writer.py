"""A model that writes examples in the job itself: any causal language model that transformers loads from files."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from training.errors import GenerationError, ModelError
from training.example_prompts import ExamplePrompt
from training.example_writers import MODEL, TOP_P, Answer, Sampling, TimeBudget
from training.model_directory import unpacked_model
from training.model_loading import FILES_ALONE, inference_dtype, load_files

GGUF = ".gguf"
# The more at once, the less each costs; but the longest answer holds up the others, and a call that the time cuts off
# is mostly in vain, which on a CPU takes half a minute.
PROMPTS_A_CALL, PROMPTS_A_CALL_OF_GPU = 8, 32


class CausalWriter:
    """A loaded model. The same prompts in the same calls get the same answers, unless the time runs out."""

    provider = MODEL

    def __init__(self, model: Any, tokenizer: Any, name: str, sampling: Sampling, budget: TimeBudget) -> None:
        self.model = name
        self.prompts_a_call = PROMPTS_A_CALL if model.device.type == "cpu" else PROMPTS_A_CALL_OF_GPU
        # One that knows messages is asked by a chat.
        self.one_text_a_prompt = tokenizer.chat_template is not None
        self._causal_model = model
        self._tokenizer = tokenizer
        self._sampling = sampling
        self._budget = budget
        self._calls = 0
        # The answers begin where the prompts end, all at the same place.
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token

    @classmethod
    def load(cls, path: Path, sampling: Sampling, budget: TimeBudget) -> "CausalWriter":
        """Load a folder that `save_pretrained` wrote, an archive of one, a GGUF file, or a folder that holds one.

        Raises:
            ModelError: there is no such model, or it cannot be loaded.
        """
        device = "cuda" if torch.cuda.is_available() else "cpu"
        with ExitStack() as stack:
            directory = path.parent if path.suffix == GGUF else stack.enter_context(unpacked_model(path))
            packed = [path.name] if path.suffix == GGUF else sorted(file.name for file in directory.glob(f"*{GGUF}"))
            if len(packed) > 1:
                raise ModelError(f"there must be one GGUF file, found {', '.join(packed)}")
            form = {"gguf_file": packed[0]} if packed else {}
            try:
                model, tokenizer = load_files(
                    directory,
                    lambda: AutoModelForCausalLM.from_pretrained(
                        directory, dtype=inference_dtype(device), **FILES_ALONE, **form
                    ),
                    **form,
                )
            except ImportError as error:
                raise ModelError(f"{packed[0]} cannot be read without the package gguf") from error
        millions = round(model.num_parameters() / 1e6)
        name = Path(packed[0]).stem if packed else f"{type(model).__name__} of {millions} million parameters"
        return cls(model.to(device).eval(), tokenizer, name, sampling, budget)

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        batch = self._tokenizer(
            [self._text(prompt) for prompt in prompts],
            padding=True,
            return_tensors="pt",
            # A chat template writes the special tokens itself.
            add_special_tokens=not self.one_text_a_prompt,
            return_token_type_ids=False,
        ).to(self._causal_model.device)
        asked = batch["input_ids"].shape[1]
        self._check_length(asked)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(self._sampling.seed + self._calls)
            rows = self._causal_model.generate(**batch, generation_config=self._config())[:, asked:]
        self._calls += 1
        texts = self._tokenizer.batch_decode(rows, skip_special_tokens=True)
        ended = torch.isin(rows, torch.tensor(self._ends, device=rows.device)).any(dim=1).tolist()
        return [
            Answer(text if self.one_text_a_prompt else f"{prompt.next_number}{text}", cut_off=not end)
            for prompt, text, end in zip(prompts, texts, ended, strict=True)
        ]

    def _text(self, prompt: ExamplePrompt) -> str:
        if not self.one_text_a_prompt:
            return prompt.as_list
        asked: str = self._tokenizer.apply_chat_template(prompt.as_turns, tokenize=False, add_generation_prompt=True)
        return asked

    def _config(self) -> GenerationConfig:
        left = self._budget.left
        return GenerationConfig(
            max_new_tokens=self._sampling.max_new_tokens,
            do_sample=True,
            temperature=self._sampling.temperature,
            top_p=TOP_P,
            top_k=0,
            max_time=None if left == float("inf") else max(left, 0.0),
            bos_token_id=self._causal_model.generation_config.bos_token_id,
            eos_token_id=self._ends,
            pad_token_id=self._tokenizer.pad_token_id,
        )

    @property
    def _ends(self) -> list[int]:
        """Tokens that end an answer: the model's own, and the tokenizer's, which ends a message of a chat."""
        own = self._causal_model.generation_config.eos_token_id
        tokens = {*(own if isinstance(own, list) else [own]), self._tokenizer.eos_token_id}
        return sorted(token for token in tokens if token is not None)

    def _check_length(self, asked: int) -> None:
        limit = getattr(self._causal_model.config, "max_position_embeddings", None)
        if limit is not None and asked + self._sampling.max_new_tokens > limit:
            raise GenerationError(
                f"the model reads and writes at most {limit} tokens: a prompt of {asked} and max_new_tokens "
                f"{self._sampling.max_new_tokens} are more; show fewer examples in a prompt or ask for fewer tokens"
            )
