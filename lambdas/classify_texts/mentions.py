"""Which drugs and which effects a text names, and which body system they are about, by lists and rules of our own.

`drugs.json` holds generic names (INN), the stems by which INNs of a class end (-pril, -mab), and ordinary words that
end so too. `effects.json` maps kinds to terms, in doctors' words and in patients'. Terms are found as whole words,
whatever their case, hyphens and line breaks; of terms in one place the longest wins; effects also in the plural. An
effect behind "no", "without", "denies" and the like, in the same clause, is not one. Whether something was there before
the drug (an illness that it was given for), the rules do not know.

Time grows linearly with the text: it is read once, word by word, and each word is looked up.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_WORD = re.compile(r"[^\W_]+")
# What may stand between the words of one term: "Stevens-Johnson", "St John's wort", a line break.
_JOINED = re.compile(r"[\s\-‐–'’]{1,3}")
_NEGATIONS = frozenset(("no", "not", "without", "denies", "denied", "never", "negative", "absence"))
# So many words before an effect may deny it: "denies any chest pain".
_NEGATION_REACH = 3
_CLAUSE_END = re.compile(r"[.;:!?\n]|\bbut\b")
# INN stems need something before them.
_STEM_PREFIX = 3
_LONGEST_WORD = 60


@dataclass(frozen=True)
class Mentions:
    """Each drug and effect once, in lower case, in the order of the text. `kind` is None without effects that the list
    knows; `icd10` holds codes, None where nobody looked for them."""

    drugs: tuple[str, ...]
    effects: tuple[str, ...]
    kind: str | None
    icd10: tuple[str, ...] | None = None


def find_mentions(text: str) -> Mentions:
    """What the lists and rules find in a text."""
    words = _words(text)
    drugs, effects = _drugs(), _effects()
    named = list(_terms(text, words, drugs.terms))
    named += [(number, word) for number, (word, _, _) in enumerate(words) if drugs.has_stem_of(word)]
    found = [
        (number, effect) for number, effect in _terms(text, words, effects.terms) if not _denied(text, words, number)
    ]
    return Mentions(
        drugs=_each_once(name for _, name in sorted(named)),
        effects=_each_once(effect for _, effect in found),
        kind=_commonest(effects.kinds[effect] for _, effect in found),
    )


def kind_of(effects: Iterable[str]) -> str | None:
    """The kind of most of these effects, as somebody else named them; None if the list knows none of their words."""
    terms, kinds = _effects().terms, _effects().kinds
    found = []
    for effect in effects:
        found += [kinds[term] for _, term in _terms(effect, _words(effect), terms)]
    return _commonest(found)


# (word in lower case, where it begins, where it ends)
_Words = Sequence[tuple[str, int, int]]
# First word -> (all words, term), longest first.
_Index = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]


@dataclass(frozen=True)
class _Drugs:
    terms: _Index
    names: frozenset[str]
    stems: tuple[str, ...]
    not_drugs: frozenset[str]

    def has_stem_of(self, word: str) -> bool:
        """An INN that is not in the list, by its stem."""
        if not word.endswith(self.stems) or word in self.names or word in self.not_drugs:
            return False
        # So that a stem alone, or a typing error of it, is none.
        return word.isalpha() and word[_STEM_PREFIX:].endswith(self.stems) and len(word) <= _LONGEST_WORD


@dataclass(frozen=True)
class _Effects:
    terms: _Index
    kinds: Mapping[str, str]


@cache
def _drugs() -> _Drugs:
    content = _read("drugs.json")
    names = content["names"]
    return _Drugs(_index(names, ()), frozenset(names), tuple(content["stems"]), frozenset(content["not_drugs"]))


@cache
def _effects() -> _Effects:
    kinds = {term: kind for kind, terms in _read("effects.json").items() for term in terms}
    return _Effects(_index(kinds, ("s", "es")), kinds)


def _words(text: str) -> _Words:
    return [(match.group().lower(), match.start(), match.end()) for match in _WORD.finditer(text)]


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_FOLDER / name).read_text(encoding="utf-8"))
    return content


def _index(terms: Iterable[str], endings: Sequence[str]) -> _Index:
    """With `endings`, a term's last word may also end so."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for term in terms:
        *first, last = _WORD.findall(term)
        for ending in ("", *endings):
            words = (*first, last + ending)
            index.setdefault(words[0], []).append((words, term))
    for candidates in index.values():
        candidates.sort(key=lambda candidate: -len(candidate[0]))
    return index


def _terms(text: str, words: _Words, index: _Index) -> Iterator[tuple[int, str]]:
    """(number of its first word, term) of each term, none within another."""
    number = 0
    while number < len(words):
        for wanted, term in index.get(words[number][0], ()):
            if _stands_at(text, words, number, wanted):
                yield number, term
                number += len(wanted)
                break
        else:
            number += 1


def _stands_at(text: str, words: _Words, number: int, wanted: tuple[str, ...]) -> bool:
    if number + len(wanted) > len(words):
        return False
    for offset, word in enumerate(wanted):
        found, start, _ = words[number + offset]
        if found != word or (offset and not _JOINED.fullmatch(text, words[number + offset - 1][2], start)):
            return False
    return True


def _denied(text: str, words: _Words, number: int) -> bool:
    for before in range(number - 1, max(number - 1 - _NEGATION_REACH, -1), -1):
        if words[before][0] in _NEGATIONS:
            return _CLAUSE_END.search(text, words[before][2], words[number][1]) is None
    return False


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _commonest(kinds: Iterable[str]) -> str | None:
    """The one that comes most often; of several the first."""
    ranked = Counter(kinds).most_common(1)
    return ranked[0][0] if ranked else None
