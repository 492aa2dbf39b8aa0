"""How far a negation reaches in clinical prose, by rules.

A sentence falls into clauses at words after which a negation no longer holds ("no effusion but an opacity"). Within a
clause a negation reaches everything behind it. Texts are expected in lower case; nothing here changes their length, so
a position in a clause is one in the text.
"""

import re
from collections.abc import Callable, Iterator

_NEGATION = re.compile(
    r"\b(?:no|not|without|negative (?:for|chest|acute)|free of|absence of|absent|clear of|rather than|neither|nor"
    r"|den(?:ies|ied|ying)|never|\w+n['’]t)\b"
)
# Where the reach of a negation ends.
BREAK = re.compile(
    r"[;:]|\b(?:but|however|although|though|except|aside|apart|other than|with|there (?:is|are)|which|known"
    r"|consistent with|due to|secondary to|given|despite|status post|s/p|remains?)\b"
    r"|,(?=\s*(?:and\s+)?(?:stable|unchanged|mild|moderate|severe|chronic|old|persistent|low|small|large|left|right"
    r"|bilateral)\b)"
)
# In notes also where the patient goes on to have, do or be given something ("denies fever and reports a cough"), at
# the next item of a list that has an article, and at brackets.
NOTE_BREAK = re.compile(
    BREAK.pattern
    + r"|(?:,|\band|\bwho)\s+(?:(?:also|now|he|she|they|(?:the )?(?:patient|pt))\s+)*(?:has|had|is|was|were|reports?"
    r"|reported|complain(?:s|ed)|presents?|presented|takes?|took|admit(?:s|ted)|endorse[sd]|developed|diagnosed|started"
    r"|underwent)\b|[()]|\bpositive for\b|,(?=\s*(?:an?|the|on)\b)"
)
# What notes write otherwise, or what would end the reach of a negation that it belongs to ("no known allergies", "not
# consistent with pneumonia").
_NOTE_NEGATIONS = re.compile(
    r"\bw/o\b|\bneg(?:ative)? for\b|\b(?:no|not|without) (?:known|given|consistent with|due to|secondary to)\b"
)
# "No increase in the effusion" says that there is one.
_NOTE_UNCHANGED = re.compile(r"\b(?:no|without)\b(?: [\w-]+){0,3} (?:increase|worsening|progression) (?:in|of)\b")
# "No change in the effusion" says that there is one.
_UNCHANGED = re.compile(r"\b(?:no|without)\b(?: [\w-]+){0,3} changes? (?:in|of|to)\b")


def clauses(sentence: str, breaks: re.Pattern[str] = BREAK) -> Iterator[tuple[int, str]]:
    """Each clause and where in `sentence` it begins; what breaks them apart is in none."""
    sentence = _UNCHANGED.sub(_in_place("unchanged"), sentence)
    begin = 0
    for found in breaks.finditer(sentence):
        yield begin, sentence[begin : found.start()]
        begin = found.end()
    yield begin, sentence[begin:]


def note_clauses(sentence: str) -> Iterator[tuple[int, str]]:
    """The same of a clinical note, whose negations are of more kinds."""
    sentence = _NOTE_UNCHANGED.sub(_in_place("unchanged"), sentence)
    return clauses(_NOTE_NEGATIONS.sub(_in_place("no"), sentence), NOTE_BREAK)


def _in_place(word: str) -> Callable[[re.Match[str]], str]:
    """Puts `word` where something else stood, without moving what follows."""
    return lambda found: word.ljust(len(found[0]))


def negation_before(clause: str, at: int) -> re.Match[str] | None:
    """The last negation that begins before or at position `at` of the clause."""
    found = [negation for negation in _NEGATION.finditer(clause) if negation.start() <= at]
    return found[-1] if found else None


def is_negated(clause: str, at: int) -> bool:
    """Whether a negation reaches position `at` of the clause."""
    return negation_before(clause, at) is not None
