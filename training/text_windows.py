"""Texts as an encoder reads them: whole where they fit, otherwise in windows that overlap.

A window is as long as the texts that the model was trained on, special tokens included. Neighbours share a quarter of
their tokens, so that what stands at the end of one has what follows it in the next. The last window ends with the text
and is no shorter than the others: an encoder says odd things of three words without what stood in front of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from training.errors import ArgumentError
from training.model_loading import batches_by_length
from training.prompt_tokens import Ids, special_tokens

# Share of a window that stands in the next one too.
OVERLAP = 0.25


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as the model reads it: at least one window of token ids. `tokens` is how many the whole text has."""

    windows: list[Ids]
    tokens: int

    @property
    def long(self) -> bool:
        """It is longer than the model reads at once."""
        return len(self.windows) > 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded `inputs` of the model, (windows, longest) each, and the text that each window is of, by its place."""

    texts: list[int]
    inputs: dict[str, torch.Tensor]


class TextWindows:
    """Reads texts with one tokenizer, `max_input_tokens` at a time.

    Raises:
        ArgumentError: `max_input_tokens` leaves no room for a text.
    """

    def __init__(self, tokenizer: Any, max_input_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._begin, self._end = special_tokens(tokenizer)
        self._room = max_input_tokens - len(self._begin) - len(self._end)
        if self._room < 1:
            raise ArgumentError(f"max_input_tokens ({max_input_tokens}) leaves no room for a text")

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as token ids, in their order."""
        ids: list[Ids] = self._tokenizer(list(texts), verbose=False)["input_ids"] if texts else []
        return [Reading(self._windows(some), len(some)) for some in ids]

    def batches(self, readings: Sequence[Reading], batch_size: int, device: Any) -> Iterator[Batch]:
        """All windows, those of similar length together, at most `batch_size` at a time."""
        owners = [(place, window) for place, reading in enumerate(readings) for window in reading.windows]
        for chosen in batches_by_length([len(window) for _, window in owners], batch_size):
            padded = self._tokenizer.pad({"input_ids": [owners[one][1] for one in chosen]}, return_tensors="pt")
            inputs = {name: padded[name].to(device) for name in ("input_ids", "attention_mask")}
            yield Batch([owners[one][0] for one in chosen], inputs)

    def _windows(self, ids: Ids) -> list[Ids]:
        text = ids[len(self._begin) : len(ids) - len(self._end)]
        last = len(text) - self._room
        if last <= 0:
            return [ids]
        step = max(1, round(self._room * (1 - OVERLAP)))
        return [
            [*self._begin, *text[start : start + self._room], *self._end] for start in (*range(0, last, step), last)
        ]
