"""A model that writes examples in the job itself: any causal language model that transformers loads from files."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig

from training.errors import GenerationError, ModelError
from training.example_prompts import ExamplePrompt
from training.example_writers import MODEL, TOP_P, Answer, Sampling, TimeBudget
from training.language_model import LanguageModel

# The more at once, the less each costs; but the longest answer holds up the others, and a call that the time cuts off
# is mostly in vain, which on a CPU takes half a minute.
PROMPTS_A_CALL, PROMPTS_A_CALL_OF_GPU = 8, 32


class CausalWriter:
    """A loaded model. The same prompts in the same calls get the same answers, unless the time runs out."""

    provider = MODEL

    def __init__(self, loaded: LanguageModel, sampling: Sampling, budget: TimeBudget) -> None:
        self.model = loaded.name
        self.prompts_a_call = PROMPTS_A_CALL if loaded.on_cpu else PROMPTS_A_CALL_OF_GPU
        # One that knows messages is asked by a chat.
        self.one_text_a_prompt = loaded.chats
        self._loaded = loaded
        self._sampling = sampling
        self._budget = budget
        self._calls = 0

    @classmethod
    def load(cls, path: Path, sampling: Sampling, budget: TimeBudget) -> "CausalWriter":
        """Load what LanguageModel.load takes.

        Raises:
            ModelError: there is no such model, it cannot be loaded, or it is an encoder-decoder.
        """
        loaded = LanguageModel.load(path)
        if not loaded.is_causal:
            raise ModelError(f"a causal language model is needed to write examples, this one is {loaded.name}")
        return cls(loaded, sampling, budget)

    def write(self, prompts: Sequence[ExamplePrompt]) -> list[Answer]:
        asked = self._loaded.ids([self._text(prompt) for prompt in prompts])
        self._check_length(max(map(len, asked)))
        with torch.random.fork_rng():
            torch.manual_seed(self._sampling.seed + self._calls)
            rows = self._loaded.write(asked, self._config())
        self._calls += 1
        texts = self._loaded.texts(rows)
        ended = torch.isin(rows, torch.tensor(self._loaded.ends, device=rows.device)).any(dim=1).tolist()
        return [
            Answer(text if self.one_text_a_prompt else f"{prompt.next_number}{text}", cut_off=not end)
            for prompt, text, end in zip(prompts, texts, ended, strict=True)
        ]

    def _text(self, prompt: ExamplePrompt) -> str:
        return self._loaded.chat(prompt.as_turns) if self.one_text_a_prompt else prompt.as_list

    def _config(self) -> GenerationConfig:
        left = self._budget.left
        return GenerationConfig(
            max_new_tokens=self._sampling.max_new_tokens,
            do_sample=True,
            temperature=self._sampling.temperature,
            top_p=TOP_P,
            top_k=0,
            max_time=None if left == float("inf") else max(left, 0.0),
            bos_token_id=self._loaded.model.generation_config.bos_token_id,
            eos_token_id=self._loaded.ends,
            pad_token_id=self._loaded.tokenizer.pad_token_id,
        )

    def _check_length(self, asked: int) -> None:
        limit = self._loaded.most_tokens
        if limit is not None and asked + self._sampling.max_new_tokens > limit:
            raise GenerationError(
                f"the model reads and writes at most {limit} tokens: a prompt of {asked} and max_new_tokens "
                f"{self._sampling.max_new_tokens} are more; show fewer examples in a prompt or ask for fewer tokens"
            )
