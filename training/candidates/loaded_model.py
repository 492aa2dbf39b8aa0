"""A foundation model that the job loads itself, as a candidate: causal or encoder-decoder, used as it is."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import GenerationConfig
from transformers.utils import logging as transformers_logging

from training.candidates.arguments import CandidateArguments
from training.candidates.outcomes import Answers, Outcome, Unanswered, UnansweredError, each_alone
from training.generation import GenerationParameters
from training.hub_commit import newest_commit
from training.hub_download import commit_of, download_model
from training.language_model import LanguageModel

TEXTS_A_CALL, TEXTS_A_CALL_OF_GPU = 4, 16


class LoadedCandidate:
    """Decodes greedily. One that was trained on messages is asked by a message."""

    def __init__(self, loaded: LanguageModel, max_new_tokens: int, texts_a_call: int | None) -> None:
        self.texts_a_call = texts_a_call or (TEXTS_A_CALL if loaded.on_cpu else TEXTS_A_CALL_OF_GPU)
        self._loaded = loaded
        self._max_new_tokens = max_new_tokens

    def ask(self, texts: Sequence[str]) -> Answers:
        return Answers(each_alone(self._within_memory, texts))

    def _within_memory(self, texts: Sequence[str]) -> list[Outcome]:
        try:
            return self._ask(texts)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise UnansweredError("the machine's memory does not hold the prompt beside the model") from error

    def _ask(self, texts: Sequence[str]) -> list[Outcome]:
        prompts = self._loaded.ids([self._asked(text) for text in texts])
        too_long = [self._too_long(len(prompt)) for prompt in prompts]
        fitting = [prompt for prompt, refusal in zip(prompts, too_long, strict=True) if refusal is None]
        written = iter(self._loaded.texts(self._loaded.write(fitting, self._config())) if fitting else ())
        outcomes: list[Outcome] = [next(written) if refusal is None else refusal for refusal in too_long]
        return outcomes

    def _asked(self, text: str) -> str:
        return self._loaded.chat([{"role": "user", "content": text}]) if self._loaded.chats else text

    def _too_long(self, tokens: int) -> Unanswered | None:
        limit, room = self._loaded.most_tokens, self._max_new_tokens if self._loaded.is_causal else 0
        if limit is None or tokens + room <= limit:
            return None
        answer = f" with an answer of {room}" if room else ""
        return Unanswered(f"the prompt is {tokens} tokens long, and the model reads {limit}{answer}")

    def _config(self) -> GenerationConfig:
        config = GenerationParameters().generation_config(self._loaded.model.generation_config)
        config.max_new_tokens = self._max_new_tokens
        config.pad_token_id = self._loaded.tokenizer.pad_token_id
        if self._loaded.is_causal:
            config.eos_token_id = self._loaded.ends
        return config


def load_foundation(arguments: CandidateArguments, scratch: Path) -> LoadedCandidate:
    """Load what LanguageModel.load takes, or a model of the hub, which is fetched into `scratch`.

    Raises:
        ModelError: it cannot be fetched or loaded.
    """
    assert arguments.max_new_tokens is not None
    transformers_logging.disable_progress_bar()
    model = arguments.model
    if model is None:
        model = scratch / "model"
        model.mkdir()
        model_id = str(arguments.model_id)
        download_model(model_id, arguments.revision or commit_of(model_id, newest_commit), model, None)
    return LoadedCandidate(LanguageModel.load(model), arguments.max_new_tokens, arguments.batch_size)
