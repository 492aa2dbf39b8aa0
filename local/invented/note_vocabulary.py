"""Words and templates of invented notes, read from `local/invented/notes/` and checked.

In braces stands a word of the scene (`{side}`), or a value that a fact draws once and then says wherever the same
braces stand in it: a number of a range (`{2-5}`, `{1.8-4.2}`), or one of several words (`{dense|patchy}`), each of
which the summary may write otherwise (`{once daily=OD|twice daily=BD}`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.invented.grammar import Parsed, parse, slots

FOLDER = Path(__file__).parent / "notes"

# What a fact may say of the scene (local/invented/note_scene.py).
SCENE_SLOTS = frozenset(("side", "other side", "he", "him", "his"))
# What a sentence may say besides: more of the scene, and facts.
PLACE_SLOTS = frozenset(("patient", "relative", "ward", "bay", "mood", "clock", "day", "stay"))
FACT_SLOTS = frozenset(
    ("problem", "complaint", "finding", "measure", "treatment", "course", "plan", "event", "condition", "rival")
)
LIST_SLOTS = frozenset(("denied", "also denied", "home drug", "another home drug"))
SUMMARY_SLOTS = FACT_SLOTS - {"complaint", "condition", "rival"} | {"who", "day", "background"}
PATIENTS = ("adult", "child", "mother")
# The part that tells a fact where it is not called as the fact is; an event is told in any kind of note, and the
# beginning tells of patient and day.
_TOLD_IN = {"problem": "assessment"}
_TOLD_ANYWAY = frozenset(("event", "who", "day"))
# Parts of a note that hold no fact: their sentences are drawn from filler.yaml.
FILLER_PARTS = ("vitals", "labs", "exam", "social", "care")

_RANGE = re.compile(r"\d+(?:\.\d+)?-\d+(?:\.\d+)?")


class NoteVocabularyError(ValueError):
    """A file of words does not hold what it should; the message says which and what."""


@dataclass(frozen=True)
class Fact:
    """Something a note tells: `long` as the note writes it, `short` as the summary does. `short` draws no value that
    `long` does not say."""

    long: Parsed
    short: Parsed


@dataclass(frozen=True)
class Problem:
    """A main problem and what goes with it. `patients` is one of PATIENTS."""

    name: str
    patients: str
    called: Fact
    complaints: tuple[Fact, ...]
    findings: tuple[Fact, ...]
    measures: tuple[Fact, ...]
    drugs: tuple[Fact, ...]
    procedures: tuple[Fact, ...]
    courses: tuple[Fact, ...]
    plans: tuple[Fact, ...]
    denied: tuple[str, ...]
    rivals: tuple[Fact, ...]


@dataclass(frozen=True)
class NoteRegister:
    """A kind of note: how it begins, rows of parts in the order in which they may change places, its summaries."""

    name: str
    openings: tuple[Parsed, ...]
    rows: tuple[tuple[str, ...], ...]
    summaries: tuple[Parsed, ...]


@dataclass(frozen=True)
class Part:
    """A part of a note; without `sentences` it is one of FILLER_PARTS."""

    headings: tuple[str, ...]
    sentences: tuple[Parsed, ...]


@dataclass(frozen=True)
class NoteVocabulary:
    """Everything that invented notes are made of. `conditions` and `home_drugs` are by PATIENTS; `filler` by part, then
    by PATIENTS, those of any included; `same` holds sets of words for one thing, in small letters."""

    problems: tuple[Problem, ...]
    registers: tuple[NoteRegister, ...]
    parts: dict[str, Part]
    conditions: dict[str, tuple[Fact, ...]]
    events: tuple[Fact, ...]
    switch_reasons: tuple[Fact, ...]
    home_drugs: dict[str, tuple[Parsed, ...]]
    filler: dict[str, dict[str, tuple[Parsed, ...]]]
    words: dict[str, tuple[Parsed, ...]]
    same: tuple[frozenset[str], ...]


def is_value(slot: str) -> bool:
    """Whether a slot is drawn by the fact or sentence that it stands in."""
    return "|" in slot or "=" in slot or _RANGE.fullmatch(slot) is not None


@cache
def note_vocabulary() -> NoteVocabulary:
    """Read every file.

    Raises:
        NoteVocabularyError: a slot is unknown, a part is missing, or a summary would say what its note does not.
        TemplateError: a template cannot be read.
    """
    filler, parts = _load("filler.yaml"), _load("parts.yaml")
    words = dict(filler["words"])
    switch_reasons = words.pop("switch_reasons")
    read = NoteVocabulary(
        problems=tuple(
            _problem(name, entry)
            for path in sorted(FOLDER.glob("problems/*.yaml"))
            for name, entry in _load(f"problems/{path.name}").items()
        ),
        registers=tuple(_register(name, entry) for name, entry in _load("registers.yaml").items()),
        parts={name: _part(name, entry) for name, entry in parts.items()},
        conditions={
            who: _facts(f"filler.yaml: conditions: {who}", entries) for who, entries in filler["conditions"].items()
        },
        events=_facts("filler.yaml: events", filler["events"]),
        switch_reasons=_facts("filler.yaml: switch_reasons", switch_reasons),
        home_drugs={who: _parsed(drugs) for who, drugs in filler["home_drugs"].items()},
        filler={
            part: {who: _parsed([*filler[part]["any"], *filler[part].get(who, ())]) for who in PATIENTS}
            for part in FILLER_PARTS
        },
        words={name: _parsed(options) for name, options in words.items()},
        same=tuple(frozenset(word.lower() for word in group) for group in filler["same"]),
    )
    _check(read)
    return read


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


def _problem(name: str, entry: dict[str, Any]) -> Problem:
    return Problem(
        name=name,
        patients=entry.get("patients", "adult"),
        called=_fact(f"{name}: name", entry["name"]),
        complaints=_facts(f"{name}: complaints", entry["complaints"]),
        findings=_facts(f"{name}: findings", entry["findings"]),
        measures=_facts(f"{name}: measures", entry["measures"]),
        drugs=_facts(f"{name}: drugs", entry["drugs"]),
        procedures=_facts(f"{name}: procedures", entry.get("procedures", [])),
        courses=_facts(f"{name}: courses", entry["courses"]),
        plans=_facts(f"{name}: plans", entry["plans"]),
        denied=tuple(entry["denied"]),
        rivals=_facts(f"{name}: rivals", entry["rivals"]),
    )


def _facts(where: str, entries: list[Any]) -> tuple[Fact, ...]:
    return tuple(_fact(where, entry) for entry in entries)


def _fact(where: str, entry: Any) -> Fact:
    """A pair of long and short, or one text for both."""
    long, short = (entry, entry) if isinstance(entry, str) else entry
    fact = Fact(parse(long), parse(short))
    said = {*slots(fact.long), *slots(fact.short)} - SCENE_SLOTS
    unknown = sorted(slot for slot in said if not is_value(slot))
    if unknown:
        raise NoteVocabularyError(f"{where}: {unknown} are neither values nor words of the scene")
    unsaid = set(slots(fact.short)) - set(slots(fact.long)) - SCENE_SLOTS
    if unsaid:
        raise NoteVocabularyError(f"{where}: the summary says {sorted(unsaid)}, the note does not")
    return fact


def _register(name: str, entry: dict[str, Any]) -> NoteRegister:
    rows = tuple(tuple(row) for row in entry["order"])
    return NoteRegister(name, _parsed(entry["openings"]), rows, _parsed(entry["summary"]))


def _part(name: str, entry: dict[str, Any]) -> Part:
    sentences = () if name in FILLER_PARTS else _parsed(entry["sentences"])
    return Part(tuple(entry["headings"]), sentences)


def _parsed(templates: list[str]) -> tuple[Parsed, ...]:
    return tuple(parse(template) for template in templates)


def _check(read: NoteVocabulary) -> None:
    for register in read.registers:
        _check_register(register, set(read.parts))
    sentence_slots = SCENE_SLOTS | PLACE_SLOTS
    for where, sentences in _filler_sentences(read):
        _known(where, sentences, sentence_slots)
    for name, part in read.parts.items():
        _known(f"parts.yaml: {name}", part.sentences, sentence_slots | FACT_SLOTS | LIST_SLOTS)


def _check_register(register: NoteRegister, known_parts: set[str]) -> None:
    where = f"registers.yaml: {register.name}"
    parts = {part for row in register.rows for part in row}
    if not parts <= known_parts:
        raise NoteVocabularyError(f"{where}: {sorted(parts - known_parts)} are no parts of parts.yaml")
    _known(f"{where}: summary", register.summaries, SUMMARY_SLOTS)
    summarised = {slot for summary in register.summaries for slot in slots(summary)}
    told = {_TOLD_IN.get(slot, slot) for slot in summarised - _TOLD_ANYWAY}
    if not told <= parts:
        raise NoteVocabularyError(f"{where}: no part tells {sorted(told - parts)}, which the summary says")
    # The summary says the patient's age, and some the day: every beginning must.
    begun = {"patient"} | summarised & {"day"}
    for opening in register.openings:
        if not begun <= set(slots(opening)):
            raise NoteVocabularyError(f"{where}: an opening does not say {sorted(begun)}")


def _filler_sentences(read: NoteVocabulary) -> Iterator[tuple[str, tuple[Parsed, ...]]]:
    for register in read.registers:
        yield f"registers.yaml: {register.name}", register.openings
    for part, by_patient in read.filler.items():
        for sentences in by_patient.values():
            yield f"filler.yaml: {part}", sentences


def _known(where: str, templates: tuple[Parsed, ...], allowed: frozenset[str]) -> None:
    unknown = {slot for template in templates for slot in slots(template) if not is_value(slot)} - allowed
    if unknown:
        raise NoteVocabularyError(f"{where}: nothing says {sorted(unknown)}")
