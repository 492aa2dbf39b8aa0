"""Whether an answer says something clinical that its input does not hold, by five rules.

    number     a number or measurement that the input does not hold
    side       another side (left, right, bilateral) of the same finding or body part
    negation   a finding that the input denies, asserted; or the reverse
    severity   another severity (mild, moderate, severe) of the same finding
    term       a condition, finding, drug or procedure that the input does not name

Rules, not a model: the same texts always give the same errors, and a reader can follow each. They are made to stay
silent where they cannot be sure: what the input asks, suspects or tells of a relative has no polarity, and what is not
in the dictionary (training/clinical_terms.py) is not seen. docs/choosing.md says what else they miss.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

from training.clinical_terms import body_parts, clinical_terms
from training.negation import negation_before, note_clauses
from training.quantities import Quantity, readable, stated
from training.report_text import POINT, sentences
from training.term_search import Mention

NUMBER, SIDE, NEGATION, SEVERITY, TERM = "number", "side", "negation", "severity", "term"
CHECKS = (NUMBER, SIDE, NEGATION, SEVERITY, TERM)

_LEFT, _RIGHT, _BILATERAL = "left", "right", "bilateral"
_QUALIFIERS = {
    # Not the verb ("left the ward") nor the adverb ("right now").
    _LEFT: r"(?<!was )(?<!were )(?:left|lt)\b(?! (?:the|against|ama|work|home|school|him|her|us|it|over|alone|in place"
    r")\b)",
    # "RT" alone is a therapist.
    _RIGHT: r"(?<!\ball )(?:right\b(?! (?:now|away|here|there|after|before)\b)"
    r"|rt\b(?= [a-z])(?! (?:and|or|for|at|was|is|in|to|on|who|with)\b))",
    _BILATERAL: r"(?:bilateral(?:ly)?|both(?= (?:[a-z]+ ){0,2}[a-z]+s\b)|bibasilar|bibasal|biapical)\b",
    # "small bowel" is no severity.
    "mild": r"(?:mild(?:ly)?|minimal(?:ly)?|slight(?:ly)?|trace|tiny|small(?! (?:bowel|intestin|cell)))\b",
    "moderate": r"moderate(?:ly)?\b",
    "severe": r"(?:severe(?:ly)?|marked(?:ly)?|massive|extensive|profound|large(?! (?:bowel|intestin|cell)))\b",
}
_QUALIFIER = re.compile("|".join(rf"\b(?P<{name}>{pattern})" for name, pattern in _QUALIFIERS.items()))
_SIDES = frozenset({_LEFT, _RIGHT, _BILATERAL})
_SEVERITIES = frozenset(_QUALIFIERS) - _SIDES
# "left sided weakness", "severe right gait unsteadiness".
_WORDS_BEHIND = re.compile(r" (?:(?:sided|left|right|bilateral) )*([a-z]{4,})(?: ([a-z]{4,}))?")
# Within a clause, what stands between these belongs together ("left knee pain and right hip pain"), and to a finding
# also what follows up to the next one ("pain in the left knee and the right hip").
_CHUNK_END = re.compile(r",|/|\b(?:and|or)\b")
# Beside what negation.py has: right before a finding ("negative pregnancy test", "non-tender"), and behind it, in its
# clause. Beyond a comma it may be of something else ("chest pain, troponin negative"): then neither is certain.
_DENIED_BEFORE = re.compile(r"\b(?:negative (?:(?!and\b|or\b)[a-z]+ ){0,2}|non )$")
_DENIED_AFTER = re.compile(
    r"\b(?:ruled out|excluded|absent|denied|negative|none|not (?:seen|present|identified|found|noted|detected))\b"
)
_FREE = re.compile(r" free\b(?! (?:of|from|fluid|air))")
_LAST_OF_LIST = re.compile(r"\bn?or\b")
# What is said to be possible, past, sought, or somebody else's.
_OPEN = re.compile(
    r"\b(?:possib\w+|probabl\w+|likel\w+|suspect\w*|suspicio\w+|concern\w*|may|might|could|versus|vs|cannot|rule out"
    r"|r/o|exclude|evaluat\w+|assess\w*|risk\w*|if|prevent\w*|prophyla\w+|monitor\w*|screen\w*|watch\w*|unless|previous"
    r"|prior|past|before|ago|resolv\w+|gone|settl\w+|subsid\w+|resolution|clear(?:ed|ing)|improv\w+|unclear|uncertain|questionable|any|would"
    r"|will|family|father|mother|brother\w*|sister\w*|aunt|uncle|grand\w+|parents?|mom|dad|son|daughter|husband|wife)\b"
)
# PE is an examination as a heading, HD a day in hospital with a number, and no mass is meant by an index.
_OTHER_SENSE = re.compile(r"\bPE(?=\s*:)|\bHD(?=\s*#?\d)|\b[Mm]ass(?= index)")
_SPELT = re.compile(r"\b[A-Z](?: [A-Z])+\b")
_FOLD = str.maketrans({chr(c): chr(c).lower() for c in range(ord("A"), ord("Z") + 1)} | {"-": " ", "‐": " ", "–": " "})


class _Kind(Enum):
    """By what a mention was found: both dictionaries, or as the words behind a side or severity."""

    TERM = "term"
    BODY_PART = "body part"
    WORD = "word"


class Polarity(Enum):
    """What a text says of a finding: that it is there, that it is not, or neither for certain."""

    ASSERTED = "asserted"
    NEGATED = "negated"
    OPEN = "open"


class ClinicalError(NamedTuple):
    """`check` is one of CHECKS; `passage` what the answer says."""

    check: str
    passage: str


@dataclass(frozen=True, slots=True)
class _Mention:
    """A concept in its sentence. `near` are the sides and severities beside it, `around` those of its sentence.
    `passage` is the part that names it with what is near, `term` only its name."""

    kind: _Kind
    concept: str
    polarity: Polarity
    near: frozenset[str]
    around: frozenset[str]
    passage: str
    term: str

    @property
    def key(self) -> tuple[_Kind, str]:
        """The same concept has the same key."""
        return self.kind, self.concept


@dataclass(frozen=True)
class InputFacts:
    """What an input holds, read once for all answers to it."""

    mentions: Mapping[tuple[_Kind, str], tuple[_Mention, ...]]
    held: frozenset[str]
    qualifiers: frozenset[str]
    quantities: tuple[Quantity, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read an input of any length."""
        mentions: dict[tuple[_Kind, str], list[_Mention]] = {}
        for mention in _mentions(text):
            mentions.setdefault(mention.key, []).append(mention)
        plain = _plain(text)
        return cls(
            {key: tuple(found) for key, found in mentions.items()},
            frozenset(clinical_terms().with_broader(concept for kind, concept in mentions if kind is _Kind.TERM)),
            _qualifiers(plain.translate(_FOLD)),
            tuple(set(readable(plain.lower()))),
        )


def clinical_errors(facts: InputFacts, answer: str) -> list[ClinicalError]:
    """What the rules object to in an answer to that input: numbers first, each passage once for a check."""
    found = [ClinicalError(NUMBER, passage) for passage in _unheld_numbers(facts, answer)]
    for mention in _mentions(answer):
        found += _objections(facts, mention)
    return list(dict.fromkeys(found))


def _objections(facts: InputFacts, mention: _Mention) -> Iterator[ClinicalError]:
    theirs = facts.mentions.get(mention.key, ())
    if mention.kind is _Kind.TERM:
        if mention.concept not in facts.held and mention.polarity is not Polarity.NEGATED:
            yield ClinicalError(TERM, mention.term)
        if theirs and _is_flipped(mention, theirs):
            yield ClinicalError(NEGATION, mention.passage)
    if not theirs:
        return
    for check, axis in ((SIDE, _SIDES), (SEVERITY, _SEVERITIES)):
        ours, allowed = mention.near & axis, _allowed(facts, mention.kind, theirs, axis)
        if len(ours) == 1 and allowed is not None and not ours <= allowed:
            yield ClinicalError(check, mention.passage)


def _is_flipped(mention: _Mention, theirs: tuple[_Mention, ...]) -> bool:
    opposite = {Polarity.ASSERTED: Polarity.NEGATED, Polarity.NEGATED: Polarity.ASSERTED}.get(mention.polarity)
    return all(each.polarity is opposite for each in theirs)


def _allowed(
    facts: InputFacts, kind: _Kind, theirs: tuple[_Mention, ...], axis: frozenset[str]
) -> frozenset[str] | None:
    """What the input says of the concept on this axis; where it says nothing of it, what it says of anything.

    None where a word is no concept and the input says nothing of it: then nothing is known.
    """
    said = frozenset().union(*(each.near for each in theirs)) & axis
    if kind is _Kind.WORD and not said:
        return None
    said = said or frozenset().union(*(each.around for each in theirs)) & axis
    said = said or facts.qualifiers & axis
    return said | {_BILATERAL} if {_LEFT, _RIGHT} <= said else said


def _unheld_numbers(facts: InputFacts, answer: str) -> Iterator[str]:
    for sentence in sentences(answer):
        for quantity in stated(POINT.sub("", sentence.lower())):
            if not any(quantity.equals(other) for other in facts.quantities):
                yield quantity.text


def _mentions(text: str) -> Iterator[_Mention]:
    for sentence in sentences(_plain(text)):
        folded = sentence.translate(_FOLD)
        around = _qualifiers(folded)
        for begin, clause in note_clauses(folded):
            # A question says nothing for certain.
            is_open = "?" in sentence or _OPEN.search(clause) is not None
            yield from _clause_mentions(sentence[begin : begin + len(clause)], clause, is_open, around)


def _clause_mentions(text: str, clause: str, is_open: bool, around: frozenset[str]) -> Iterator[_Mention]:
    named = list(_named(text, clause))
    terms = sorted(mention.start for kind, mention in named if kind is _Kind.TERM)
    for kind, mention in named:
        next_term = next((start for start in terms if start >= mention.end), len(clause))
        chunk = _chunk(clause, mention, next_term if kind is _Kind.TERM else mention.end)
        yield _Mention(
            kind,
            mention.concept,
            Polarity.OPEN if is_open else _polarity(clause, mention),
            _qualifiers(clause[chunk]),
            around,
            text[chunk].strip(" .:,"),
            text[mention.start : mention.end],
        )


def _chunk(clause: str, mention: Mention, until: int) -> slice:
    """What stands with a mention: its own part of the clause, and the next ones that end before `until`."""
    begin = max((end.end() for end in _CHUNK_END.finditer(clause, 0, mention.start)), default=0)
    ends = [*(end.start() for end in _CHUNK_END.finditer(clause, mention.end)), len(clause)]
    before = [end for end in ends if end <= until]
    return slice(begin, before[-1] if before else ends[0])


def _named(text: str, clause: str) -> Iterator[tuple[_Kind, Mention]]:
    for kind, dictionary in ((_Kind.TERM, clinical_terms()), (_Kind.BODY_PART, body_parts())):
        for mention in dictionary.mentions(text, clause):
            yield kind, mention
    for qualifier in _QUALIFIER.finditer(clause):
        behind = _WORDS_BEHIND.match(clause, qualifier.end())
        for number in (1, 2):
            if behind and behind[number]:
                yield _Kind.WORD, Mention(behind[number], behind.start(number), behind.end(number))


def _polarity(clause: str, mention: Mention) -> Polarity:
    end = mention.end
    if _DENIED_BEFORE.search(clause[: mention.start]) or _FREE.match(clause, end):
        return Polarity.NEGATED
    if denied := _DENIED_AFTER.search(clause, end):
        return Polarity.OPEN if "," in clause[end : denied.start()].rstrip(", ") else Polarity.NEGATED
    negation = negation_before(clause, mention.start)
    if negation is None:
        return Polarity.ASSERTED
    reached = clause[negation.end() : mention.start]
    # "no fever, morphine given": behind a comma something is denied for certain only in a list, up to its end.
    last = _LAST_OF_LIST.search(clause, negation.end())
    denies = negation[0].startswith("den")
    in_list = denies if last is None else negation.end() + reached.rfind(",") < last.start()
    return Polarity.NEGATED if in_list or "," not in reached else Polarity.OPEN


def _plain(text: str) -> str:
    """Single spaces; a spelt abbreviation ("C O P D") as one word; without words that mean something else here."""
    spelt = _SPELT.sub(lambda found: found[0].replace(" ", ""), " ".join(text.split()))
    return _OTHER_SENSE.sub("this", spelt)


def _qualifiers(folded: str) -> frozenset[str]:
    return frozenset(found.lastgroup for found in _QUALIFIER.finditer(folded) if found.lastgroup)
