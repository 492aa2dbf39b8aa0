"""How a model is asked for further texts of a label, and which texts its answer holds.

It is shown some and writes on. A model that only continues text is given the beginning of a numbered list; one that
takes messages is asked for a list, and where its answer can be begun for it, that begins with the shown texts.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.splits import Record

# Numbers and bullets before the items of a list.
_MARK = re.compile(r"\s*(?:\d{1,3}\s?[.):]|[-*•–])(?:\s+|$)")
# What models write before a text to say what it is.
_NAMING = r"^(?:(?:new |further )?(?:text|example|sentence|item)(?: \d+)?|{label})\s*[:–-]\s*"
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}


@dataclass(frozen=True)
class ExamplePrompt:
    """A request for as many further texts of `label` as there are `examples`."""

    examples: tuple[Record, ...]
    label: str

    @property
    def next_number(self) -> str:
        """The number of the first text to be written, as it stands in the list."""
        return f"{len(self.examples) + 1}."

    @property
    def as_list(self) -> str:
        """For a model that continues text. Ends with `next_number`."""
        return f"{self._heading}:\n\n{self.begun_answer}"

    @property
    def request_of_list(self) -> str:
        """For a model whose answer begins with `begun_answer`."""
        return f"Write {self._heading}, as a numbered list, each on one line."

    @property
    def begun_answer(self) -> str:
        return f"{self._shown}\n{self.next_number}"

    @property
    def request(self) -> str:
        """For a model that is shown the texts in the request."""
        count = len(self.examples)
        return (
            f"Here are {count} texts, all of the kind “{in_words(self.label)}”:\n\n{self._shown}\n\n"
            f"Write {count} new texts of the same kind, in the same styles, each telling of something else. Name no "
            "person. Answer with a numbered list, one text on a line, and nothing else."
        )

    @property
    def _heading(self) -> str:
        return f"{2 * len(self.examples)} different texts, all of the kind “{in_words(self.label)}”"

    @property
    def _shown(self) -> str:
        texts = (" ".join(example.input.split()) for example in self.examples)
        return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, start=1))


def in_words(label: str) -> str:
    return " ".join(label.replace("_", " ").split())


def example_prompts(pool: Sequence[Record], label: str, size: int, seed: int) -> Iterator[ExamplePrompt]:
    """Prompts of `size` records each, without end: every record once, in random order, before any a second time.

    The records that are left at the end of such a pass, too few for a prompt, wait for the next.
    """
    rng = random.Random(seed)
    while True:
        order = rng.sample(pool, len(pool))
        for start in range(0, len(order) - size + 1, size):
            yield ExamplePrompt(tuple(order[start : start + size]), label)


def texts_of(answer: str, label: str) -> list[str]:
    """The texts of an answer, without numbers, quotes and what says what they are; of an empty answer one empty text.

    They are the items of its first list: what stands before it, or behind it and an empty line, is talk. Without a list
    each line is a text.
    """
    lines = answer.splitlines()
    listed = any(map(_MARK.match, lines))
    texts: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if not line.strip():
            continue
        if _MARK.match(line) or not listed:
            texts.append(line)
        elif texts and not before.strip():
            break
        elif texts:
            texts[-1] += f" {line}"
    return [_bare(text, label) for text in texts or [""]]


def _bare(text: str, label: str) -> str:
    text = " ".join(_MARK.sub("", text, count=1).replace("**", "").split())
    text = re.sub(_NAMING.format(label=re.escape(in_words(label))), "", text, count=1, flags=re.IGNORECASE)
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        return text[1:-1].strip()
    return text
