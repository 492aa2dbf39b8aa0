"""Invented notes of doctors and nurses, each with the one-line summary that a colleague would write.

A note tells of one main problem among much else: old illnesses, usual tablets, normal results, what is denied, who
visited. What matters stands in different places, the opening says little of it, and parts have headings or none. The
summary names main problem, key finding or number, treatment and plan, most of it in abbreviations; which of them, and
in which order, depends on the kind of note. Everything that a summary says stands in its note.

Patients, findings and treatments are plausible at best. Nothing here is advice.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from local.invented.grammar import Parsed, Piece, join, sentence_case
from local.invented.note_scene import NoteScene
from local.invented.note_vocabulary import FILLER_PARTS, NoteRegister, NoteVocabulary, note_vocabulary

# Words that a note is filled up to: most are short, none shorter than what it must tell.
_FEWEST, _COMMONEST, _MOST = 40, 60, 280
# Of several pages: so many days, one entry each.
_PAGES_SHARE, _PAGES_DAYS = 0.02, (8, 24)
_REQUIRED = frozenset(("assessment", "finding", "measure", "treatment", "course", "plan"))
_OPTIONAL_SHARE = {"reason": 0.85, "background": 1.0, "home": 0.5, "denied": 0.6, "rival": 0.4, "event": 1.0}
_FILLER_SHARE = 0.35
_ENTRY_SENTENCES = 8

_T = TypeVar("_T")


@dataclass(frozen=True)
class Note:
    """`note` of 60 to 350 words, some of several pages, with line breaks; `summary` of 10 to 45 words on one line.

    `register` is the kind of note, `problem` what it is about. Notes of one `case` share problem, key finding, drug and
    plan, though not their numbers.
    """

    note: str
    summary: str
    register: str
    problem: str
    case: str


@dataclass
class _Written:
    """A part of a note as it grows: its name and its sentences."""

    part: str
    sentences: list[str]


def invented_notes(count: int, seed: int) -> list[Note]:
    """Invent `count` notes: problems and kinds of note take turns, and each note is drawn by itself."""
    words = note_vocabulary()
    rng = random.Random(seed)
    problems, registers = _in_turn(words.problems, rng), _in_turn(words.registers, rng)
    notes = []
    for place in range(count):
        problem, register = next(problems), next(registers)
        own = random.Random(f"{seed}:{place}")
        scene = NoteScene(words, problem, own)
        note = _Author(words, register, scene, own).write()
        summary = sentence_case(join(scene.summary(own.choice(register.summaries)))[0])
        notes.append(Note(note, summary, register.name, problem.name, scene.case))
    return notes


def _in_turn(all_of_them: tuple[_T, ...], rng: random.Random) -> Iterator[_T]:
    """Each one once in random order, then again in another."""
    while True:
        yield from rng.sample(all_of_them, len(all_of_them))


class _Author:
    """Writes one note: in one layout, with one way of heading its parts."""

    def __init__(self, words: NoteVocabulary, register: NoteRegister, scene: NoteScene, rng: random.Random) -> None:
        self._words, self._register, self._scene, self._rng = words, register, scene, rng
        self._headings = rng.choice(("none", "none", "inline", "inline", "own line"))
        self._upper = rng.random() < 0.4
        self._break = rng.choice(("\n", "\n\n")) if self._headings != "none" else rng.choice((" ", "\n", "\n\n"))
        self._said: set[Parsed] = set()

    def write(self) -> str:
        parts = self._parts()
        self._fill_up(parts)
        paragraphs = [self._paragraph(written) for written in parts if written.sentences]
        if self._rng.random() < _PAGES_SHARE:
            for day in range(1, self._rng.randint(*_PAGES_DAYS)):
                paragraphs.insert(self._rng.randrange(len(paragraphs) + 1), self._entry(day))
        opening = self._text(self._rng.choice(self._register.openings))
        paragraphs.insert(0, opening)
        return self._break.join(paragraphs)

    def _parts(self) -> list[_Written]:
        """The note's parts in order, with a sentence for each fact."""
        rows = [list(row) for row in self._register.rows]
        if not any("event" in row for row in rows):
            rows.append(["event"])
        if not any("reason" in row for row in rows):
            rows.append(["reason"])
        self._rng.shuffle(rows)
        return [_Written(part, self._facts_of(part)) for row in rows for part in row]

    def _facts_of(self, part: str) -> list[str]:
        scene = self._scene
        missing = (part == "event" and not scene.has_event) or (part == "background" and not scene.has_conditions)
        if part not in _REQUIRED and (missing or self._rng.random() > _OPTIONAL_SHARE.get(part, _FILLER_SHARE)):
            return []
        if part in FILLER_PARTS:
            filler = self._next_filler(part)
            return [self._text(filler)] if filler else []
        return [self._text(self._rng.choice(self._words.parts[part].sentences))]

    def _fill_up(self, parts: list[_Written]) -> None:
        """Add sentences that say nothing of the problem until the note is as long as it is to be."""
        wanted = self._rng.triangular(_FEWEST, _MOST, _COMMONEST)
        fillable = [written for written in parts if written.part in FILLER_PARTS]
        missing = [part for part in FILLER_PARTS if part not in {written.part for written in fillable}]
        for part in missing:
            fillable.append(_Written(part, []))
            parts.insert(self._rng.randrange(len(parts) + 1), fillable[-1])
        length = sum(len(text.split()) for written in parts for text in written.sentences)
        while length < wanted and fillable:
            written = self._rng.choice(fillable)
            sentence = self._next_filler(written.part)
            if sentence is None:
                fillable.remove(written)
                continue
            written.sentences.append(self._text(sentence))
            length += len(written.sentences[-1].split())

    def _next_filler(self, part: str) -> Parsed | None:
        """A sentence of filler that this note has not had; None where there is none left."""
        some = self._words.filler[part][self._scene.patient.group]
        left = [one for one in some if one not in self._said and not self._scene.speaks_of(one)]
        if not left:
            return None
        chosen = self._rng.choice(left)
        self._said.add(chosen)
        return chosen

    def _entry(self, day: int) -> str:
        """One day of a note of several pages: filler only, which may repeat itself."""
        self._said.clear()
        sentences = (self._next_filler(self._rng.choice(FILLER_PARTS)) for _ in range(_ENTRY_SENTENCES))
        return f"Day {day}. {' '.join(self._text(sentence) for sentence in sentences if sentence)}"

    def _paragraph(self, written: _Written) -> str:
        text = " ".join(written.sentences)
        if self._headings == "none":
            return text
        heading = self._rng.choice(self._words.parts[written.part].headings)
        heading = heading.upper() if self._upper else heading
        return f"{heading}: {text}" if self._headings == "inline" else f"{heading}\n{text}"

    def _text(self, template: Parsed) -> str:
        pieces: list[Piece] = self._scene.sentence(template)
        return sentence_case(join(pieces)[0])
