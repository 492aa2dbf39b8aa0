"""The index against BM25 written down a second way, and what a saved index may and may not be."""

import json
import math
import random
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from training import retrieval
from training.errors import RetrievalError
from training.records import normalise
from training.retrieval import SimilarReports
from training.splits import Record

WORDS = [
    "the", "heart", "lungs", "left", "right", "base", "small", "large", "effusion", "opacity", "nodule", "3", "5",
    "mm", "clear", "no", "stable", "spine", "edema",
]  # fmt: skip


def made_up(number: int, seed: int = 1) -> list[Record]:
    chance = random.Random(seed)
    return [
        Record(
            f"id{i}", " ".join(chance.choices(WORDS, range(len(WORDS), 0, -1), k=chance.randint(3, 14))), f"Target {i}."
        )
        for i in range(number)
    ]


def terms(text: str) -> Counter[str]:
    words = re.findall(r"\w+", text.lower())
    return Counter(words + [" ".join(pair) for pair in pairwise(words)])


def by_hand(records: list[Record], text: str, left_out: float = math.inf) -> dict[str, float]:
    """Okapi BM25 as a textbook has it (k1 1.2, b 0.75, Lucene's idf), over the text's score for itself."""
    held = [terms(record.input) for record in records]
    mean = sum(counts.total() for counts in held) / len(held)
    holders = Counter(term for counts in held for term in counts)

    def score(asked: Counter[str], said: Counter[str]) -> float:
        total = 0.0
        for term in asked:
            if said[term] and holders[term] <= left_out:
                idf = math.log(1 + (len(held) - holders[term] + 0.5) / (holders[term] + 0.5))
                total += idf * said[term] * 2.2 / (said[term] + 1.2 * (0.25 + 0.75 * said.total() / mean))
        return total

    asked = terms(text)
    return {
        record.id: min(1.0, score(asked, said) / score(asked, asked))
        for record, said in zip(records, held, strict=True)
        if normalise(record.input) != normalise(text) and score(asked, said) > 0
    }


@pytest.mark.parametrize("at_a_time", [4_000, 7])
def test_similarity_is_bm25_and_the_most_similar_come_first(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(retrieval, "_RECORDS_AT_A_TIME", at_a_time)
    monkeypatch.setattr(retrieval, "_QUERIES_AT_A_TIME", at_a_time)
    # One without a word, which counts in the mean length, stands among them.
    records = [*made_up(80)[:40], Record("id900", "...", "Target 900."), *made_up(80)[40:]]
    texts = [record.input for record in made_up(20, seed=2)] + ["nodule unheard of, 5 mm"]
    for text, found in zip(texts, SimilarReports.build(iter(records)).similar(texts, 80), strict=True):
        expected = by_hand(records, text)
        assert {one.id: one.similarity for one in found} == pytest.approx(expected, rel=1e-5)
        assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
        assert all(one.target == f"Target {one.id[2:]}." for one in found)


def test_fewer_asked_for_are_the_first_of_all() -> None:
    # More than 15 blocks of scores, so that not all of them are ordered.
    records = made_up(15 * retrieval._SCORES_IN_A_BLOCK + 30)
    index = SimilarReports.build(records)
    texts = [record.input for record in made_up(30, seed=3)]
    for few, every in zip(index.similar(texts, 15), index.similar(texts, len(records)), strict=True):
        assert few == every[:15]


def test_common_terms_of_many_records_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "FEWEST_LEFT_OUT", 10)
    records, text = made_up(80), "the heart the lungs clear left base"
    common = 80 * retrieval.LARGEST_SHARE
    (found,) = SimilarReports.build(records).similar([text], 80)
    expected = by_hand(records, text, left_out=common)
    assert {one.id: one.similarity for one in found} == pytest.approx(expected, rel=1e-5)
    assert expected != by_hand(records, text)


def test_a_text_never_finds_itself_however_it_is_spelt() -> None:
    same = [Record("a", "The lungs are clear.", "x"), Record("b", "the  LUNGS are\nclear.", "y")]
    others = [Record("c", "The lungs are not clear.", "z"), Record("d", "A fracture.", "z")]
    index = SimilarReports.build([*same, *others])
    assert [[one.id for one in found] for found in index.similar(["the lungs are clear."], 4)] == [["c"]]


def test_of_equally_similar_records_the_earlier_comes_first() -> None:
    records = [Record(str(i), "a nodule" if i % 2 else "a fracture", "t") for i in range(700)]
    (found,) = SimilarReports.build(records).similar(["nodule, old"], 5)
    assert [one.id for one in found] == ["1", "3", "5", "7", "9"]


def test_a_text_that_shares_no_word_finds_nothing() -> None:
    index = SimilarReports.build(made_up(10))
    assert index.similar(["unrelated words", "", "..."], 3) == [[], [], []]


def test_an_unknown_word_makes_a_text_less_similar_to_everything() -> None:
    index = SimilarReports.build(made_up(50))
    known, unknown = index.similar(["left nodule", "left nodule hitherto unseen"], 1)
    assert unknown[0].id == known[0].id
    assert unknown[0].similarity < 0.7 * known[0].similarity


def test_a_saved_index_answers_alike_and_is_mapped(tmp_path: Path) -> None:
    records = made_up(120)
    records[5] = Record("id5", records[5].input, "Zweizeilig\n\u2028“größer”.")
    index, texts = SimilarReports.build(records), [record.input for record in records]
    index.save(tmp_path / "similar")
    loaded = SimilarReports.load(tmp_path / "similar")
    assert loaded.similar(texts, 15) == index.similar(texts, 15)
    assert len(loaded) == 120
    assert all(isinstance(loaded._engine.scores[name], np.memmap) for name in ("data", "indices", "indptr"))
    assert {file.suffix for file in (tmp_path / "similar").iterdir()} == {".npy", ".json", ".jsonl"}


def test_the_same_records_make_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        SimilarReports.build(made_up(60)).save(tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def break_version(folder: Path) -> None:
    about = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(about | {"version": 0}))


def break_records(folder: Path) -> None:
    lines = (folder / "records.jsonl").read_text().splitlines(keepends=True)
    (folder / "records.jsonl").write_text("".join(lines[:-1]))


def break_terms(folder: Path) -> None:
    np.save(folder / "terms.npy", np.load(folder / "terms.npy")[1:])


def break_line(folder: Path) -> None:
    (folder / "records.jsonl").write_text('{"id": "secret text", "target": ')


def break_array(folder: Path) -> None:
    np.save(folder / "terms.npy", np.array([{"secret": 1}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "index.json").unlink(), "missing or damaged"),
        (lambda folder: (folder / "data.csc.index.npy").write_bytes(b"\x93NUMPY"), "missing or damaged"),
        (lambda folder: (folder / "params.index.json").write_text("[]"), "missing or damaged"),
        (break_version, "another version"),
        (break_records, "incomplete"),
        (break_terms, "incomplete"),
        (break_line, "missing or damaged"),
        (break_array, "missing or damaged"),
    ],
)
def test_a_damaged_index_is_refused_without_its_text(tmp_path: Path, damage, said: str) -> None:
    SimilarReports.build(made_up(20)).save(tmp_path / "similar")
    damage(tmp_path / "similar")
    with pytest.raises(RetrievalError, match=said) as caught:
        SimilarReports.load(tmp_path / "similar")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("inputs", [[], ["...", "---"]])
def test_an_index_needs_words(inputs: list[str]) -> None:
    with pytest.raises(RetrievalError, match="no training input holds a word"):
        SimilarReports.build(Record("id", text, "target") for text in inputs)


def test_an_input_without_a_word_is_never_found_and_harms_nothing() -> None:
    records = made_up(30)
    with_empty = [Record("e1", "...", "t"), *records, Record("e2", "", "t")]
    texts = [record.input for record in made_up(10, seed=4)]
    for found in SimilarReports.build(with_empty).similar(texts, 40):
        assert found and not {"e1", "e2"} & {one.id for one in found}


def test_count_must_be_positive() -> None:
    with pytest.raises(ValueError, match="count must be >= 1"):
        SimilarReports.build(made_up(3)).similar(["heart"], 0)


def test_a_text_that_says_only_what_everybody_says_finds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "FEWEST_LEFT_OUT", 1)
    records = [Record(f"{n}", f"no nodule seen in view {n} {'lobe' if n < 12 else ''}", "t") for n in range(20)]
    index = SimilarReports.build(records)
    assert index.similar(["no nodule"], 3)[0], "every term is in every record"
    found = index.similar(["no lobe"], 20)[0]
    assert {report.id for report in found} == {f"{n}" for n in range(12)}, "the rarest of them decides"
    assert all(0 < report.similarity <= 1 for report in found)
    assert index.similar(["zzz qqq"], 3) == [[]]
