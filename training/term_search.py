"""Finds the concepts of a dictionary in texts.

One line of a dictionary is one concept:

    name = spelling, spelling*, ABBREVIATION < narrower concept, ...

A spelling matches whole words in any letter case, with a space or a hyphen between them; `*` takes any ending. One
with a capital letter is an abbreviation, which only counts as it is written there. A concept is held by a text that
holds a narrower one: who was given metoprolol was given a beta blocker, but not the other way round. An indented line
goes on with the one before it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept that a text names between two positions."""

    concept: str
    start: int
    end: int


class Dictionary:
    """Finds the concepts of `lines` in texts."""

    def __init__(self, lines: str) -> None:
        words: dict[str, str] = {}
        abbreviations: dict[str, str] = {}
        self._broader: dict[str, set[str]] = {}
        for line in filter(None, lines.replace("\n    ", " ").splitlines()):
            concept, _, rest = line.partition(" = ")
            spellings, _, narrower = rest.partition(" < ")
            for spelling in spellings.split(", "):
                is_word = spelling == spelling.lower()
                (words if is_word else abbreviations)[spelling] = concept
            for name in filter(None, narrower.split(", ")):
                self._broader.setdefault(name, set()).add(concept)
        self._concept_of: Mapping[str, str] = {s.rstrip("*"): c for s, c in {**words, **abbreviations}.items()}
        self._patterns = (_any_of(words), _any_of(abbreviations)) if abbreviations else (_any_of(words),)

    def mentions(self, text: str, folded: str) -> Iterator[Mention]:
        """Where `text` names a concept; `folded` is the same text in lower case, with spaces for hyphens."""
        for pattern, searched in zip(self._patterns, (folded, text), strict=False):
            for found in pattern.finditer(searched):
                spelling = found["stem"] or found["whole"]
                yield Mention(self._concept_of[spelling], found.start(), found.end())

    def with_broader(self, concepts: Iterable[str]) -> set[str]:
        """The concepts, and those of which they are narrower ones."""
        held = set(concepts)
        return held.union(*(self._broader.get(concept, ()) for concept in held))


def _any_of(spellings: Iterable[str]) -> re.Pattern[str]:
    """Longer spellings first, so that "heart attack" is not taken for a part of it."""
    longest = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    stems = "|".join(re.escape(spelling[:-1]) for spelling in longest if spelling.endswith("*"))
    whole = "|".join(re.escape(spelling) for spelling in longest if not spelling.endswith("*"))
    stem = rf"(?P<stem>{stems})\w*" if stems else r"(?P<stem>(?!))"
    return re.compile(rf"\b(?:(?P<whole>{whole})\b|{stem})")
