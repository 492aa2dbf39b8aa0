"""Prepare where targets are labels. All texts are invented."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.training.prepared_uploads import Workplace, json_lines
from training.errors import ArgumentError, UploadError
from training.prepare import Arguments
from training.records import normalise

EVENT, NONE = "Adverse_Event", "Not_AE"
LABELLED: dict[str, Any] = {
    "input_field": "text",
    "target_field": "label",
    "positive_label": EVENT,
    "negative_label": NONE,
}


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def texts(count: int = 400, seed: int = 1) -> list[dict[str, Any]]:
    """A fifth report an event; many stand in one article, some twice."""
    chance = random.Random(seed)
    return [
        {
            "text": f"A rash after drug {chance.randrange(20 * count)} \U0001f600 \u4e2d\u6587.",
            "label": EVENT if chance.random() < 0.2 else NONE,
            "patient": f"article {chance.randrange(count // 3)}",
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_split_has_its_share_of_each_label_and_nothing_stands_on_two_sides(place: Workplace, seed: int) -> None:
    place.upload("train/a.jsonl", json_lines(texts(seed=seed)))
    place.prepare(seed=seed, validation_fraction=0.15, holdout_fraction=0.2, **LABELLED)
    sides = {side: place.rows(side) for side in ("train", "validation", "eval/holdout")}
    everything = [row for rows in sides.values() for row in rows]
    for side, fraction in (("validation", 0.15), ("eval/holdout", 0.2)):
        for label in (EVENT, NONE):
            wanted = fraction * sum(row["target"] == label for row in everything)
            assert abs(sum(row["target"] == label for row in sides[side]) - wanted) <= 2
    keys = [{normalise(row["input"]) for row in rows} | {row["patient"] for row in rows} for rows in sides.values()]
    assert not keys[0] & keys[1] and not keys[0] & keys[2] and not keys[1] & keys[2]
    counts = place.report()["labels"]
    assert {side: sum(labels.values()) for side, labels in counts.items()} == {
        "train": len(sides["train"]), "validation": len(sides["validation"]), "holdout": len(sides["eval/holdout"]),
    }  # fmt: skip
    assert counts["train"][EVENT] == sum(row["target"] == EVENT for row in sides["train"])
    assert not (place.output / "similar").exists(), "nobody looks up similar texts"


def test_the_corpus_as_published_is_read_and_grouped_by_article(place: Workplace) -> None:
    relations = "".join(f"{n % 40}|Rash began after drug {n // 2}.|rash|0|4|drug {n // 2}|22|28\n" for n in range(120))
    negatives = "".join(f"{n % 40} NEG Drug {n} was well tolerated.\n" for n in range(200))
    place.upload("train/DRUG-AE.rel", relations.encode())
    place.upload("train/ADE-NEG.txt", negatives.encode())
    place.prepare(validation_fraction=0.2, holdout_fraction=0.2, **LABELLED)
    assert place.report()["counts"]["duplicates"] == 60, "a sentence comes once for each of its effects"
    articles = [{row["patient"] for row in place.rows(side)} for side in ("train", "validation", "eval/holdout")]
    assert not articles[0] & articles[1] and not articles[0] & articles[2] and not articles[1] & articles[2]


def test_what_is_no_label_goes_to_quarantine(place: Workplace) -> None:
    bad = [{"text": "A rash.", "label": "perhaps"}, {"text": "", "label": EVENT}, {"text": "A rash.", "label": None}]
    place.upload("train/a.jsonl", json_lines([*texts(), *bad]))
    place.prepare(validation_fraction=0.1, holdout_fraction=0.1, **LABELLED)
    quarantined = [row["reason"] for row in place.rows("quarantine")]
    assert len(quarantined) == 3 and any(reason.startswith("unknown label") for reason in quarantined)
    assert {row["target"] for row in place.rows("train")} == {EVENT, NONE}


def test_labels_as_numbers_are_named(place: Workplace) -> None:
    rows = [{**row, "label": int(row["label"] == EVENT)} for row in texts()]
    place.upload("train/a.jsonl", json_lines(rows))
    place.prepare(validation_fraction=0.1, holdout_fraction=0.1, **LABELLED)
    assert {row["target"] for row in place.rows("validation")} == {EVENT, NONE}


def test_one_class_only_is_refused_by_name(place: Workplace) -> None:
    place.upload("train/a.jsonl", json_lines([{**row, "label": NONE} for row in texts()]))
    with pytest.raises(UploadError, match=f"no training text is labelled {EVENT}"):
        place.prepare(**LABELLED)
    assert "no training text is labelled" in place.report()["error"]


def test_five_examples_are_too_few_and_six_of_each_are_not(place: Workplace) -> None:
    few = [{"text": f"Text {n}.", "label": EVENT if n < 2 else NONE} for n in range(5)]
    place.upload("train/a.jsonl", json_lines(few))
    with pytest.raises(UploadError, match=f"training texts labelled {EVENT} cannot be split .* upload more of them"):
        place.prepare(**LABELLED)


def test_three_of_each_label_are_one_on_each_side(place: Workplace) -> None:
    place.upload(
        "train/a.jsonl", json_lines([{"text": f"Text {n}.", "label": EVENT if n < 3 else NONE} for n in range(6)])
    )
    place.prepare(validation_fraction=0.2, holdout_fraction=0.2, **LABELLED)
    for side in ("train", "validation", "eval/holdout"):
        assert {row["target"] for row in place.rows(side)} == {EVENT, NONE}


def test_a_text_with_both_labels_is_said_and_kept_together(place: Workplace) -> None:
    both = [{"text": "A rash, perhaps.", "label": label} for label in (EVENT, NONE)]
    place.upload("train/a.jsonl", json_lines([*texts(), *both]))
    place.prepare(validation_fraction=0.1, holdout_fraction=0.1, **LABELLED)
    assert any("with both labels" in warning for warning in place.report()["warnings"])
    where = [side for side in ("train", "validation", "eval/holdout") for row in place.rows(side)
             if row["input"] == "A rash, perhaps."]  # fmt: skip
    assert len(where) == 2 and len(set(where)) == 1


def test_evaluation_sets_are_counted_and_cleaned_of_training_text(place: Workplace) -> None:
    rows = texts()
    place.upload("train/a.jsonl", json_lines(rows))
    unseen = [{"text": f"Unseen {n}.", "label": EVENT if n % 3 else NONE} for n in range(9)]
    place.upload("eval/dev/b.jsonl", json_lines([*unseen, rows[0]]))
    place.prepare(validation_fraction=0.1, **LABELLED)
    report = place.report()
    assert report["labels"]["eval/dev"] == {NONE: 3, EVENT: 6}
    assert report["removed_from_evaluation"] == {"dev": 1}


def test_a_very_long_text_is_a_text_like_any_other(place: Workplace) -> None:
    long = "word " * 10_000
    place.upload("train/a.jsonl", json_lines([*texts(), {"text": long, "label": EVENT}]))
    place.prepare(validation_fraction=0.1, holdout_fraction=0.1, **LABELLED)
    assert sum(row["input"].strip() == long.strip() for side in ("train", "validation", "eval/holdout")
               for row in place.rows(side)) == 1  # fmt: skip


def test_the_order_of_the_records_changes_nothing(tmp_path: Path) -> None:
    rows, splits = texts(), []
    for name, order in (("a", rows), ("b", rows[::-1])):
        place = Workplace(tmp_path / name)
        place.upload("train/a.jsonl", json_lines(order))
        place.prepare(validation_fraction=0.1, holdout_fraction=0.1, **LABELLED)
        splits.append([json.dumps(place.rows(side)) for side in ("train", "validation", "eval/holdout")])
    assert splits[0] == splits[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"negative_label": None}, "give both or neither"),
        ({"negative_label": EVENT.lower()}, "two labels of different names"),
        ({"jumpstart_prompt": "Text: {input}"}, "whose targets are text"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        Arguments(uploads=tmp_path, output=tmp_path, **(LABELLED | given))
