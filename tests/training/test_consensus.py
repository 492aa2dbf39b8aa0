import random

import pytest
from rouge_score import rouge_scorer

from training.consensus import consensus, weights
from training.minimum_bayes_risk import choose
from training.retrieval import Similar
from training.similar_impressions import NEAREST_SHOWN, shown_impressions, shown_reports

NORMAL = "No acute disease."


def found(*neighbours: tuple[float, str]) -> list[Similar]:
    return [Similar(str(number), similarity, target) for number, (similarity, target) in enumerate(neighbours)]


def test_the_choice_is_the_candidate_closest_to_the_references_by_their_weight() -> None:
    candidates = ["left effusion", "no acute disease", "small left effusion"]
    references = ["small left effusion", "left effusion, small", "no acute disease"]
    assert choose(candidates, references, [1, 0.5, 1]) == 2
    assert choose(candidates, references, [0.1, 0.1, 1]) == 1


def test_the_choice_is_what_computing_every_pair_gives() -> None:
    chance = random.Random(2)
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)
    vocabulary = [
        "no", "acute", "effusion", "effusions", "left", "right", "small", "opacity", "stable", "heart", "enlarged",
    ]  # fmt: skip
    for _ in range(60):
        candidates = [" ".join(chance.choices(vocabulary, k=chance.randint(1, 8))) for _ in range(7)]
        references = [" ".join(chance.choices(vocabulary, k=chance.randint(1, 8))) for _ in range(9)]
        given = [chance.random() for _ in references]
        expected = [
            sum(w * scorer.score(r, c)["rougeL"].fmeasure for w, r in zip(given, references, strict=True))
            for c in candidates
        ]
        assert expected[choose(candidates, references, given)] == pytest.approx(max(expected))


def test_of_equally_good_candidates_the_first_is_chosen() -> None:
    assert choose(["b a", "No effusion.", "no effusion", "no effusions"], ["no effusion"], [1]) == 1
    assert choose(["left", "right"], [], []) == 0


def test_a_choice_needs_candidates_and_a_weight_for_each_reference() -> None:
    with pytest.raises(ValueError, match="no candidate"):
        choose([], ["a"], [1])
    with pytest.raises(ValueError):
        choose(["a"], ["a", "b"], [1])


def test_many_agreeing_neighbours_outvote_the_nearest_and_a_much_nearer_one_does_not_lose() -> None:
    far = [(0.7, NORMAL)] * 5
    assert consensus(found((0.8, "Left effusion."), *far)) == NORMAL
    assert consensus(found((1.0, "Left effusion."), *[(0.3, NORMAL)] * 5)) == "Left effusion."


def test_shown_are_the_nearest_and_the_one_that_is_agreed_on_wherever_it_stands() -> None:
    far = found((0.8, "Left effusion."), (0.7, "Nodule."), (0.7, "Scar."), (0.6, "Stable."), *[(0.6, NORMAL)] * 5)
    near = found((0.9, NORMAL), (0.8, "Scar."), (0.8, NORMAL), (0.7, "Nodule."))
    for similar, places in ((far, [(1, False), (2, False), (3, False), (5, True)]),
                            (near, [(1, True), (2, False), (3, False)]),
                            (near[:1], [(1, True)])):  # fmt: skip
        shown = shown_reports(similar)
        assert [(one.rank, one.agreed) for one in shown] == places
        assert [one.report for one in shown] == [similar[rank - 1] for rank, _ in places]
        # These are the reports whose impressions a prompt holds.
        (agreed,) = [one.report.target for one in shown if one.agreed]
        nearest = [one.report.target for one in shown if one.rank <= NEAREST_SHOWN]
        assert shown_impressions(similar) == [agreed, *nearest]
    assert shown_reports([]) == []


def test_weights_add_up_to_one_and_fall_faster_than_similarity() -> None:
    first, second = weights(found((0.8, "a"), (0.4, "b")))
    assert first + second == pytest.approx(1)
    assert first / second == pytest.approx(8)
    assert sum(weights(found((1e-38, "a"), (1e-38, "b")))) == pytest.approx(1)


def test_no_neighbour_is_no_consensus() -> None:
    with pytest.raises(ValueError, match="no candidate"):
        consensus([])
