"""Invented texts that tell of a drug's adverse event, or do not.

A text is an event (`Adverse_Event`) if it says that somebody took a drug and suffered an effect that the text lays to
that drug. Everything else is none (`Not_AE`): the effect was what the drug was given for, was there before, came from
something else, was feared, denied, asked about, or another's. Most templates come in pairs that use much the same words
for either, so it is the order and the relation of words that tells.

Drugs, effects and phrases are common medical words; which effect is told of which drug is plausible at best. Nothing
here is a fact about a drug.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from local.invented.event_scene import Article, Scene, invent_articles
from local.invented.event_vocabulary import Register, Template, vocabulary
from local.invented.grammar import Mention, join, sentence_case

EVENT, NO_EVENT = "Adverse_Event", "Not_AE"

# As in collections of sentences from case reports.
EVENT_SHARE = 0.29
_MEAN_ARTICLE, _LONGEST_ARTICLE = 7, 30
# How far articles lean to one label, in standard deviations of a text's own chance: about half hold one label only.
_LEANING = 1.2
# A text that was written before is written anew; so many times in vain means that there are no more.
_ATTEMPTS = 50


@dataclass(frozen=True)
class EventText:
    """An invented text.

    `drugs` and `effects` are all mentions, also of what is denied or another's. `event` is (drug, effect), by `name` of
    the mentions, in an adverse event, else None. Texts of one `source` share drug, patient, disease and author.
    """

    text: str
    label: str
    source: str
    register: str
    template: str
    drugs: tuple[Mention, ...]
    effects: tuple[Mention, ...]
    event: tuple[str, str] | None


class OutOfTextsError(ValueError):
    """More texts were asked for than can be told apart."""


def invented_events(
    count: int, seed: int, event_share: float = EVENT_SHARE, registers: Collection[str] | None = None
) -> list[EventText]:
    """Invent `count` texts, no two the same, `event_share` in [0, 1] of each register's with an event.

    `registers` are the kinds of text, by name; None means all.

    Raises:
        OutOfTextsError: no new text was found.
        ValueError: there is no such register.
    """
    texts, seen = [], set()
    for slot in _plan(count, seed, event_share, registers):
        for attempt in range(_ATTEMPTS):
            text = slot.write(attempt)
            if text.text.lower() not in seen:
                break
        else:
            raise OutOfTextsError(f"{slot.article.source}: {_ATTEMPTS} texts were all there already")
        seen.add(text.text.lower())
        texts.append(text)
    return texts


def drawn_events(count: int, seed: int, event_share: float = EVENT_SHARE) -> Iterator[EventText]:
    """Texts as they are drawn, repetitions too: to measure how many there are."""
    return (slot.write() for slot in _plan(count, seed, event_share, None))


@dataclass(frozen=True)
class _Slot:
    """A text to be written, in the first of `templates`; each further attempt takes the next.

    Each has a generator of its own, so that one text does not depend on the one before it.
    """

    article: Article
    event: bool
    templates: tuple[Template, ...]
    rng: random.Random

    def write(self, attempt: int = 0) -> EventText:
        article = self.article
        template = self.templates[attempt % len(self.templates)]
        scene = Scene(article, self.rng)
        text, mentions = join(scene.write(template))
        return EventText(
            text=text if article.typist.lower else sentence_case(text),
            label=EVENT if self.event else NO_EVENT,
            source=article.source,
            register=article.register.name,
            template=template.name,
            drugs=tuple(mention for mention in mentions if mention.kind == "drug"),
            effects=tuple(mention for mention in mentions if mention.kind == "effect"),
            event=(article.drug, scene.effect.clinical) if self.event else None,
        )


def _plan(count: int, seed: int, event_share: float, registers: Collection[str] | None) -> list[_Slot]:
    """Who tells what in which text: in each register the same share tells of an event."""
    places = _places(count, _registers(registers), random.Random(seed))
    events = _most_leaning(places, event_share)
    slots = []
    told: Counter[tuple[str, bool]] = Counter()
    for place, (article, _) in enumerate(places):
        event = place in events
        # In turn, so that an article repeats itself as late as it can.
        templates = article.event if event else article.no_event
        turn = told[article.source, event] % len(templates)
        told[article.source, event] += 1
        slots.append(_Slot(article, event, templates[turn:] + templates[:turn], random.Random(f"{seed}:{place}")))
    return slots


def _registers(names: Collection[str] | None) -> list[Register]:
    known = vocabulary().registers
    unknown = set(names or ()) - {register.name for register in known}
    if unknown:
        raise ValueError(f"no register {', '.join(sorted(unknown))}; there are {', '.join(r.name for r in known)}")
    return [register for register in known if names is None or register.name in names]


def _places(count: int, registers: Sequence[Register], rng: random.Random) -> list[tuple[Article, float]]:
    """The article of each text, and how much the text leans to an event: by itself, and with its article."""
    places: list[tuple[Article, float]] = []
    for article in invent_articles(vocabulary(), registers, rng):
        if len(places) == count:
            break
        size = min(1 + int(rng.expovariate(1 / (_MEAN_ARTICLE - 0.5))), _LONGEST_ARTICLE, count - len(places))
        leaning = rng.gauss(0, _LEANING)
        places += [(article, leaning + rng.gauss(0, 1)) for _ in range(size)]
    return places


def _most_leaning(places: list[tuple[Article, float]], share: float) -> set[int]:
    """Of each register's places the share that leans most."""
    by_register = defaultdict(list)
    for place, (article, _) in enumerate(places):
        by_register[article.register.name].append(place)
    chosen: set[int] = set()
    for members in by_register.values():
        members.sort(key=lambda place: places[place][1], reverse=True)
        chosen.update(members[: round(share * len(members))])
    return chosen
