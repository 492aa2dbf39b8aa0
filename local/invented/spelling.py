"""How people type who are in a hurry: small letters, no apostrophes, slips of the finger.

Slips fall on every word alike, whatever the text says, and a mention that is mistyped remains a mention.
"""

import random
import re
from dataclasses import dataclass, replace

from local.invented.grammar import Piece

_WORD = re.compile(r"[A-Za-z]{5,}")
_SHORT_FORMS = {"you": "u", "because": "cos", "please": "pls", "something": "smth", "though": "tho", "thanks": "thx"}
_SHORT_FORM = re.compile(r"\b(" + "|".join(_SHORT_FORMS) + r")\b")


@dataclass(frozen=True)
class Typist:
    """One person's way of typing. `slips` is the share of long words with a slip, in [0, 1]."""

    slips: float
    lower: bool
    apostrophes: bool
    short_forms: bool

    def type(self, pieces: list[Piece], rng: random.Random) -> list[Piece]:
        """The same pieces as this person would type them."""
        return [replace(piece, text=self._type(piece.text, rng)) for piece in pieces]

    def _type(self, text: str, rng: random.Random) -> str:
        if self.lower:
            text = text.lower()
        if not self.apostrophes:
            text = text.replace("'", "")
        if self.short_forms:
            text = _SHORT_FORM.sub(lambda match: _SHORT_FORMS[match[0]], text)
        return _WORD.sub(lambda match: _slip(match[0], rng) if rng.random() < self.slips else match[0], text)


CAREFUL = Typist(slips=0.0, lower=False, apostrophes=True, short_forms=False)


def hurried(rng: random.Random) -> Typist:
    """Somebody who types on a telephone; some do it well."""
    return Typist(
        slips=rng.choice((0.0, 0.02, 0.06)),
        lower=rng.random() < 0.6,
        apostrophes=rng.random() < 0.5,
        short_forms=rng.random() < 0.3,
    )


def terse(rng: random.Random) -> Typist:
    """Somebody who writes at the bedside."""
    return Typist(slips=rng.choice((0.0, 0.0, 0.02)), lower=rng.random() < 0.7, apostrophes=True, short_forms=False)


def _slip(word: str, rng: random.Random) -> str:
    """Two letters swapped, one left out, or one doubled; never the first, by which readers know a word."""
    place = rng.randrange(1, len(word) - 1)
    before, here, after = word[:place], word[place], word[place + 1 :]
    return rng.choice((before + after[0] + here + after[1:], before + after, before + here + here + after))
