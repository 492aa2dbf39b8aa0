"""Several answers to each prompt at once: the greedy one and samples, which minimum Bayes risk chooses from.

Sampling is greedy decoding of logits with Gumbel noise: the largest is a sample of their softmax. The noise of a prompt
is drawn from its ids and the seed, so its samples do not depend on what else is asked at the same time.

A row that has ended leaves the batch. On average a sample is half as long as the longest one of its prompt, and prompts
that share a batch differ more; in transformers' own loop all rows are computed until the last has ended.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig

from training.errors import ModelError


class SamplingNoise:
    """Noise for the rows of prompts, 1 + `samples` each; the first of each gets none, and stays the greedy answer."""

    def __init__(self, prompts: Sequence[Sequence[int]], samples: int, temperature: float, seed: int) -> None:
        self.rows = 1 + samples
        self._temperature = temperature
        self._generators = [torch.Generator().manual_seed(_seed_of(prompt, seed)) for prompt in prompts]

    def add_to(self, scores: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """`scores` (rows left, vocabulary) of the rows with the numbers `rows` (rows left,), which rise."""
        begin = 0
        for generator, left in zip(self._generators, self._left_of_each(rows), strict=True):
            # Nobody needs the numbers of a prompt whose rows have all ended.
            if not left:
                continue
            # For all of its rows, also those that have ended: a sample does not depend on how long others are.
            uniform = torch.rand(self.rows - 1, scores.shape[-1], generator=generator)
            own = rows[begin : begin + left] % self.rows
            first = int(own[0] == 0)
            noise = uniform[own[first:] - 1].log_().neg_().log_().neg_()
            drawn = scores[begin + first : begin + left]
            drawn.div_(self._temperature).add_(noise.to(scores.device))
            begin += left
        return scores

    def _left_of_each(self, rows: torch.Tensor) -> list[int]:
        left: list[int] = torch.bincount(rows // self.rows, minlength=len(self._generators)).tolist()
        return left


def draw_rows(
    model: Any, batch: dict[str, torch.Tensor], noise: SamplingNoise, config: GenerationConfig
) -> list[list[int]]:
    """Token ids of each row, in order, for the prompts of `batch` (`input_ids`, `attention_mask`).

    Of `config` this knows how long an answer may be, its start, its end, and what it must begin or end with.
    """
    encoded = model.get_encoder()(**batch, return_dict=True)
    mask = batch["attention_mask"]
    rows = torch.arange(len(mask) * noise.rows)
    of_prompts = rows.to(mask.device) // noise.rows
    encoded, mask = _select(encoded, of_prompts), mask[of_prompts]
    ends = torch.tensor([] if config.eos_token_id is None else config.eos_token_id, device=mask.device)
    newest = torch.full((len(rows), 1), _start(model, config), device=mask.device)
    answers: list[list[int]] = [[] for _ in rows]
    state = None
    for place in range(config.max_new_tokens):
        output = model(
            encoder_outputs=encoded,
            attention_mask=mask,
            decoder_input_ids=newest,
            past_key_values=state,
            use_cache=True,
        )
        chosen = noise.add_to(output.logits[:, -1].float(), rows).argmax(-1)
        if (forced := _forced(config, place)) is not None:
            chosen.fill_(forced)
        for row, token in zip(rows.tolist(), chosen.tolist(), strict=True):
            answers[row].append(token)
        left = torch.isin(chosen, ends, invert=True).nonzero().flatten()
        if not len(left):
            break
        state = output.past_key_values
        if len(left) < len(rows):
            state.reorder_cache(left)
            encoded, mask, rows = _select(encoded, left), mask[left], rows[left.cpu()]
        newest = chosen[left][:, None]
    return answers


def _start(model: Any, config: GenerationConfig) -> int:
    """The token before the first, as transformers finds it."""
    for found in (config.decoder_start_token_id, getattr(model.config, "decoder_start_token_id", None)):
        if found is not None:
            return int(found)
    if config.bos_token_id is None:
        raise ModelError("the model does not say how answers begin: no decoder_start_token_id and no bos_token_id")
    return int(config.bos_token_id)


def _select(encoded: Any, rows: torch.Tensor) -> Any:
    return type(encoded)(**{name: values[rows] for name, values in encoded.items()})


def _forced(config: GenerationConfig, place: int) -> int | None:
    """The token that some models' answers begin or end with, whatever their logits say."""
    forced = None
    if place == 0:
        forced = config.forced_bos_token_id
    if place == config.max_new_tokens - 1 and config.forced_eos_token_id is not None:
        forced = config.forced_eos_token_id
    return forced[0] if isinstance(forced, list) else forced


def _seed_of(prompt: Sequence[int], seed: int) -> int:
    digest = hashlib.sha256(f"{seed} {list(prompt)}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
