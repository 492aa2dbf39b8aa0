"""Splits of labelled texts: what may not be on both sides, the same in every run, and named errors."""

import random

import pytest

from training.errors import UploadError
from training.grouped_split import LabelledText, Overlap, grouped_split, overlap, random_split
from training.records import normalise

SPLITS = [grouped_split, random_split]


def invented(articles: int) -> list[LabelledText]:
    """Articles of four sentences; of some, a positive one stands there twice, and once more in the next article."""
    records = []
    for article in range(articles):
        for sentence in range(4):
            label = "AE" if sentence == 0 and article % 2 else "none"
            records.append(LabelledText(f"Sentence {sentence} of {article}", label, f"a{article}"))
        if article % 6 == 1:
            shared = f"Shared  sentence of {article}"
            records += [
                LabelledText(shared, "AE", f"a{article}"),
                LabelledText(shared.upper(), "AE", f"a{article + 1}"),
            ]
    return records


def texts_and_articles(records: list[LabelledText], places: list[int]) -> set[str]:
    return {key for place in places for key in (normalise(records[place].text), f"article {records[place].article}")}


def test_no_text_and_no_article_is_on_both_sides() -> None:
    records = invented(200)
    split = grouped_split(records, test_fraction=0.2, seed=1)
    assert sorted(split.train + split.test) == list(range(len(records)))
    assert not texts_and_articles(records, split.train) & texts_and_articles(records, split.test)
    assert overlap(records, split) == Overlap(len(split.test), 0.0, 0.0)


@pytest.mark.parametrize("split_of", SPLITS)
def test_each_label_has_its_share(split_of) -> None:
    records = invented(200)
    split = split_of(records, test_fraction=0.2, seed=1)
    for label in ("AE", "none"):
        total = sum(record.label == label for record in records)
        assert split.counts["test"][label] == pytest.approx(0.2 * total, abs=2)
        assert split.counts["train"][label] + split.counts["test"][label] == total
        assert split.counts["test"][label] == sum(records[place].label == label for place in split.test)


@pytest.mark.parametrize("split_of", SPLITS)
def test_the_order_of_the_records_changes_nothing(split_of) -> None:
    records = invented(60)
    shuffled = records.copy()
    random.Random(3).shuffle(shuffled)

    def tested(given: list[LabelledText], seed: int) -> list[tuple[str, str]]:
        places = split_of(given, test_fraction=0.2, seed=seed).test
        return sorted((normalise(given[place].text), given[place].label) for place in places)

    assert tested(records, 1) == tested(shuffled, 1)
    assert tested(records, 1) != tested(records, 2)


def test_a_random_split_leaks_and_says_how_much() -> None:
    records = invented(200)
    split = random_split(records, test_fraction=0.2, seed=1)
    found, positive = overlap(records, split), overlap(records, split, "AE")
    texts = {normalise(records[place].text) for place in split.train}
    tested = [records[place] for place in split.test if records[place].label == "AE"]
    assert positive.records == len(tested) == split.counts["test"]["AE"]
    assert positive.texts == sum(normalise(record.text) in texts for record in tested) / len(tested) > 0.2
    assert 0 < found.texts < positive.texts
    assert found.articles > 0.9
    assert overlap(records, split, "other") == Overlap(0, 0.0, 0.0)


def test_texts_without_an_article_do_not_hang_together() -> None:
    records = [LabelledText(f"Text {number}", ("AE", "none")[number % 2]) for number in range(100)]
    split = grouped_split(records, test_fraction=0.2, seed=1)
    assert len(split.test) == 20
    assert overlap(records, split).articles == 0


def test_five_texts_are_split_where_they_can_be() -> None:
    texts = ("Rash 🤒", "Сыпь после дозы", "Fine", "Slept well", "Ate well")
    records = [LabelledText(text, "AE" if place < 2 else "none") for place, text in enumerate(texts)]
    for split_of in SPLITS:
        split = split_of(records, test_fraction=0.2, seed=1)
        assert all(split.counts[side].keys() == {"AE", "none"} for side in ("train", "test"))


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "there are no texts"),
        ([LabelledText(f"secret {number}", "none") for number in range(5)], "all 5 texts are labelled none"),
        (
            [LabelledText(f"secret {number}", "none") for number in range(4)] + [LabelledText("secret", "AE")],
            "labelled AE are too few",
        ),
        (
            [LabelledText(f"secret {number}", "AE" if number < 3 else "none", str(number // 3)) for number in range(9)],
            "labelled AE are too few, or all of them hang together",
        ),
    ],
)
def test_what_cannot_be_split_is_a_named_error(records: list[LabelledText], message: str) -> None:
    with pytest.raises(UploadError, match=message) as caught:
        grouped_split(records, test_fraction=0.2, seed=1)
    assert "secret" not in str(caught.value)
