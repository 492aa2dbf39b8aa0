"""The TF-IDF floor: it learns, in bounded memory, and chooses its threshold on validation texts."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tests.training.tiny_encoder import labelled_texts
from training import tfidf_floor
from training.errors import EvaluationError
from training.tfidf_floor import TfidfFloor


def texts_and_truth(count: int, start: int = 0) -> tuple[list[str], np.ndarray]:
    records = labelled_texts(count, start)
    return [str(r["input"]) for r in records], np.array([r["target"] == "AE" for r in records])


def test_it_learns_what_words_tell() -> None:
    texts, truth = texts_and_truth(120)
    floor = TfidfFloor(texts, truth)
    others, expected = texts_and_truth(80, start=5000)
    found = floor.probabilities(others)
    assert found.shape == (80,) and ((found >= 0) & (found <= 1)).all()
    assert average_precision_score(expected, found) > 0.9
    assert np.array_equal(found, TfidfFloor(texts, truth).probabilities(others))
    assert floor.probabilities([]).shape == (0,)
    assert (floor.left_out, floor.cut_off) == (0, 0)


def test_pieces_of_words_are_known_where_words_are_not() -> None:
    texts = [f"Patient had {name}itis." for name in ("gastr", "hepat", "nephr", "col")] + ["Patient was well."] * 4
    floor = TfidfFloor(texts, np.array([True] * 4 + [False] * 4))
    inflamed, fine = floor.probabilities(["Pancreatitis 🤢", "Feeling good"])
    assert inflamed > fine


def test_its_threshold_is_chosen_on_validation() -> None:
    floor = TfidfFloor(*texts_and_truth(120))
    assert floor.threshold == 0.5
    others, expected = texts_and_truth(40, start=5000)
    floor.choose_threshold(others, expected)
    assert floor.threshold != 0.5
    assert ((floor.probabilities(others) >= floor.threshold) == expected).mean() > 0.9


def test_what_it_reads_is_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, truth = texts_and_truth(120)
    monkeypatch.setattr(tfidf_floor, "MAX_CHARACTERS", sum(map(len, texts)) // 2)
    floor = TfidfFloor(texts, truth)
    assert 40 < floor.left_out < 80
    shuffled = np.random.default_rng(1).permutation(120)
    again = TfidfFloor([texts[place] for place in shuffled], truth[shuffled])
    assert again.probabilities(texts) == pytest.approx(floor.probabilities(texts), abs=0.01)
    monkeypatch.setattr(tfidf_floor, "MAX_CHARACTERS", 10_000_000)
    long = TfidfFloor([*texts, "x" * 50_000], np.append(truth, False))
    assert (long.left_out, long.cut_off) == (0, 1)


@pytest.mark.parametrize("truth", [True, False])
def test_one_class_is_a_named_error(truth: bool) -> None:
    with pytest.raises(EvaluationError, match="both labels"):
        TfidfFloor(["a", "b"], np.array([truth, truth]))
