"""A prompt as token ids: texts become ids once, and are put together as often as needed.

    <head: everything up to the similar impressions> <separator> impression <separator> impression ... <tail, end token>

Training shows a record other similar impressions each epoch; so head and impressions are tokenised apart, in training
as in evaluation and at the endpoint. Without `{similar}` in the template the head is the whole prompt.
"""

from collections.abc import Sequence
from typing import Any

from training.errors import ArgumentError
from training.prompt import PLACEHOLDER, SIMILAR_PLACEHOLDER, check_prompt_template, render_prompt, shows_similar

# Stands in front of each similar impression where a tokenizer has no separator token of its own.
SEPARATOR = "\n- "

Ids = list[int]


class PromptTokens:
    """Composes the prompts of one template within `max_input_tokens`, end token included. `room` is how many of them
    are left for an input.

    Raises:
        ArgumentError: the template leaves no room for an input.
    """

    def __init__(self, tokenizer: Any, template: str, max_input_tokens: int) -> None:
        self.shows_similar = shows_similar(check_prompt_template(template))
        self.max_input_tokens = max_input_tokens
        self._tokenizer = tokenizer
        self._head, _, tail = template.partition(SIMILAR_PLACEHOLDER)
        self._begin, self._end = special_tokens(tokenizer)
        self._tail = [*self._plain([tail])[0], *self._end] if self.shows_similar else []
        before, _, after = self._head.partition(PLACEHOLDER)
        between, in_front = len(self._plain([after])[0]), len(self._begin) + len(self._plain([before])[0])
        # Tokens behind the input in the head; they stay when the input is cut.
        self._kept = between if self.shows_similar else between + len(self._end)
        self.room = max_input_tokens - in_front - self._kept - len(self._tail)
        if self.room < 1:
            raise ArgumentError(f"prompt_template alone fills max_input_tokens ({max_input_tokens})")
        separator = tokenizer.sep_token_id
        self._separator = None if separator in (None, tokenizer.eos_token_id) else separator

    def heads(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each prompt up to its similar impressions, not cut."""
        prompts = [render_prompt(self._head, text) for text in texts]
        ids: list[Ids] = self._tokenizer(prompts, verbose=False)["input_ids"]
        return [some[: len(some) - len(self._end)] for some in ids] if self.shows_similar else ids

    def impressions(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of similar impressions, each with its separator. A line break in one is a space."""
        lines = [" ".join(text.split()) for text in texts]
        if self._separator is None:
            return self._plain([f"{SEPARATOR}{line}" for line in lines])
        return [[self._separator, *ids] for ids in self._plain(lines)]

    def length(self, head: Sequence[int]) -> int:
        """Tokens of a prompt without any similar impression: with more than `max_input_tokens` it does not fit."""
        return len(head) + len(self._tail)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """`length` of the prompt of each text."""
        return [self.length(head) for head in self.heads(texts)]

    def input_lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text alone."""
        return [len(ids) for ids in self._plain(list(texts))] if texts else []

    def cut(self, head: Sequence[int]) -> Ids:
        """`head` with its input cut to what fits. For training alone, where a record that is too long still teaches its
        beginning: whoever answers splits a text or refuses it (training/summariser.py)."""
        return truncate(head, self.max_input_tokens - len(self._tail), self._kept)

    def compose(self, head: Sequence[int], impressions: Sequence[Sequence[int]]) -> Ids:
        """The whole prompt, of a head that fits. An impression that does not fit beside the input is left out."""
        room = self.max_input_tokens - self.length(head)
        if room < 0:
            raise ValueError(f"a prompt of {self.length(head)} tokens is longer than {self.max_input_tokens}")
        prompt = list(head)
        for impression in impressions:
            if len(impression) <= room:
                prompt += impression
                room -= len(impression)
        return [*prompt, *self._tail]

    def _plain(self, texts: list[str]) -> list[Ids]:
        ids: list[Ids] = self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        return ids


def truncate(ids: Sequence[int], limit: int, tail: int = 1) -> Ids:
    """`ids` cut to `limit` tokens in front of the last `tail`, which stay: the end token, and an instruction there."""
    return list(ids) if len(ids) <= limit else [*ids[: limit - tail], *ids[len(ids) - tail :]]


def special_tokens(tokenizer: Any) -> tuple[Ids, Ids]:
    """What a tokenizer puts in front of a text and behind it."""
    whole, plain = tokenizer("a")["input_ids"], tokenizer("a", add_special_tokens=False)["input_ids"]
    for begin in range(len(whole) - len(plain) + 1):
        if whole[begin : begin + len(plain)] == plain:
            return whole[:begin], whole[begin + len(plain) :]
    raise ArgumentError("the tokenizer reads a text otherwise when it adds its special tokens")
