"""Invented adverse events: what they hold, how they are balanced, and that no shortcut tells them apart."""

import re
import shutil
from collections import Counter, defaultdict
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit

from local.invented import event_vocabulary
from local.invented.adverse_events import EVENT, NO_EVENT, EventText, drawn_events, invented_events
from local.invented.event_vocabulary import VocabularyError, vocabulary
from training.phi import suspected_phi

COUNT, SEED = 12_000, 7
TYPED_REGISTERS = {"patient_message", "nurse_note"}
# What is written with a capital in the middle of a sentence and names nobody.
EPONYMS = {
    "Crohn's",
    "Hodgkin",
    "Graves'",
    "Parkinson's",
    "Alzheimer's",
    "Barrett's",
    "Doppler",
    "Holter",
    "Raynaud's",
    "Hashimoto's",
    "Paget's",
    "Lewy",
}
# The same as hurried people type it.
WITHOUT_APOSTROPHES = {"Im", "Id"}


@pytest.fixture(scope="module")
def texts() -> list[EventText]:
    return invented_events(COUNT, SEED)


def test_the_same_seed_invents_the_same_and_another_something_else() -> None:
    first = invented_events(300, 1)

    assert first == invented_events(300, 1)
    assert not {text.text for text in first} & {text.text for text in invented_events(300, 2)}


def test_as_many_as_asked_for_and_no_two_the_same(texts: list[EventText]) -> None:
    assert len(texts) == COUNT
    assert len({text.text.lower() for text in texts}) == COUNT


def test_hardly_any_drawn_text_was_there_before() -> None:
    drawn = [text.text.lower() for text in drawn_events(COUNT, SEED)]

    assert len(set(drawn)) > 0.99 * len(drawn)


def test_only_the_registers_that_were_asked_for_are_written() -> None:
    texts = invented_events(300, 3, registers=["title", "discharge"])
    assert {text.register for text in texts} == {"title", "discharge"}
    with pytest.raises(ValueError, match="no register poem; there are case_report"):
        invented_events(10, 3, registers=["poem", "title"])


@pytest.mark.parametrize("share", [0.29, 0.5])
def test_every_register_has_the_same_share_of_events(share: float) -> None:
    by_register = defaultdict(list)
    for text in invented_events(3_000, SEED, event_share=share):
        by_register[text.register].append(text.label == EVENT)

    assert len(by_register) == 6
    for labels in by_register.values():
        assert sum(labels) == round(share * len(labels))


def test_labels_are_those_of_the_templates(texts: list[EventText]) -> None:
    for text in texts:
        register, _, told, _ = text.template.split("/")
        assert register == text.register
        assert text.label == (EVENT if told == "yes" else NO_EVENT)


def test_every_template_is_used(texts: list[EventText]) -> None:
    written = {template.name for register in vocabulary().registers for template in register.event + register.no_event}

    assert len(written) > 300
    assert {text.template for text in texts} == written


def test_every_drug_and_every_effect_stands_in_texts_of_both_labels() -> None:
    labels = defaultdict(set)
    for text in invented_events(30_000, SEED):
        for mention in text.drugs + text.effects:
            labels[mention.name].add(text.label)
    effects = {effect.clinical for drugs in vocabulary().classes for group in drugs.effects for effect in group.effects}

    assert set(labels) == set(vocabulary().drugs) | effects
    assert [name for name, found in labels.items() if len(found) == 1] == []


def test_texts_without_an_event_name_drugs_and_effects_too(texts: list[EventText]) -> None:
    without = [text for text in texts if text.label == NO_EVENT]

    assert sum(bool(text.drugs and text.effects) for text in without) > 0.85 * len(without)


def test_mentions_stand_where_they_say_and_read_as_what_they_mean(texts: list[EventText]) -> None:
    for text in texts:
        for mention in text.drugs:
            written = text.text[mention.start : mention.end].lower()
            if text.register not in TYPED_REGISTERS:
                assert written == mention.name
            assert SequenceMatcher(None, written, mention.name).ratio() > 0.7
    clinical = [text for text in texts if text.register not in TYPED_REGISTERS]
    for text in clinical:
        for mention in text.effects:
            assert text.text[mention.start : mention.end].lower() == mention.name.lower()


def test_an_event_is_of_a_drug_and_an_effect_that_the_text_mentions(texts: list[EventText]) -> None:
    for text in texts:
        if text.event is None:
            assert text.label == NO_EVENT
        else:
            drug, effect = text.event
            assert drug in {mention.name for mention in text.drugs}
            assert effect in {mention.name for mention in text.effects}


def test_texts_of_a_source_share_register_and_mostly_the_drug(texts: list[EventText]) -> None:
    by_source = defaultdict(list)
    for text in texts:
        by_source[text.source].append(text)
    # Texts of what relieves an effect name that drug instead.
    shared = 0
    for members in by_source.values():
        assert len({text.register for text in members}) == 1
        named = Counter(name for text in members for name in {mention.name for mention in text.drugs})
        shared += named.most_common(1)[0][1] if named else 0
    assert shared > 0.75 * len(texts)
    assert (
        0.3 < sum(len({text.label for text in members}) == 2 for members in by_source.values()) / len(by_source) < 0.7
    )


def test_no_text_names_a_person(texts: list[EventText]) -> None:
    for text in texts:
        assert suspected_phi(text.text) == ()
        inside_sentences = set(re.findall(r"(?<![.?!:] )(?<!^)\b[A-Z][a-z]+(?:'s|')?", text.text))
        unknown = inside_sentences - EPONYMS - WITHOUT_APOSTROPHES
        if text.register in TYPED_REGISTERS:
            unknown = {word for word in unknown if not get_close_matches(word, EPONYMS, cutoff=0.8)}
        assert unknown == set(), text.template


def test_no_template_leaves_a_bracket_or_a_gap(texts: list[EventText]) -> None:
    for text in texts:
        assert not re.search(r"[{}\[\]|]|  | [.,;:?!]|^ | $", text.text), text.template


def test_no_single_word_tells(texts: list[EventText]) -> None:
    with_word: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for text in texts:
        words = set(re.findall(r"\w+", text.text.lower()))
        with_word.update(words)
        events.update(words if text.label == EVENT else ())
    total = sum(text.label == EVENT for text in texts)

    assert max(2 * events[word] / (with_word[word] + total) for word in with_word) < 0.6


@pytest.mark.parametrize("mark", [" ", ",", ".", ":", ";", "?", "!", "'", "-"])
def test_neither_length_nor_punctuation_tells(texts: list[EventText], mark: str) -> None:
    by_register = defaultdict(list)
    for text in texts:
        by_register[text.register].append((text.label == EVENT, text.text.count(mark)))

    for register, members in by_register.items():
        labels, counts = zip(*members, strict=True)
        assert abs(roc_auc_score(labels, counts) - 0.5) < 0.08, register


def test_the_order_of_words_tells_what_words_alone_do_not(texts: list[EventText]) -> None:
    some = texts[:6_000]
    words, phrases = (_f1_by_source(some, longest) for longest in (1, 3))

    assert 0.5 < words < 0.8
    assert phrases > words + 0.05


def _f1_by_source(texts: list[EventText], longest: int) -> float:
    """F1 of a logistic regression on up to so many words, no source on two sides."""
    strings, labels = [text.text for text in texts], [text.label == EVENT for text in texts]
    sides = GroupShuffleSplit(1, test_size=0.25, random_state=0)
    train, test = next(sides.split(strings, groups=[text.source for text in texts]))
    vectorizer = TfidfVectorizer(ngram_range=(1, longest), sublinear_tf=True, token_pattern=r"\b\w+\b")
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=300)
    model.fit(vectorizer.fit_transform([strings[index] for index in train]), [labels[index] for index in train])
    answers = model.predict(vectorizer.transform([strings[index] for index in test]))
    return float(f1_score([labels[index] for index in test], answers))


@pytest.mark.parametrize(
    ("file", "addition", "message"),
    [
        ("phrases.yaml", "unsaid: [nobody says it]", "nothing says ['unsaid']"),
        ("phrases.yaml", 'age: ["{nothing}"]', "['nothing'] are neither phrases nor slots"),
        ("drugs.yaml", "more: {names: [sertraline], for: [], effects: [skin]}", "a drug stands in two classes"),
        ("drugs.yaml", "more: {names: [], for: [], effects: [humours]}", "['humours'] are no groups"),
    ],
)
def test_words_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, addition: str, message: str
) -> None:
    folder = tmp_path / "events"
    shutil.copytree(event_vocabulary.FOLDER, folder)
    with (folder / file).open("a", encoding="utf-8") as words:
        words.write(addition + "\n")
    monkeypatch.setattr(event_vocabulary, "FOLDER", folder)

    with pytest.raises(VocabularyError, match=re.escape(message)):
        vocabulary.__wrapped__()
