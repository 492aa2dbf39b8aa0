"""ROUGE against values from outside: Lin's own examples, and arithmetic done by hand."""

import numpy as np
import pytest
from rouge_score import rouge_scorer

from training import rouge
from training.rouge import RougeF1, rouge_f1, rouge_scores


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        # Lin 2004, section 3.1: reference "police killed the gunman". Stemming makes "killed" and "kill" one word.
        ("police kill the gunman", RougeF1(1, 1, 1, 1)),
        # The same words in another order: all four, one of three pairs, and "the gunman" as the longest subsequence.
        ("the gunman kill police", RougeF1(1, 1 / 3, 2 / 4, 2 / 4)),
        ("the gunman police killed", RougeF1(1, 2 / 3, 2 / 4, 2 / 4)),
    ],
)
def test_lin_2004_rouge_n_and_rouge_l(prediction: str, expected: RougeF1) -> None:
    assert rouge_f1(prediction, "police killed the gunman") == pytest.approx(expected)


def test_lin_2004_rouge_lsum_is_the_union_over_sentences() -> None:
    # Section 3.2: reference w1 w2 w3 w4 w5, candidate sentences w1 w3 w8 w9 w5 and w1 w2 w6 w7 w8; the union of the
    # longest common subsequences is w1 w2 w3 w5: recall 4/5, here of ten candidate words.
    scores = rouge_f1("Ba bu fi fo be. Ba bo fa fe fi.", "Ba bo bu bi be.")
    assert scores.rouge_lsum == pytest.approx(f1(4 / 10, 4 / 5))
    # Taken as one sentence, only w1 w3 w5 stand in order.
    assert scores.rouge_l == pytest.approx(f1(3 / 10, 3 / 5))


def test_swapped_sentences_cost_rouge_l_but_not_rouge_lsum() -> None:
    scores = rouge_f1("Stable heart size. No effusion.", "No effusion. Stable heart size.")
    assert scores == pytest.approx(RougeF1(1, 3 / 4, 3 / 5, 1))


def test_numbers_and_placeholders_as_the_package_splits_them() -> None:
    # "3.5cm" is the words "3" and "5cm"; "___" is no word.
    assert rouge_f1("nodule 3 5cm", "___ nodule 3.5cm ___") == pytest.approx(RougeF1(1, 1, 1, 1))


def test_a_flipped_negation_still_scores_high() -> None:
    # Why the abnormal slice and the rule-based reading stand beside ROUGE: 5 of 6 words, 3 of 5 pairs.
    scores = rouge_f1("There is a focal left consolidation", "There is no focal left consolidation")
    assert scores == pytest.approx(RougeF1(5 / 6, 3 / 5, 5 / 6, 5 / 6))


@pytest.mark.parametrize(
    ("prediction", "reference"), [("", "No effusion."), ("No effusion.", ""), ("", ""), ("___", ".")]
)
def test_a_text_without_words_scores_zero(prediction: str, reference: str) -> None:
    assert rouge_f1(prediction, reference) == RougeF1(0, 0, 0, 0)


def test_remembering_stems_changes_no_score() -> None:
    words = "effusions pleural opacities opacity improving improved unchanged lungs lung clearly in of the"
    generator = np.random.default_rng(1)
    plain = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for _ in range(200):
        prediction, reference = (" ".join(generator.choice(words.split(), generator.integers(1, 12))) for _ in range(2))
        expected = plain.score(reference, prediction)
        assert rouge_f1(prediction, reference)[:3] == tuple(score.fmeasure for score in expected.values())


def test_many_pairs_keep_their_order_and_equal_pairs_are_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def counted(prediction: str, reference: str) -> RougeF1:
        asked.append((prediction, reference))
        return rouge_f1(prediction, reference)

    monkeypatch.setattr(rouge, "rouge_f1", counted)
    pairs = [("clear lungs", "clear lungs"), ("effusion", "clear lungs"), ("clear lungs", "clear lungs")]
    scores = rouge_scores(pairs)
    assert scores.shape == (3, 4)
    assert scores[:, 0].tolist() == [1, 0, 1]
    assert len(asked) == 2


def test_no_pairs_give_no_rows() -> None:
    assert rouge_scores([]).shape == (0, 4)


def test_other_processes_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(f"nodule number {i} in the left lung", f"nodule {i % 7} of the left lungs") for i in range(60)]
    alone = rouge_scores(pairs)
    monkeypatch.setattr(rouge, "PAIRS_WORTH_PROCESSES", 1)
    monkeypatch.setattr(rouge, "rouge_f1", None)  # whoever scores here and not in another process fails
    assert rouge_scores(pairs, workers=2).tolist() == alone.tolist()
