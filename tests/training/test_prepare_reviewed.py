"""Prepare with texts that a person reviewed. All texts are invented."""

from pathlib import Path
from typing import Any

import pytest

from tests.training.prepared_uploads import Workplace, json_lines, pair
from tests.training.test_prepare_labels import EVENT, LABELLED, NONE, texts

SPLIT = {"validation_fraction": 0.1, "holdout_fraction": 0.1}


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def different_texts() -> list[dict[str, Any]]:
    """None of them twice, so that none has both labels."""
    return list({row["text"]: row for row in texts()}.values())


def review(place: Workplace, name: str, text: str, label: str) -> None:
    """As record_review writes it: one object an event."""
    place.upload(f"reviewed/{name}.jsonl", json_lines([{"text": text, "label": label}]))


def labels_of(place: Workplace, text: str) -> list[str]:
    return [row["target"] for row in place.every_training_row() if row["input"] == text]


def adds_up(counts: dict[str, Any]) -> bool:
    parts = ("train", "validation", "holdout", "quarantined", "duplicates", "overruled")
    return bool(counts["uploaded"] == sum(counts[part] for part in parts))


def test_reviewed_texts_are_trained_on_and_counted(place: Workplace) -> None:
    place.upload("train/a.jsonl", json_lines(different_texts()))
    alone = place.prepare(**SPLIT, **LABELLED)
    review(place, "1", "Hives on day two.", EVENT)
    review(place, "2", "Slept well.", NONE)
    report = place.prepare(**SPLIT, **LABELLED)
    assert (labels_of(place, "Hives on day two."), labels_of(place, "Slept well.")) == ([EVENT], [NONE])
    assert (report["counts"]["reviewed"], report["counts"]["overruled"]) == (2, 0)
    assert report["counts"]["uploaded"] == alone["counts"]["uploaded"] + 2
    assert adds_up(report["counts"])
    assert report["fingerprint"] != alone["fingerprint"]
    assert not any("not read" in warning for warning in report["warnings"])


def test_a_reviewed_label_wins_over_the_one_that_was_uploaded(place: Workplace) -> None:
    wrong = [
        {"text": "Rash after the drug.", "label": NONE, "article": "7"},
        {"text": "rash  after THE drug.", "label": NONE, "article": "8"},
        {"text": "Another rash.", "label": NONE},
    ]
    place.upload("train/a.jsonl", json_lines([*different_texts(), *wrong]))
    review(place, "1", "Rash after the drug.", EVENT)
    report = place.prepare(**SPLIT, **LABELLED)
    found = {row["input"]: row["target"] for row in place.every_training_row() if "rash" in row["input"].lower()}
    assert found["Rash after the drug."] == EVENT
    assert "rash  after THE drug." not in found and found["Another rash."] == NONE
    # The second one with the wrong label is the first one's duplicate.
    assert report["counts"]["overruled"] == 1
    assert adds_up(report["counts"])
    assert not any("both labels" in warning for warning in report["warnings"])


def test_a_review_that_agrees_is_one_record_with_what_was_uploaded(place: Workplace) -> None:
    place.upload("train/a.jsonl", json_lines([*different_texts(), {"text": "Rash.", "label": EVENT, "article": "7"}]))
    review(place, "1", "Rash.", EVENT)
    report = place.prepare(**SPLIT, **LABELLED)
    assert labels_of(place, "Rash.") == [EVENT]
    assert report["counts"]["overruled"] == 0 and adds_up(report["counts"])
    # Whose it is is not forgotten.
    assert [row["patient"] for row in place.every_training_row() if row["input"] == "Rash."] == ["7"]


def test_two_people_who_disagree_about_one_text_are_both_heard_and_named(place: Workplace) -> None:
    """The same text from two sources is two events."""
    place.upload("train/a.jsonl", json_lines([*different_texts(), {"text": "Rash.", "label": EVENT, "article": "7"}]))
    review(place, "1", "Rash.", EVENT)
    review(place, "2", "Rash.", NONE)
    report = place.prepare(**SPLIT, **LABELLED)
    assert sorted(labels_of(place, "Rash.")) == sorted([EVENT, NONE])
    assert report["counts"]["overruled"] == 0 and adds_up(report["counts"])
    assert any("1 training texts are there with both labels" in warning for warning in report["warnings"])


def test_a_reviewed_text_leaves_the_evaluation_set_and_the_report_says_so(place: Workplace) -> None:
    place.upload("train/a.jsonl", json_lines([*different_texts(), {"text": "Known from training.", "label": NONE}]))
    unseen = [{"text": f"Unseen {n}.", "label": EVENT if n % 3 else NONE} for n in range(9)]
    place.upload("eval/dev/b.jsonl", json_lines([*unseen, {"text": "Known from training.", "label": NONE}]))
    review(place, "1", "Unseen 4.", EVENT)
    review(place, "2", "unseen 5.", NONE)
    review(place, "3", "Known from training.", NONE)
    report = place.prepare(validation_fraction=0.1, **LABELLED)
    assert {row["input"] for row in place.rows("eval/dev")} == {f"Unseen {n}." for n in (0, 1, 2, 3, 6, 7, 8)}
    assert report["removed_from_evaluation"] == {"dev": 3}
    (said,) = [warning for warning in report["warnings"] if "were reviewed" in warning]
    assert said.startswith("2 records of evaluation set dev were removed")


def test_without_reviews_no_set_is_said_to_have_lost_any(place: Workplace) -> None:
    rows = different_texts()
    place.upload("train/a.jsonl", json_lines(rows))
    place.upload("eval/dev/b.jsonl", json_lines([{"text": "Unseen.", "label": EVENT}, rows[0]]))
    report = place.prepare(validation_fraction=0.1, **LABELLED)
    assert report["removed_from_evaluation"] == {"dev": 1}
    assert not any("reviewed" in warning for warning in report["warnings"])


def test_a_corrected_impression_replaces_what_was_written_of_the_same_words_but_not_of_another_patient(
    place: Workplace,
) -> None:
    same = {"findings": "Small effusion on the left."}
    place.upload(
        "train/a.jsonl",
        json_lines(
            [
                *(pair(n) for n in range(60)),
                same | {"impression": "Nothing.", "patient": "1"},
                same | {"impression": "Effusion of patient 2.", "patient": "2"},
                same | {"impression": "Nobody's."},
            ]
        ),
    )
    place.upload("reviewed/one.jsonl", json_lines([same | {"impression": "Left effusion.", "patient": "1"}]))
    report = place.prepare(validation_fraction=0.2, holdout_fraction=0.2)
    written = {row["target"] for row in place.every_training_row() if row["input"] == same["findings"]}
    assert written == {"Left effusion.", "Effusion of patient 2."}
    assert (report["counts"]["reviewed"], report["counts"]["overruled"]) == (1, 2)
    assert adds_up(report["counts"])


def test_a_reviewed_file_that_is_no_use_does_not_stop_the_run(place: Workplace) -> None:
    place.upload("train/a.jsonl", json_lines(different_texts()))
    place.upload("reviewed/empty.jsonl", b"")
    place.upload("reviewed/one.jsonl", json_lines([{"text": "Rash.", "label": "perhaps"}]))
    review(place, "two", "Hives.", EVENT)
    report = place.prepare(**SPLIT, **LABELLED)
    assert report["counts"]["reviewed"] == 1
    assert sum(warning.startswith("left out: reviewed/") for warning in report["warnings"]) == 2


def test_the_order_of_the_records_changes_nothing(tmp_path: Path) -> None:
    rows, splits = [*different_texts(), {"text": "Rash.", "label": NONE}], []
    for name, order in (("a", rows), ("b", rows[::-1])):
        place = Workplace(tmp_path / name)
        place.upload("train/a.jsonl", json_lines(order))
        review(place, "1", "Rash.", EVENT)
        place.prepare(**SPLIT, **LABELLED)
        splits.append([place.rows(side) for side in ("train", "validation", "eval/holdout")])
    assert splits[0] == splits[1]
