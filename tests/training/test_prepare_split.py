"""No text and no patient on two sides, and the same split for the same records. All texts are invented."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training.prepared_uploads import Workplace, json_lines, pair
from training.records import normalise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def invented(seed: int, count: int = 600) -> list[dict[str, Any]]:
    """Records of which many share a text, in other letters, or a patient, and chains of both."""
    chance = random.Random(seed)
    records = []
    for n in range(count):
        text = f"Findings {chance.randrange(count)}."
        records.append(
            {
                "findings": chance.choice((text, text.upper(), text.replace(" ", "  \n"))),
                "impression": f"Impression {chance.randrange(5)}.",
                "patient": chance.choice((None, f"p{10_000_000 + chance.randrange(count)}", str(10_000_000 + n))),
            }
        )
    return records


def sides(place: Workplace) -> dict[str, list[dict[str, Any]]]:
    return {side: place.rows(side) for side in ("train", "validation", "eval/holdout")}


def keys(rows: list[dict[str, Any]]) -> set[str]:
    texts = {normalise(row["input"]) for row in rows}
    return texts | {"patient " + row["patient"].removeprefix("p") for row in rows if row["patient"]}


@pytest.mark.parametrize("seed", range(5))
def test_no_text_and_no_patient_is_on_two_sides(place, seed):
    place.upload("train/a.jsonl", json_lines(invented(seed)))
    place.prepare(seed=seed, validation_fraction=0.15, holdout_fraction=0.2)
    train, validation, holdout = (keys(rows) for rows in sides(place).values())
    assert train and validation and holdout
    assert not train & validation and not train & holdout and not validation & holdout


def test_a_dropped_duplicate_still_ties_its_patient(place):
    # Patients a and b share one report word for word; only one copy is kept, but both patients must go together.
    ties = [pair(n, patient=p) for n, p in ((0, "a"), (0, "b"), (1, "a"), (2, "b"))]
    for seed in range(20):
        place.upload("train/a.jsonl", json_lines([*ties, *(pair(n) for n in range(10, 16))]))
        place.prepare(seed=seed, validation_fraction=0.4, holdout_fraction=0.3)
        found = [{r["input"] for r in rows} & {t["findings"] for t in ties} for rows in sides(place).values()]
        assert sorted(map(len, found)) == [0, 0, 3]


def test_the_fractions_are_kept_about(place):
    place.upload("train/a.jsonl", json_lines([pair(n, patient=str(n // 3)) for n in range(3000)]))
    counts = place.prepare(validation_fraction=0.05, holdout_fraction=0.1)["counts"]
    assert 147 <= counts["validation"] <= 150
    assert 297 <= counts["eval"]["holdout"] <= 300


def test_the_split_depends_on_the_records_and_the_seed_only(place):
    records = invented(7)
    place.upload("train/a.jsonl", json_lines(records))
    place.prepare(seed=3)
    first = sides(place)
    place.prepare(seed=4)
    assert sides(place) != first
    random.Random(1).shuffle(records)
    (place.uploads / "train/a.jsonl").unlink()
    place.upload("train/z.jsonl", json_lines(records[:200]))
    place.upload("train/b.jsonl", json_lines(records[200:]))
    place.prepare(seed=3)
    assert sides(place) == first


def test_the_split_does_not_depend_on_the_hash_seed_of_the_process(place):
    place.upload("train/a.jsonl", json_lines(invented(9)))
    outputs = []
    for hash_seed in ("1", "2"):
        place.output = place.folder / hash_seed
        command = [
            sys.executable, "-m", "training.prepare", "--uploads", place.uploads, "--output", place.output,
            "--input-field", "findings", "--target-field", "impression",
        ]  # fmt: skip
        subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True, capture_output=True
        )
        outputs.append(sides(place))
    assert outputs[0] == outputs[1]


def test_one_huge_group_stays_in_training_and_is_warned_of(place):
    tied = [pair(n, patient="same") for n in range(90)]
    place.upload("train/a.jsonl", json_lines([*tied, *(pair(n) for n in range(100, 110))]))
    report = place.prepare(validation_fraction=0.05, holdout_fraction=0.05)
    assert (report["counts"]["validation"], report["counts"]["eval"]["holdout"]) == (5, 5)
    assert any("one group of 90 training records hangs together" in w for w in report["warnings"])


def test_where_no_group_is_small_enough_the_smallest_is_held_back(place):
    records = [pair(n, patient="large" if n < 60 else "small") for n in range(100)]
    place.upload("train/a.jsonl", json_lines(records))
    place.upload("eval/dev1/a.jsonl", json_lines([pair(1000)]))
    counts = place.prepare()["counts"]
    assert (counts["train"], counts["validation"]) == (60, 40)


def test_evaluation_leaks_count_duplicates_too(place):
    # The copy of patient b is dropped as a duplicate, but b was uploaded for training all the same.
    place.upload(
        "train/a.jsonl", json_lines([pair(0, patient="a"), pair(0, patient="b"), *(pair(n) for n in range(9, 40))])
    )
    place.upload("eval/dev1/a.jsonl", json_lines([pair(100, patient="b"), pair(101, patient="c")]))
    report = place.prepare()
    assert report["removed_from_evaluation"] == {"dev1": 1}
    assert [row["patient"] for row in place.rows("eval/dev1")] == ["c"]
