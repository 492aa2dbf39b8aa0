"""Marks of what differs, against properties and against the textbook's table of common subsequences."""

import random
import re
import time

import pytest

from training import word_marks
from training.word_marks import mark_words

REFERENCE_ONLY = re.compile(r"⟦−([^⟧]*)⟧")
PREDICTION_ONLY = re.compile(r"⟦\+([^⟧]*)⟧")
WORDS = ("left", "Left", "left.", "effusion", "effusion,", "no", "No", ".", "-", "[x]", "⟦y⟧", "−1", "+1", "ß", "SS")


def squeezed(text: str) -> str:
    """One space between words; what a reader sees of the brackets."""
    return " ".join(text.replace("⟦", "[").replace("⟧", "]").split())


def compared(text: str) -> list[str]:
    return [word.casefold().rstrip(".,;:!?…") or word for word in squeezed(text).split()]


def the_prediction(marked: str) -> str:
    return " ".join(PREDICTION_ONLY.sub(r"\1", REFERENCE_ONLY.sub("", marked)).split())


def the_reference(marked: str) -> str:
    return " ".join(REFERENCE_ONLY.sub(r"\1", PREDICTION_ONLY.sub("", marked)).split())


def common_words(a: list[str], b: list[str]) -> int:
    """Length of a longest common subsequence, from the table."""
    row = [0] * (len(b) + 1)
    for word in a:
        before, row = row, [0]
        for j, other in enumerate(b):
            row.append(before[j] + 1 if word == other else max(before[j + 1], row[j]))
    return row[-1]


@pytest.mark.parametrize(
    ("reference", "prediction", "marked"),
    [
        ("Small left effusion.", "Small left effusion.", "Small left effusion."),
        ("small  LEFT\neffusion", "Small left effusion.", "Small left effusion."),
        ("No effusion.", "Small effusion", "⟦−No⟧ ⟦+Small⟧ effusion"),
        ("Large left pleural effusion.", "Large effusion.", "Large ⟦−left pleural⟧ effusion."),
        ("Large effusion.", "Large left pleural effusion.", "Large ⟦+left pleural⟧ effusion."),
        ("No change", "", "⟦−No change⟧"),
        ("", "No change", "⟦+No change⟧"),
        ("", " \n", ""),
        ("seen ⟦here⟧", "seen ⟦there⟧", "seen ⟦−[here]⟧ ⟦+[there]⟧"),
        ("wait . now", "wait now", "wait ⟦−.⟧ now"),
    ],
)
def test_marks(reference: str, prediction: str, marked: str) -> None:
    assert mark_words(reference, prediction) == marked


def test_without_marks_both_texts_are_left_and_no_word_is_marked_in_vain() -> None:
    chance = random.Random(7)
    for _ in range(3_000):
        # At most a third of the words, so that the two texts have much in common.
        words = chance.sample(WORDS, 5)
        reference, prediction = (" ".join(chance.choices(words, k=chance.randrange(12))) for _ in range(2))
        marked = mark_words(reference, prediction)
        assert the_prediction(marked) == squeezed(prediction), (reference, prediction)
        assert compared(the_reference(marked)) == compared(reference), (reference, prediction)
        unmarked = PREDICTION_ONLY.sub("", REFERENCE_ONLY.sub("", marked)).split()
        assert len(unmarked) == common_words(compared(reference), compared(prediction)), (reference, prediction)
        # Words that stand together are marked together.
        assert re.search(r"⟦−[^⟧]*⟧ ⟦−|⟦\+[^⟧]*⟧ ⟦", marked) is None, marked


@pytest.mark.parametrize("words", [("a", "b"), tuple(f"w{n}" for n in range(3_000))])
def test_long_texts_take_no_second(words: tuple[str, ...]) -> None:
    chance = random.Random(7)
    number = 20_000 // (len(words[-1]) + 1)
    texts = [" ".join(chance.choices(words, k=number)) for _ in range(2)]
    before = time.process_time()
    marked = mark_words(*texts)
    assert time.process_time() - before < 1
    assert the_prediction(marked) == texts[1]


def test_of_absurdly_long_texts_everything_between_their_common_ends_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_marks, "WORD_PAIRS_LIMIT", 11)
    assert mark_words("a 1 2 3 z", "a 4 2 5 z") == "a ⟦−1⟧ ⟦+4⟧ 2 ⟦−3⟧ ⟦+5⟧ z"
    assert mark_words("a 1 2 3 z", "a 4 2 5 6 z") == "a ⟦−1 2 3⟧ ⟦+4 2 5 6⟧ z"
