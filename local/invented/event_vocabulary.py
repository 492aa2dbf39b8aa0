"""Words and templates of invented adverse events, read from `local/invented/events/*.yaml` and checked."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.invented.grammar import Choice, Parsed, parse, slots

FOLDER = Path(__file__).parent / "events"

# Slots that an article or a text fills (local/invented/event_scene.py); every other is a phrase.
EFFECT_SLOTS = ("effect", "an effect", "lay", "a lay", "do effect", "did effect", "doing effect")
SYMPTOM_SLOTS = ("symptom", "lay symptom", "a lay symptom")
DRUG_SLOTS = ("drug", "other", "remedy", "comedication")
SCENE_SLOTS = frozenset(
    (*EFFECT_SLOTS, *SYMPTOM_SLOTS, *DRUG_SLOTS, "disease", "cause", "patient", "person", "he", "his", "him")
)


class VocabularyError(ValueError):
    """A file of words does not hold what it should; the message says which and what."""


@dataclass(frozen=True)
class Effect:
    """An effect in a doctor's word and in everyday words.

    `clinical` and `lay` are nouns without article; `counted` and `lay_counted` say which takes one. `verb` is
    infinitive, past, -ing form and the words after it. `relief` are drugs that are given for it.
    """

    clinical: str
    counted: bool
    lay: str
    lay_counted: bool
    verb: tuple[str, str, str, str]
    relief: tuple[str, ...]


@dataclass(frozen=True)
class EffectGroup:
    """Effects on one organ, and what else brings them on."""

    name: str
    effects: tuple[Effect, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True)
class DrugClass:
    """Drugs that are given for the same diseases and are told to have the same effects."""

    names: tuple[str, ...]
    diseases: tuple[str, ...]
    effects: tuple[EffectGroup, ...]


@dataclass(frozen=True)
class Template:
    """One way to tell, or not to tell, of an event. `name` is register/family/label/number."""

    name: str
    parsed: Parsed


@dataclass(frozen=True)
class Register:
    """A kind of text: its templates by label, sentences beside them, and how many of those (drawn uniformly)."""

    name: str
    event: tuple[Template, ...]
    no_event: tuple[Template, ...]
    context: tuple[Parsed, ...]
    sentences: tuple[int, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Everything that invented events are made of."""

    classes: tuple[DrugClass, ...]
    phrases: dict[str, Choice]
    registers: tuple[Register, ...]

    @property
    def drugs(self) -> tuple[str, ...]:
        return tuple(name for drugs in self.classes for name in drugs.names)


@cache
def vocabulary() -> Vocabulary:
    """Read every file.

    Raises:
        VocabularyError: a drug, a group or a phrase is named that is nowhere listed.
        TemplateError: a template cannot be read.
    """
    groups = {name: _group(name, entry) for name, entry in _load("effects.yaml").items()}
    classes = tuple(_drug_class(entry, groups) for entry in _load("drugs.yaml").values())
    phrases = {
        name: Choice(tuple(parse(str(option)) for option in options)) for name, options in _load("phrases.yaml").items()
    }
    registers = tuple(
        _register(path.stem, _load(f"registers/{path.name}")) for path in sorted(FOLDER.glob("registers/*.yaml"))
    )
    read = Vocabulary(classes, phrases, registers)
    _check(read, groups)
    return read


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


def _group(name: str, entry: dict[str, Any]) -> EffectGroup:
    effects = []
    for clinical, lay, verb, *own_relief in entry["terms"]:
        infinitive, past, ing, *rest = verb
        noun, lay_noun = _without_article(clinical), _without_article(lay)
        relief = own_relief[0] if own_relief else entry["relief"]
        forms = (infinitive, past, ing, ", ".join(rest))
        effects.append(Effect(noun, noun != clinical, lay_noun, lay_noun != lay, forms, tuple(relief)))
    return EffectGroup(name, tuple(effects), tuple(entry["causes"]))


def _without_article(noun: str) -> str:
    return noun.removeprefix("an ").removeprefix("a ")


def _drug_class(entry: dict[str, Any], groups: dict[str, EffectGroup]) -> DrugClass:
    unknown = set(entry["effects"]) - set(groups)
    if unknown:
        raise VocabularyError(f"drugs.yaml: {sorted(unknown)} are no groups of effects.yaml")
    return DrugClass(tuple(entry["names"]), tuple(entry["for"]), tuple(groups[name] for name in entry["effects"]))


def _register(name: str, entry: dict[str, Any]) -> Register:
    templates: dict[str, list[Template]] = {"yes": [], "no": []}
    for family, by_label in entry["families"].items():
        for label, texts in by_label.items():
            templates[label] += [
                Template(f"{name}/{family}/{label}/{number}", parse(text)) for number, text in enumerate(texts)
            ]
    context = tuple(parse(text) for text in entry["context"])
    return Register(name, tuple(templates["yes"]), tuple(templates["no"]), context, tuple(entry["sentences"]))


def _check(read: Vocabulary, groups: dict[str, EffectGroup]) -> None:
    known = set(read.phrases) | SCENE_SLOTS
    texts = {"phrases.yaml": [option for choice in read.phrases.values() for option in choice.options]}
    for register in read.registers:
        templates = [template.parsed for template in (*register.event, *register.no_event)]
        texts[f"registers/{register.name}.yaml"] = [*templates, *register.context]
    for file, parsed in texts.items():
        unknown = {slot for text in parsed for slot in slots(text)} - known
        if unknown:
            raise VocabularyError(f"{file}: {sorted(unknown)} are neither phrases nor slots of a scene")
    unused = set(read.phrases) - {slot for parsed in texts.values() for text in parsed for slot in slots(text)}
    if unused:
        raise VocabularyError(f"phrases.yaml: nothing says {sorted(unused)}")
    for effect in (effect for group in groups.values() for effect in group.effects):
        unlisted = set(effect.relief) - set(read.drugs)
        if unlisted or not effect.relief:
            raise VocabularyError(f"effects.yaml: {effect.clinical}: relief {effect.relief} is not in drugs.yaml")
    if len(set(read.drugs)) != len(read.drugs):
        raise VocabularyError("drugs.yaml: a drug stands in two classes")
