"""Invented notes: what they hold, that their summaries say nothing else, and that no trivial answer summarises them."""

import re
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from local.demos.clinical_notes import split_by_case
from local.invented import note_vocabulary as vocabulary_module
from local.invented.grammar import Choice, Parsed
from local.invented.note_vocabulary import Fact, NoteVocabulary, NoteVocabularyError, note_vocabulary
from local.invented.nursing_notes import Note, invented_notes
from training.floors import Floors, lead
from training.phi import suspected_phi
from training.retrieval import SimilarReports
from training.rouge import ROUGE_L, rouge_scores
from training.splits import Record

COUNT, SEED = 1_200, 7
# Written as words in a note, as digits in its summary.
NUMBERS_IN_WORDS = {"one": "1", "two": "2", "three": "3", "four": "4"}


@pytest.fixture(scope="module")
def notes() -> list[Note]:
    return invented_notes(COUNT, SEED)


def numbers(text: str) -> set[str]:
    """Every number of a text, those that are written as words too; "88-92" is two, "x2" one."""
    words = {digit for word, digit in NUMBERS_IN_WORDS.items() if re.search(rf"\b{word}\b", text.lower())}
    return words | set(re.findall(r"\d+(?:\.\d+)?", text))


def test_the_same_seed_invents_the_same_and_another_something_else() -> None:
    first = invented_notes(60, 1)

    assert first == invented_notes(60, 1)
    assert not {note.note for note in first} & {note.note for note in invented_notes(60, 2)}


def test_no_two_notes_and_no_two_summaries_are_the_same(notes: list[Note]) -> None:
    assert len({note.note for note in notes}) == len({note.summary for note in notes}) == COUNT


def test_notes_are_as_long_as_notes_and_summaries_short(notes: list[Note]) -> None:
    lengths = sorted(len(note.note.split()) for note in notes)
    summaries = sorted(len(note.summary.split()) for note in notes)

    assert lengths[0] >= 45 and lengths[round(0.95 * COUNT)] <= 350
    assert lengths[-1] > 600, "some are of several pages"
    assert summaries[0] >= 10 and summaries[round(0.95 * COUNT)] <= 40


def test_problems_and_kinds_of_note_take_turns(notes: list[Note]) -> None:
    for counted in (Counter(note.problem for note in notes), Counter(note.register for note in notes)):
        assert max(counted.values()) - min(counted.values()) <= 1
    together = {(note.problem, note.register) for note in notes}
    assert len(together) > 0.95 * len(note_vocabulary().problems) * len(note_vocabulary().registers)


def test_every_number_of_a_summary_stands_in_its_note(notes: list[Note]) -> None:
    for note in notes:
        # Names that hold a digit ("SpO2", "pCO2", "T2DM") are no number of the patient's.
        summary = re.sub(r"\b(?:SpO2|FiO2|O2|pCO2|HCO3|NaHCO3)\b", "", note.summary)
        assert numbers(summary) <= numbers(note.note), (note.register, note.problem)


def test_a_summary_names_no_side_that_its_note_does_not(notes: list[Note]) -> None:
    sides = re.compile(r"\b(?:left|right)\b")
    for note in notes:
        assert set(sides.findall(note.summary.lower())) <= set(sides.findall(note.note.lower()))
    assert sum(bool(sides.search(note.summary)) for note in notes) > 0.2 * COUNT


def literal(parsed: Parsed, form: int = 0) -> str:
    """Everything that a template may write, with values in their long (0) or short (-1) form."""
    written = []
    for node in parsed:
        if isinstance(node, str):
            written.append(node)
        elif isinstance(node, Choice):
            written += [literal(option, form) for option in node.options]
        else:
            written += [option.split("=")[form] for option in node.name.split("|")]
    return " ".join(written)


def facts(words: NoteVocabulary) -> list[Fact]:
    of_problems = [
        fact
        for one in words.problems
        for fact in (one.called, *one.findings, *one.measures, *one.drugs, *one.procedures, *one.courses, *one.plans)
    ]
    return [
        *of_problems,
        *words.events,
        *words.switch_reasons,
        *(f for some in words.conditions.values() for f in some),
    ]


def test_what_a_summary_denies_is_denied_by_its_note() -> None:
    denied = re.compile(r"\b(?:no|not|nil|neg|normal|clean|intact|SR|flat|clear)\b")
    said = re.compile(
        r"\b(?:no|not|negative|never|without|gone|normal|clean|intact|sinus|good|clear|cannot|other bones)\b"
    )
    found = [fact for fact in facts(note_vocabulary()) if denied.search(literal(fact.short, -1))]

    assert len(found) > 40
    for fact in found:
        assert said.search(literal(fact.long)), literal(fact.short, -1)


def test_hundreds_of_facts_and_sentences_are_used(notes: list[Note]) -> None:
    words = note_vocabulary()
    sentences = [s for part in words.filler.values() for some in part.values() for s in some]

    assert len(words.problems) >= 30
    assert len(facts(words)) > 400
    assert len({literal(sentence) for sentence in sentences}) > 70
    assert len({note.case for note in notes}) > 500


def test_what_matters_stands_in_different_places(notes: list[Note]) -> None:
    places = []
    for note in notes:
        dose = re.search(r"\d[\d.]* (?:mg|g|ml|units)\b", note.summary)
        if dose and note.note.count(dose[0]) == 1:
            places.append(note.note.index(dose[0]) / len(note.note))

    assert len(places) > 0.4 * COUNT
    thirds = Counter(min(int(3 * place), 2) for place in places)
    assert min(thirds.values()) > 0.15 * len(places)


def test_some_notes_have_headings_and_line_breaks_and_some_have_none(notes: list[Note]) -> None:
    one_block = sum("\n" not in note.note for note in notes)
    names = {heading.lower() for part in note_vocabulary().parts.values() for heading in part.headings}
    headed = sum(sum(line.partition(":")[0].lower() in names for line in note.note.splitlines()) >= 3 for note in notes)

    assert 0.05 * COUNT < one_block < 0.4 * COUNT
    assert 0.3 * COUNT < headed < 0.9 * COUNT


def test_no_note_names_a_person_or_leaves_a_gap(notes: list[Note]) -> None:
    for note in notes:
        for text in (note.note, note.summary):
            assert suspected_phi(text) == ()
            assert not re.search(r"[{}\[\]|=]|  | [.,;:!]| \?(?!\w)|^ | $|\.\.", text), (note.register, note.problem)
        assert "\n" not in note.summary


def test_filler_does_not_speak_of_what_the_facts_are_about(notes: list[Note]) -> None:
    for note in notes:
        if note.problem == "hyponatraemia":
            assert len(re.findall(r"(?<!urine )\bsodium (?:down from )?\d", note.note.lower())) <= 1


def test_neither_the_beginning_nor_other_summaries_will_do(notes: list[Note]) -> None:
    train, asked = split_by_case(notes, 150)
    assert not {note.case for note in train} & {note.case for note in asked}
    records = [Record(str(place), note.note, note.summary) for place, note in enumerate(train)]
    floors = Floors([record.target for record in records], SimilarReports.build(records))
    inputs = [note.note for note in asked]
    answers = floors.predictions(inputs, floors.similar(inputs)) | {"last": [_last_words(text) for text in inputs]}
    score = {
        name: float(rouge_scores(list(zip(texts, [n.summary for n in asked], strict=True)))[:, ROUGE_L].mean())
        for name, texts in answers.items()
    }

    assert score["constant"] < 0.15 and score["lead"] < 0.2 and score["last"] < 0.2
    # Another patient's summary has the right abbreviations and the wrong numbers.
    assert score["lead"] + 0.1 < score["nearest"] < score["consensus"] + 0.05 < 0.6


def _last_words(text: str) -> str:
    return " ".join(text.split()[-25:])


def test_a_lead_is_no_summary_however_many_sentences(notes: list[Note]) -> None:
    by_sentences = defaultdict(list)
    for note in notes[:200]:
        for count in range(1, 7):
            by_sentences[count].append((lead(note.note, count), note.summary))

    assert max(float(rouge_scores(pairs)[:, ROUGE_L].mean()) for pairs in by_sentences.values()) < 0.25


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("registers.yaml", "{who} {problem};", "{whose} {problem};", "nothing says ['whose']"),
        ("registers.yaml", "[vitals, exam]", "[vitals, dreams]", "['dreams'] are no parts of parts.yaml"),
        ("registers.yaml", "{ward}, day {day}.", "{ward}.", "an opening does not say ['day', 'patient']"),
        ("registers.yaml", "[finding, measure], [rival", "[finding], [rival", "emergency: no part tells ['measure']"),
        ("parts.yaml", "{course}.", "{curse}.", "nothing says ['curse']"),
        ("problems/chest.yaml", '"CRP {86-340}"', '"CRP {85-340}"', "the summary says ['85-340'], the note does not"),
        ("problems/chest.yaml", '"CRP {86-340}"', '"CRP {high}"', "['high'] are neither values nor words of the scene"),
    ],
)
def test_words_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, message: str
) -> None:
    folder = tmp_path / "notes"
    shutil.copytree(vocabulary_module.FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(vocabulary_module, "FOLDER", folder)

    with pytest.raises(NoteVocabularyError, match=re.escape(message)):
        note_vocabulary.__wrapped__()
