"""Texts longer than a model reads: pieces that fit, and what was written of the pieces as one text.

A text is split where its writer began something new: at headings ("HPI:", "Assessment and Plan:") and blank lines; a
section that is too long itself at the ends of its sentences, a sentence at line breaks, then behind clauses, between
words, and a word that is longer than the model reads in halves. So nothing is dropped, and all pieces together are the
text.

Lengths are in the model's own tokens and with its prompt. There are as few pieces as fit, of about the same length: the
rest of a text alone in a last short piece would make the model say something of hardly anything.
"""

import itertools
import re
from collections.abc import Callable, Sequence

from training.errors import ArgumentError
from training.prompt_tokens import PromptTokens
from training.records import normalise
from training.report_text import sentences

# Share of the room that a piece leaves to the impressions of similar reports, where the prompt shows them: an input
# that fills all of it would be read without any, as the model was not trained to.
SIMILAR_SHARE = 0.25

# "Assessment and Plan:" at the beginning of a line or behind a sentence, or a line of capitals. What is taken for a
# heading and is none only makes a place where a text may be split.
_TITLE = r"[A-Z][\w/&()'-]*(?: [\w/&()'-]+){0,5}:(?!\S)"
_CAPITALS = r"[A-Z][A-Z /&-]{3,60}(?=\n)"
# Places between two characters, in front of the white space there. Never behind a colon: what it announces follows it.
_SECTION = re.compile(rf"(?<=[^\s:])(?=[^\S\n]*\n\s*?(?:\n|{_TITLE}|{_CAPITALS}))|(?<=[.!?;])(?=[^\S\n]+{_TITLE})")
_LINE = re.compile(r"(?<=\S)(?=[^\S\n]*\n)")
_CLAUSE = re.compile(r"(?<=[;:,])(?=\s)")
_WORD = re.compile(r"(?<=\S)(?=\s)")

# A part of a text and its tokens.
Unit = tuple[str, int]


class TextSplitter:
    """Splits texts for the prompts of one template."""

    def __init__(self, prompt: PromptTokens) -> None:
        self._prompt = prompt
        self._room = prompt.room
        if prompt.shows_similar:
            self._room = max(1, round(prompt.room * (1 - SIMILAR_SHARE)))

    def pieces(self, text: str) -> list[str]:
        """`text` in pieces whose prompts all fit.

        Raises:
            ArgumentError: the prompt leaves less room than one character needs.
        """
        room = self._room
        while True:
            pieces = _packed(self._units(text.strip(), room), room)
            # Tokens of parts are nearly those of the whole, not exactly: a tokenizer may join what lies side by side.
            excess = max(self._prompt.lengths(pieces)) - self._prompt.max_input_tokens
            if excess <= 0:
                return pieces
            room -= excess
            if room < 1:
                raise ArgumentError("the prompt leaves less room than one character needs: raise max_input_tokens")

    def _units(self, text: str, room: int, level: int = 0) -> list[Unit]:
        """Parts of at most `room` tokens, as large as the levels allow, with the white space in front of each."""
        parts = _LEVELS[level](text)
        # Without the space in front of each: many tokenizers put one there themselves.
        lengths = self._prompt.input_lengths([part.lstrip(" ") for part in parts])
        units: list[Unit] = []
        for part, tokens in zip(parts, lengths, strict=True):
            if tokens <= room:
                units.append((part, tokens))
            elif len(part) > 1:
                units += self._units(part, room, min(level + 1, len(_LEVELS) - 1))
            else:
                raise ArgumentError("the prompt leaves less room than one character needs: raise max_input_tokens")
        return units


def merge(summaries: Sequence[str]) -> str:
    """What was written of the pieces of one text, in their order; a sentence that was there before is left out.

    Lines stay lines; where nobody wrote more than one, the whole is one.
    """
    written = [summary.splitlines() for summary in summaries]
    known: set[str] = set()
    kept = []
    for line in itertools.chain(*written):
        new = []
        for sentence in sentences(line):
            said = normalise(sentence).rstrip(".!? ")
            if said not in known:
                known.add(said)
                new.append(sentence)
        if new:
            kept.append(" ".join(new))
    return ("\n" if any(len(lines) > 1 for lines in written) else " ").join(kept)


def _sections(text: str) -> list[str]:
    return _SECTION.split(text)


def _sentences(text: str) -> list[str]:
    """The sentences with the white space that stands between them, in front of each."""
    starts = [0, *(word.end() for word in re.finditer(r"\S+", text))]
    ends = itertools.accumulate(len(sentence.split()) for sentence in sentences(text))
    edges = [0, *(starts[words] for words in ends)]
    return [text[begin:end] for begin, end in itertools.pairwise(edges)]


def _halves(text: str) -> list[str]:
    return [text[: len(text) // 2], text[len(text) // 2 :]]


_LEVELS: tuple[Callable[[str], list[str]], ...] = (
    _sections,
    _sentences,
    _LINE.split,
    _CLAUSE.split,
    _WORD.split,
    _halves,
)


def _packed(units: Sequence[Unit], room: int) -> list[str]:
    """Neighbours together, in the fewest pieces of at most `room` tokens, the longest of them as short as can be."""
    lengths = [tokens for _, tokens in units]
    fewest = len(_filled(lengths, room))
    low, high = max(lengths), room
    while low < high:
        middle = (low + high) // 2
        if len(_filled(lengths, middle)) > fewest:
            low = middle + 1
        else:
            high = middle
    ends = list(itertools.accumulate(_filled(lengths, high)))
    pieces = ("".join(part for part, _ in units[begin:end]).strip() for begin, end in itertools.pairwise([0, *ends]))
    return [piece for piece in pieces if piece]


def _filled(lengths: Sequence[int], room: int) -> list[int]:
    """How many units each piece has when it takes as many as fit."""
    counts, used = [0], 0
    for length in lengths:
        if used + length > room:
            counts.append(0)
            used = 0
        counts[-1] += 1
        used += length
    return counts
