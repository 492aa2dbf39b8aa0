"""What an invented article tells of: a patient, a drug, a disease and some effects; and one text of it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.invented.event_vocabulary import DrugClass, Effect, EffectGroup, Register, Template, Vocabulary
from local.invented.grammar import Choice, Parsed, Piece, write
from local.invented.spelling import CAREFUL, Typist, hurried, terse

# An author returns to few ways of telling: as many templates with an event, and without one.
_EVENT_TEMPLATES, _NO_EVENT_TEMPLATES = 4, 8
_EFFECTS = 3
_ADJECTIVE_SHARE = 0.3
_ADJECTIVES = ("severe", "mild", "marked", "sudden", "transient", "persistent", "troublesome", "pronounced")
_PEOPLE = (
    ("woman", "she", "her", "her"),
    ("man", "he", "his", "him"),
    ("patient", "she", "her", "her"),
    ("patient", "he", "his", "him"),
)


@dataclass(frozen=True)
class Patient:
    """`introduced` with article and age, afterwards `called`; with pronouns."""

    introduced: str
    called: str
    he: str
    his: str
    him: str


@dataclass(frozen=True)
class Article:
    """What the texts of one source share. `habits` are the alternatives that its author uses of a phrase."""

    source: str
    register: Register
    typist: Typist
    patient: Patient
    drug: str
    disease: str
    others: tuple[str, ...]
    effects: tuple[tuple[EffectGroup, Effect], ...]
    event: tuple[Template, ...]
    no_event: tuple[Template, ...]
    habits: dict[str, tuple[Parsed, ...]]


def invent_articles(words: Vocabulary, registers: Sequence[Register], rng: random.Random) -> Iterator[Article]:
    """Invent articles without end; `registers` take turns, and every drug has its turn before any has another."""
    drugs = [(drugs, name) for drugs in words.classes for name in drugs.names]
    number = 0
    while True:
        for drug_class, drug in rng.sample(drugs, len(drugs)):
            yield _invent_article(words, registers[number % len(registers)], number, drug_class, drug, rng)
            number += 1


def _invent_article(
    words: Vocabulary, register: Register, number: int, drugs: DrugClass, drug: str, rng: random.Random
) -> Article:
    others = [name for name in words.drugs if name not in drugs.names]
    return Article(
        source=f"invented-{number:06d}",
        register=register,
        typist=_typist(register.name, rng),
        patient=_patient(rng),
        drug=drug,
        disease=rng.choice(drugs.diseases),
        others=tuple(rng.sample(others, 4)),
        effects=_effects(drugs, drug, rng),
        event=tuple(rng.sample(register.event, _EVENT_TEMPLATES)),
        no_event=tuple(rng.sample(register.no_event, _NO_EVENT_TEMPLATES)),
        habits={name: _half(phrase.options, rng) for name, phrase in words.phrases.items()},
    )


def _half(options: tuple[Parsed, ...], rng: random.Random) -> tuple[Parsed, ...]:
    return tuple(rng.sample(options, (len(options) + 1) // 2))


def _typist(register: str, rng: random.Random) -> Typist:
    if register == "patient_message":
        return hurried(rng)
    return terse(rng) if register == "nurse_note" else CAREFUL


def _patient(rng: random.Random) -> Patient:
    noun, he, his, him = rng.choice(_PEOPLE)
    age = rng.randrange(18, 89)
    article = "an" if age == 18 or 80 <= age <= 89 else "a"
    return Patient(f"{article} {age}-year-old {noun}", rng.choice((f"the {noun}", he)), he, his, him)


def _effects(drugs: DrugClass, drug: str, rng: random.Random) -> tuple[tuple[EffectGroup, Effect], ...]:
    """Of several groups, so that what one text denies is not what it tells of.

    Not what the drug is given for: whether it brought that on or did not help is more than a sentence could say.
    """
    groups = rng.sample(drugs.effects, min(_EFFECTS, len(drugs.effects)))
    return tuple(
        (group, rng.choice([effect for effect in group.effects if _side(effect, drug, drugs)])) for group in groups
    )


def _side(effect: Effect, drug: str, drugs: DrugClass) -> bool:
    return drug not in effect.relief and effect.clinical not in drugs.diseases


class Scene:
    """One text of an article: who and what stand in its slots, the same throughout the text."""

    def __init__(self, article: Article, rng: random.Random) -> None:
        self._article = article
        self._rng = rng
        # The second effect is one that the text denies, or tells of somebody else.
        (group, self.effect), (_, self._symptom) = rng.sample(article.effects, 2)
        remedy = rng.choice(self.effect.relief)
        other, comedication = rng.sample([name for name in article.others if name != remedy], 2)
        drugs = {"drug": article.drug, "other": other, "comedication": comedication, "remedy": remedy}
        self._drugs = {slot: [Piece(name, "drug", name)] for slot, name in drugs.items()}
        patient = article.patient
        self._plain = {
            "disease": article.disease,
            "cause": rng.choice([cause for cause in group.causes if cause != article.disease]),
            "patient": patient.introduced,
            "person": patient.called,
            "he": patient.he,
            "his": patient.his,
            "him": patient.him,
        }
        self._adjective = f"{rng.choice(_ADJECTIVES)} " if rng.random() < _ADJECTIVE_SHARE else ""

    def write(self, template: Template) -> list[Piece]:
        """The template's sentence among sentences that say nothing of the event, as the author types."""
        register, rng = self._article.register, self._rng
        sentences = [template.parsed, *rng.sample(register.context, rng.choice(register.sentences))]
        rng.shuffle(sentences)
        pieces: list[Piece] = []
        for sentence in sentences:
            pieces += [Piece(" "), *write(sentence, self._fill, self._pick)]
        return self._article.typist.type(pieces[1:], rng)

    def _fill(self, slot: str) -> Parsed | list[Piece]:
        if slot in self._drugs:
            return self._drugs[slot]
        if slot in self._plain:
            return [Piece(self._plain[slot])]
        if slot in self._article.habits:
            return self._rng.choice(self._article.habits[slot])
        return self._fill_symptom(slot) if "symptom" in slot else self._fill_effect(slot)

    def _fill_effect(self, slot: str) -> list[Piece]:
        effect = self.effect
        infinitive, past, ing, rest = effect.verb
        verbs = {"do effect": infinitive, "did effect": past, "doing effect": ing}
        if slot in verbs:
            return [Piece(f"{verbs[slot]} {rest}", "effect", effect.clinical)]
        if slot.endswith("lay"):
            return _noun(effect.lay, effect.clinical, counted=slot == "a lay" and effect.lay_counted)
        adjective, self._adjective = self._adjective, ""
        return _noun(effect.clinical, effect.clinical, slot == "an effect" and effect.counted, adjective)

    def _fill_symptom(self, slot: str) -> list[Piece]:
        symptom = self._symptom
        noun = symptom.lay if "lay" in slot else symptom.clinical
        return _noun(noun, symptom.clinical, counted=slot == "a lay symptom" and symptom.lay_counted)

    def _pick(self, choice: Choice) -> Parsed:
        return self._rng.choice(choice.options)


def _noun(noun: str, meant: str, counted: bool, adjective: str = "") -> list[Piece]:
    """The mention of an effect, with an article before it if it is counted."""
    article = ("an " if (adjective or noun)[0] in "aeiou" else "a ") if counted else ""
    return [Piece(article + adjective), Piece(noun, "effect", meant)]
