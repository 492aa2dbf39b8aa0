"""What one invented note tells of: a patient, the main problem and its facts, each written long in the note and short
in the summary."""

import random
import re
from dataclasses import dataclass
from functools import cache

from local.invented.grammar import Choice, Parsed, Piece, join, slots, write
from local.invented.note_vocabulary import LIST_SLOTS, Fact, NoteVocabulary, Problem, is_value

_PROCEDURE_SHARE, _SWITCH_SHARE, _EVENT_SHARE = 0.45, 0.25, 0.35
_CONDITIONS = (0, 1, 1, 2)
# Whole numbers from here on are rounded to tens, as people do.
_ROUNDED_FROM = 400
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Patient:
    """`introduced` as notes write it ("a 78-year-old woman"), `short` as summaries do ("78F"); with pronouns.

    `group` (of PATIENTS) says which filler fits.
    """

    introduced: str
    short: str
    group: str
    he: str
    his: str
    him: str


class ToldFact:
    """A fact whose values are drawn: what the note says and what the summary says are the same."""

    def __init__(self, fact: Fact, scene: dict[str, str], rng: random.Random) -> None:
        self._fact = fact
        self._rng = rng
        self._said = {slot: _draw(slot, rng) for slot in dict.fromkeys(slots(fact.long)) if is_value(slot)}
        self._said |= {slot: (word, word) for slot, word in scene.items()}

    def long(self) -> list[Piece]:
        """As the note writes it."""
        return write(self._fact.long, lambda slot: [Piece(self._said[slot][0])], self._pick)

    def short(self) -> list[Piece]:
        """As the summary writes it."""
        return write(self._fact.short, lambda slot: [Piece(self._said[slot][1])], self._pick)

    def _pick(self, choice: Choice) -> Parsed:
        return self._rng.choice(choice.options)


class NoteScene:
    """Everything that one note may say, drawn once; `case` names which of the vocabulary's facts came together."""

    def __init__(self, words: NoteVocabulary, problem: Problem, rng: random.Random) -> None:
        self._words, self._rng = words, rng
        self.patient = _patient(problem.patients, rng)
        side, other = rng.sample(("left", "right"), 2)
        patient = self.patient
        self._plain = {"side": side, "other side": other, "he": patient.he, "his": patient.his, "him": patient.him}
        drug, earlier = rng.sample(problem.drugs, 2)
        finding, plan = rng.choice(problem.findings), rng.choice(problem.plans)
        places = problem.findings.index(finding), problem.drugs.index(drug), problem.plans.index(plan)
        self.case = "/".join((problem.name, *map(str, places)))
        self._facts = {
            "problem": self._tell(problem.called),
            "complaint": self._tell(rng.choice(problem.complaints)),
            "finding": self._tell(finding),
            "measure": self._tell(rng.choice(problem.measures)),
            "course": self._tell(rng.choice(problem.courses)),
            "plan": self._tell(plan),
            "rival": self._tell(rng.choice(problem.rivals)),
            "event": self._tell(rng.choice(words.events)),
        }
        self._treatment = self._treat(problem, drug, earlier)
        self.has_event = rng.random() < _EVENT_SHARE
        self._conditions: list[ToldFact] = []
        self._topics = self._topics_of_facts()
        known = [fact for fact in words.conditions[patient.group] if not self.speaks_of(fact.long)]
        self._conditions = [self._tell(fact) for fact in rng.sample(known, min(rng.choice(_CONDITIONS), len(known)))]
        self._topics = self._topics_of_facts()
        self._denied = rng.sample(problem.denied, len(problem.denied))
        drugs = words.home_drugs[patient.group]
        self._home_drugs = rng.sample(drugs, len(drugs))
        self._place = {
            "patient": patient.introduced,
            "day": str(rng.randrange(2, 10)),
            "stay": str(rng.randrange(2, 15)),
            **{slot: self._word(slot) for slot in ("ward", "bay")},
        }

    @property
    def has_conditions(self) -> bool:
        return bool(self._conditions)

    def sentence(self, template: Parsed) -> list[Piece]:
        """A sentence of the note. Values and people that are no fact are drawn anew each time."""
        drawn: dict[str, str] = {}

        def fill(slot: str) -> Parsed | list[Piece]:
            if is_value(slot):
                return [Piece(drawn.setdefault(slot, _draw(slot, self._rng)[0]))]
            if slot in LIST_SLOTS:
                return self._listed(slot)
            return self._said(slot)

        return write(template, fill, lambda choice: self._rng.choice(choice.options))

    def summary(self, template: Parsed) -> list[Piece]:
        """The summary: the same facts, short."""
        return write(template, self._said_short, lambda choice: self._rng.choice(choice.options))

    def speaks_of(self, template: Parsed) -> bool:
        """Whether a fact of this note speaks of what the template speaks of."""
        words = _words(template)
        return any(topic & words for topic in self._topics)

    def _topics_of_facts(self) -> list[frozenset[str]]:
        told = [fact.long() for fact in (*self._facts.values(), *self._conditions)]
        words = {word for pieces in (*told, self._treatment[0]) for word in _words_of(join(pieces)[0])}
        return [topic for topic in self._words.same if topic & words]

    def _said(self, slot: str) -> Parsed | list[Piece]:
        if slot in self._facts:
            return self._facts[slot].long()
        if slot == "treatment":
            return self._treatment[0]
        if slot == "condition":
            return _joined([fact.long() for fact in self._conditions], " and ")
        if slot == "clock":
            return [Piece(f"{self._rng.randrange(24):02d}:{self._rng.randrange(0, 60, 5):02d}")]
        if slot == "relative":
            kind = "child_relative" if self.patient.group == "child" else "relative"
            return [Piece(f"{self.patient.his} {self._word(kind)}")]
        if slot == "mood":
            return self._rng.choice(self._words.words["mood"])
        return [Piece({**self._plain, **self._place}[slot])]

    def _said_short(self, slot: str) -> list[Piece]:
        if slot == "treatment":
            return self._treatment[1]
        if slot == "who":
            return [Piece(self.patient.short)]
        if slot == "day":
            return [Piece(self._place["day"])]
        if slot == "background":
            known = _joined([fact.short() for fact in self._conditions], ", ")
            return [Piece(" (bg "), *known, Piece(")")] if known else []
        if slot == "event":
            return [Piece(". "), *self._facts["event"].short()] if self.has_event else []
        return self._facts[slot].short()

    def _treat(self, problem: Problem, drug: Fact, earlier: Fact) -> tuple[list[Piece], list[Piece]]:
        """(long, short) of the treatment: a drug, alone, with a procedure, or in place of an earlier one."""
        told, kind = self._tell(drug), self._rng.random()
        if problem.procedures and kind < _PROCEDURE_SHARE:
            done = self._tell(self._rng.choice(problem.procedures))
            return [*told.long(), Piece(" and "), *done.long()], [*told.short(), Piece(" + "), *done.short()]
        if kind > 1 - _SWITCH_SHARE:
            before, reason = self._tell(earlier), self._tell(self._rng.choice(self._words.switch_reasons))
            long = [*told.long(), Piece("; "), *before.long(), Piece(" was stopped for "), *reason.long()]
            return long, [*told.short(), Piece(" ("), *before.short(), Piece(" stopped: "), *reason.short(), Piece(")")]
        return told.long(), told.short()

    def _listed(self, slot: str) -> Parsed | list[Piece]:
        if slot == "denied":
            self._denied = [*self._denied[2:], *self._denied[:2]]
            return [Piece(self._denied[0])]
        if slot == "also denied":
            return [Piece(self._denied[1])]
        self._home_drugs = [*self._home_drugs[1:], self._home_drugs[0]]
        return self._home_drugs[0]

    def _tell(self, fact: Fact) -> ToldFact:
        return ToldFact(fact, self._plain, self._rng)

    def _word(self, kind: str) -> str:
        return join(self.sentence(self._rng.choice(self._words.words[kind])))[0]


def _patient(patients: str, rng: random.Random) -> Patient:
    if patients == "child":
        months = rng.randrange(3, 23)
        noun, he, his, him = rng.choice((("boy", "he", "his", "him"), ("girl", "she", "her", "her")))
        letter = "M" if noun == "boy" else "F"
        return Patient(f"{_article(months)} {months}-month-old {noun}", f"{months} mo {letter}", "child", he, his, him)
    woman = patients == "mother" or rng.random() < 0.5
    age = rng.randrange(18, 44) if patients == "mother" else rng.randrange(24, 96)
    noun, letter = ("woman", "F") if woman else ("man", "M")
    pronouns = ("she", "her", "her") if woman else ("he", "his", "him")
    forms = (f"{_article(age)} {age}-year-old {noun}", f"{_article(age)} {age} year old {noun}", f"a {noun} of {age}")
    return Patient(rng.choice(forms), f"{age}{letter}", patients, *pronouns)


def _article(number: int) -> str:
    return "an" if number in (8, 11, 18) or 80 <= number <= 89 else "a"


def _draw(slot: str, rng: random.Random) -> tuple[str, str]:
    """(long, short) of a value: one of several words, or a number with as many decimals as the range has."""
    if "|" in slot or "=" in slot:
        long, _, short = rng.choice(slot.split("|")).partition("=")
        return long, short or long
    low, high = slot.split("-")
    decimals = len(low.partition(".")[2])
    if decimals:
        number = f"{rng.uniform(float(low), float(high)):.{decimals}f}"
    else:
        number = str(rng.randrange(int(low), int(high) + 1, 10 if int(high) >= _ROUNDED_FROM else 1))
    return number, number


def _joined(parts: list[list[Piece]], between: str) -> list[Piece]:
    pieces: list[Piece] = []
    for part in parts:
        pieces += [Piece(between), *part] if pieces else part
    return pieces


@cache
def _words(template: Parsed) -> frozenset[str]:
    """Every word that a template may write, in small letters; those of its slots aside."""
    words: frozenset[str] = frozenset()
    for node in template:
        if isinstance(node, str):
            words |= _words_of(node)
        elif isinstance(node, Choice):
            words = words.union(*(_words(option) for option in node.options))
    return words


def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
