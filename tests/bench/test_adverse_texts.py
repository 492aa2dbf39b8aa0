"""Dividing labelled texts in two ways: what is read, what may be on two sides, how much is. All texts are invented."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.adverse_texts import (
    GROUPED,
    KINDS,
    NEGATIVE,
    POSITIVE,
    RANDOM,
    LabelledText,
    Overlap,
    Sides,
    divide,
    lay_down,
    overlap,
    read_uploads,
    write_upload,
)
from training.errors import UploadError
from training.records import normalise


def invented(articles: int) -> list[LabelledText]:
    """Articles of four sentences; of some, a positive one stands there twice, and once more in the next article."""
    texts = []
    for article in range(articles):
        for sentence in range(4):
            label = POSITIVE if sentence == 0 and article % 2 else NEGATIVE
            texts.append(LabelledText(f"Sentence {sentence} of {article} 🤒", label, f"a{article}"))
        if article % 6 == 1:
            shared = f"Shared  sentence of {article}"
            texts += [
                LabelledText(shared, POSITIVE, f"a{article}"),
                LabelledText(shared, POSITIVE, f"a{article}"),
                LabelledText(shared.upper(), POSITIVE, f"a{article + 1}"),
            ]
    return texts


def divided(kind: str, texts: list[LabelledText], folder: Path, seed: int = 1) -> Sides:
    write_upload(texts, folder / "uploads")
    return divide(kind, folder / "uploads", folder / "sides", seed)


def keys(texts: list[LabelledText]) -> set[str]:
    return {key for text in texts for key in (normalise(text.text), f"article {text.article}")}


def test_grouped_no_text_and_no_article_is_on_two_sides(tmp_path: Path) -> None:
    sides = divided(GROUPED, invented(200), tmp_path)
    everything = [keys(side) for side in (sides.train, sides.validation, sides.test)]
    assert sum(map(len, everything)) == len(set.union(*everything))
    assert overlap(sides.train, sides.test) == Overlap(len(sides.test), 0.0, 0.0)
    counted = Counter(normalise(text.text) for side in (sides.train, sides.validation, sides.test) for text in side)
    assert set(counted.values()) == {1} and len(counted) == 800 + 34, "a sentence counts once"


def test_random_every_row_counts_and_copies_stand_on_both_sides(tmp_path: Path) -> None:
    texts = invented(200)
    sides = divided(RANDOM, texts, tmp_path)
    held = Counter(text for side in (sides.train, sides.validation, sides.test) for text in side)
    assert held == Counter(texts)
    found, positive = overlap(sides.train, sides.test), overlap(sides.train, sides.test, POSITIVE)
    trained = {normalise(text.text) for text in sides.train}
    tested = [text for text in sides.test if text.label == POSITIVE]
    assert positive.records == len(tested)
    assert positive.texts == sum(normalise(text.text) in trained for text in tested) / len(tested) > 0.2
    assert 0 < found.texts < positive.texts and found.articles > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_each_label_has_its_share(kind: str, tmp_path: Path) -> None:
    sides = divided(kind, invented(200), tmp_path)
    for label in (POSITIVE, NEGATIVE):
        train, validation, test = (
            sum(text.label == label for text in side) for side in (sides.train, sides.validation, sides.test)
        )
        total = train + validation + test
        # Whole groups of six rows and more only come near to it.
        near = {"rel": 0.2} if kind == GROUPED else {"abs": 0.5}
        assert test == pytest.approx(0.2 * total, **near) and validation == pytest.approx(0.1 * total, **near)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_rows_changes_nothing_and_the_seed_does(kind: str, tmp_path: Path) -> None:
    texts = invented(60)
    first = divided(kind, texts, tmp_path / "first")
    other_seed = divided(kind, texts, tmp_path / "seed", seed=2)
    random.Random(3).shuffle(texts)
    shuffled = divided(kind, texts, tmp_path / "shuffled")
    assert (first.train, first.validation, first.test) == (shuffled.train, shuffled.validation, shuffled.test)
    assert set(first.test) != set(other_seed.test)


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_texts_to_train_on_leave_the_other_sides_alone(kind: str, tmp_path: Path) -> None:
    whole = divided(kind, invented(60), tmp_path)
    fewer = whole.with_fewer(30, tmp_path / "fewer")
    assert len(fewer.train) == 30 and not Counter(fewer.train) - Counter(whole.train)
    assert {text.label for text in fewer.train} == {POSITIVE, NEGATIVE}
    assert (fewer.validation, fewer.test) == (whole.validation, whole.test)
    assert Sides.read(fewer.folder) == fewer
    assert whole.with_fewer(10_000, tmp_path / "all").train == whole.train


def test_overlap_without_texts_of_the_label_or_articles() -> None:
    texts = [LabelledText("A  rash.", POSITIVE), LabelledText("Fine.", NEGATIVE)]
    assert overlap(texts, [LabelledText("a RASH.", NEGATIVE)]) == Overlap(1, 1.0, 0.0)
    assert overlap(texts, texts, "other") == Overlap(0, 0.0, 0.0)


def corpus(folder: Path) -> None:
    """As the ADE corpus is published, with what else lies beside it."""
    relations = "".join(f"{n % 10}|Rash after drug {n // 2}.|rash|0|4|drug {n // 2}|11|17\n" for n in range(40))
    negatives = "".join(f"{n % 10} NEG Drug {n} was well tolerated.\n" for n in range(60))
    folder.mkdir()
    (folder / "DRUG-AE.rel").write_text(relations, encoding="utf-8")
    (folder / "ADE-NEG.txt").write_text(negatives, encoding="utf-8")
    (folder / "README").write_text("What this is.\n", encoding="utf-8")


def of_the_hub(rows: list[LabelledText], file: Path) -> None:
    """Two columns, labels as numbers."""
    columns = {"text": [row.text for row in rows], "label": [int(row.label == POSITIVE) for row in rows]}
    pq.write_table(pa.table(columns), file)


def json_lines(rows: list[LabelledText], file: Path, name: str) -> None:
    written: list[dict[str, Any]] = [{"text": row.text, "label": row.label, name: row.article} for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in written), encoding="utf-8")


def test_every_form_of_the_corpus_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus(tmp_path / "published")
    lay_down(tmp_path / "published", tmp_path / "a")
    expected = sorted(read_uploads(tmp_path / "a"), key=repr)
    assert len(expected) == 100 and {text.article for text in expected} == set("0123456789")
    assert "README: is not in a known format" in capsys.readouterr().out
    for name, place in (("id", "b"), ("article", "c"), ("pubmed_id", "d")):
        json_lines(expected, tmp_path / f"{name}.jsonl", name)
        lay_down(tmp_path / f"{name}.jsonl", tmp_path / place)
        assert read_uploads(tmp_path / place) == expected
    of_the_hub(expected, tmp_path / "train.parquet")
    lay_down(tmp_path / "train.parquet", tmp_path / "e")
    assert read_uploads(tmp_path / "e") == [LabelledText(text.text, text.label) for text in expected]
    for kind in KINDS:
        for place in "abe":
            sides = divide(kind, tmp_path / place, tmp_path / f"{kind}-{place}", 1)
            assert {text.label for text in sides.test} == {POSITIVE, NEGATIVE}


def test_an_id_does_not_hide_the_article(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "article": "pm7", "text": "A rash.", "label": POSITIVE},
        {"id": 2, "article": "", "text": "Fine.", "label": NEGATIVE},
        {"text": "Fine too.", "label": NEGATIVE},
    ]
    lines = [*map(json.dumps, rows), "no JSON", "[1]"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    lay_down(tmp_path / "a.jsonl", tmp_path / "uploads")
    assert [text.article for text in read_uploads(tmp_path / "uploads")] == ["pm7", "2", None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "texts",
    [
        [LabelledText(f"secret {number}", NEGATIVE) for number in range(9)],
        [LabelledText(f"secret {number}", POSITIVE if number < 2 else NEGATIVE) for number in range(9)],
    ],
)
def test_what_cannot_be_divided_is_a_named_error(kind: str, texts: list[LabelledText], tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=rf"labelled {POSITIVE}") as caught:
        divided(kind, texts, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_or_of_no_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=r"none\.jsonl: there is no such file"):
        lay_down(tmp_path / "none.jsonl", tmp_path / "uploads")
    (tmp_path / "notes.txt").write_text("secret", encoding="utf-8")
    lay_down(tmp_path / "notes.txt", tmp_path / "uploads")
    with pytest.raises(UploadError, match="no file holds a row with text and label") as caught:
        read_uploads(tmp_path / "uploads")
    assert "secret" not in str(caught.value)
