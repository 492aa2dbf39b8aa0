"""Which words an answer is expected to hold, learnt from pairs."""

from pathlib import Path

import numpy as np
import pytest

import training.expected_words as expected_words
from training.errors import RetrievalError
from training.expected_words import ExpectedWords
from training.splits import Record

FINDINGS = {
    "The heart is large.": "Cardiomegaly.",
    "There is a round shadow.": "Nodule, follow up.",
    "Fluid on the left.": "Pleural effusion.",
    "Everything is clear.": "No acute disease.",
}


def pairs(count: int = 80) -> list[Record]:
    """Each input says one thing of FINDINGS, and in which view it was seen."""
    kinds = list(FINDINGS.items())
    return [Record(f"{n:04}", f"{kinds[n % 4][0]} Seen in view {n}.", kinds[n % 4][1]) for n in range(count)]


@pytest.fixture(scope="module")
def learnt() -> ExpectedWords:
    return ExpectedWords.learn(pairs())


@pytest.mark.parametrize("finding", FINDINGS)
def test_it_expects_what_was_written_of_such_inputs(learnt: ExpectedWords, finding: str) -> None:
    (expectation,) = learnt.of([f"{finding} Seen in view 900."])
    agreement = {answer: expectation.agreement(answer) for answer in FINDINGS.values()}
    right = FINDINGS[finding]
    assert all(
        agreement[right][view] > agreement[other][view] for other in agreement if other != right for view in (0, 1)
    )
    assert 0.6 < agreement[right][0] <= 1


def test_word_order_matters_to_pairs_alone(learnt: ExpectedWords) -> None:
    (expectation,) = learnt.of(["There is a round shadow."])
    straight, turned = expectation.agreement("Nodule, follow up."), expectation.agreement("Up follow nodule.")
    assert straight[0] == turned[0]
    assert straight[1] > turned[1]


def test_answers_are_compared_by_stems(learnt: ExpectedWords) -> None:
    (expectation,) = learnt.of(["There is a round shadow."])
    assert expectation.agreement("Nodules: follow up") == expectation.agreement("Nodule, follow up.")


def test_an_unknown_input_is_expected_to_be_answered_as_most(learnt: ExpectedWords) -> None:
    (expectation,) = learnt.of(["zzz qqq"])
    np.testing.assert_allclose(expectation.words["cardiomegali"], 0.25, atol=1e-6)
    assert expectation.agreement("") == (0.0, 0.0)
    assert expectation.agreement("Something else entirely.")[0] == 0.0


def test_a_text_is_expected_the_same_alone_and_among_others(learnt: ExpectedWords) -> None:
    texts = [f"{finding} Seen in view {n}." for n, finding in enumerate(FINDINGS)]
    for text, together in zip(texts, learnt.of(texts), strict=True):
        (alone,) = learnt.of([text])
        np.testing.assert_allclose(list(alone.words.values()), list(together.words.values()), atol=1e-6)


def test_it_is_ridge_regression_in_the_kernel_of_all_inputs() -> None:
    """Against the textbook formula, solved with every input: K (K + ridge)^-1."""
    records = pairs(24)
    learnt = ExpectedWords.learn(records)
    kernel = (learnt._landmarks @ learnt._landmarks.T).toarray().astype(float)
    held = np.array([[record.target == "Cardiomegaly."] for record in records], dtype=float)
    mean = held.mean(0)
    wanted = kernel @ np.linalg.solve(kernel + expected_words.RIDGE * np.identity(24), held - mean) + mean
    given = [expectation.words["cardiomegali"] for expectation in learnt.of([record.input for record in records])]
    np.testing.assert_allclose(given, np.clip(wanted[:, 0], 0, 1), atol=2e-3)


def test_fewer_landmarks_than_inputs_learn_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch, learnt: ExpectedWords
) -> None:
    monkeypatch.setattr(expected_words, "LANDMARKS", 27)
    fewer = ExpectedWords.learn(pairs())
    assert fewer._landmarks.shape[0] == 27
    for finding, answer in FINDINGS.items():
        of_all, of_some = (
            some.of([f"{finding} Seen in view 900."])[0].agreement(answer)[0] for some in (learnt, fewer)
        )
        assert abs(of_all - of_some) < 0.25


def test_equal_inputs_with_different_answers_are_all_learnt_from() -> None:
    records = [Record(f"{n}", "The same.", ["Mass.", "Mass.", "Nodule."][n % 3]) for n in range(30)]
    (expectation,) = ExpectedWords.learn(records).of(["The same."])
    np.testing.assert_allclose([expectation.words["mass"], expectation.words["nodul"]], [2 / 3, 1 / 3], atol=0.02)


def test_of_too_many_records_the_same_are_learnt_from_in_whatever_order_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expected_words, "RECORDS", 30)
    straight, turned = ExpectedWords.learn(pairs()), ExpectedWords.learn(reversed(pairs()))
    assert straight.of(["Fluid on the left."]) == turned.of(["Fluid on the left."])
    assert straight._landmarks.shape[0] == 30


def test_it_is_read_back_as_it_was_written(tmp_path: Path, learnt: ExpectedWords) -> None:
    learnt.save(tmp_path / "words")
    assert ExpectedWords.load(tmp_path / "words").of(["Fluid on the left."]) == learnt.of(["Fluid on the left."])


def test_no_record_and_a_damaged_file_are_said(tmp_path: Path, learnt: ExpectedWords) -> None:
    with pytest.raises(RetrievalError, match="no training record"):
        ExpectedWords.learn([])
    with pytest.raises(RetrievalError, match="missing or damaged"):
        ExpectedWords.load(tmp_path)
    learnt.save(tmp_path)
    arrays = tmp_path / "expected_words.npz"
    for damaged in (b"nothing", arrays.read_bytes()[:2000]):
        arrays.write_bytes(damaged)
        with pytest.raises(RetrievalError, match="missing or damaged"):
            ExpectedWords.load(tmp_path)


@pytest.mark.parametrize("target", ["", "...", "Once only."])
def test_targets_without_a_frequent_word_are_no_error(target: str) -> None:
    (expectation,) = ExpectedWords.learn([Record("1", "Some text.", target), Record("2", "", target)]).of(
        ["Some text."]
    )
    assert expectation.agreement("Once only.")[0] == 0.0
