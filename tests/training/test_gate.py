"""The gate at its edges. Differences are the same on every record, so that their interval is known: [d, d]."""

import numpy as np
import pytest

from training import gate
from training.gate import FEWEST, TOLERATED_LOSS, Comparison, Decision, Measure, Measured, Rule, decide
from training.statistics import Difference, FloatArray

ROUGE_L = Measure("ROUGE-L", "records")
F1 = Measure("F1", "positive records")


def level(score: float, records: int = 40) -> FloatArray:
    return np.full(records, score)


def beside(rule: Rule, other: str, ours: FloatArray, scores: FloatArray, name: str = "dev2") -> Comparison:
    return Comparison(rule, name, other, Measured.means(ours, scores, seed=1), "Do that instead.")


def comparisons(
    name: str = "dev2",
    ours: FloatArray | None = None,
    before: float | FloatArray = 0.25,
    nearest: float = 0.25,
) -> list[Comparison]:
    scores = level(0.5) if ours is None else ours
    others = (
        (Rule.BEFORE, "the pre-trained model", before),
        (Rule.FLOOR, "the constant-answer floor", 0.125),
        (Rule.FLOOR, "the nearest-report floor", nearest),
    )
    return [
        beside(rule, other, scores, level(given, len(scores)) if isinstance(given, float) else given, name)
        for rule, other, given in others
    ]


def counted(rule: Rule, other: str, ours: float, theirs: float, half_width: float, positive: int) -> Comparison:
    """As a classifier is measured: the interval comes with the difference."""
    mean = ours - theirs
    difference = Difference(count=500, mean=mean, low=mean - half_width, high=mean + half_width)
    return Comparison(rule, "dev2", other, Measured(ours, theirs, difference, positive), "Do that instead.")


BASE = counted(Rule.BEFORE, "the base model", 0.75, 0.5, 0.125, 60)


def in_service(ours: FloatArray, champion: FloatArray) -> Comparison:
    return beside(Rule.IN_SERVICE, "the model in service", ours, champion)


def reasons_of(decision: Decision, word: str) -> list[str]:
    return [reason for reason in decision.reasons if word in reason]


def test_a_better_model_passes_with_its_numbers() -> None:
    decision = decide(comparisons(), ROUGE_L)
    assert decision.passed
    assert decision.lost_to_floors == ()
    assert decision.reasons == (
        "Set dev2: the fine-tuned model is better than the constant-answer floor (ROUGE-L 0.500 against 0.125; "
        "difference +0.375, 95 % interval +0.375 to +0.375, 40 records).",
        "Set dev2: the fine-tuned model is better than the nearest-report floor (ROUGE-L 0.500 against 0.250; "
        "difference +0.250, 95 % interval +0.250 to +0.250, 40 records).",
        "Set dev2: the fine-tuned model is better than the pre-trained model (ROUGE-L 0.500 against 0.250; "
        "difference +0.250, 95 % interval +0.250 to +0.250, 40 records).",
        "There is no model in service to compare with.",
    )


def test_losing_to_a_floor_does_not_block_but_stands_first() -> None:
    decision = decide(comparisons(nearest=0.625), ROUGE_L)
    assert decision.passed
    (lost,) = decision.lost_to_floors
    assert lost in decision.reasons[:2]
    assert "worse than the nearest-report floor (ROUGE-L 0.500 against 0.625" in lost


@pytest.mark.parametrize(("consensus", "passes"), [(0.5, True), (0.5625, False)])
def test_what_could_be_served_instead_and_is_better_blocks_with_the_hint(consensus: float, passes: bool) -> None:
    other = beside(Rule.ALTERNATIVE, "the consensus, which needs no model", level(0.5), level(consensus))
    decision = decide([*comparisons(), other], ROUGE_L)
    assert decision.passed is passes
    said = "Set dev2: the model does worse than the consensus, which needs no model: this blocks. Do that instead."
    assert reasons_of(decision, "the consensus") == ([] if passes else [said])
    few = beside(Rule.ALTERNATIVE, "the consensus", level(0.5, FEWEST - 1), level(0.75, FEWEST - 1))
    assert decide([*comparisons(), few], ROUGE_L) == decide(comparisons(), ROUGE_L)
    none = beside(Rule.ALTERNATIVE, "the consensus", level(0.5, 0), level(0.75, 0))
    assert decide([*comparisons(), none], ROUGE_L) == decide(comparisons(), ROUGE_L)


@pytest.mark.parametrize(("before", "passes"), [(0.4375, True), (0.5, False), (0.5625, False)])
def test_level_with_or_worse_than_the_model_before_blocks(before: float, passes: bool) -> None:
    decision = decide(comparisons(before=before), ROUGE_L)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "beyond chance: this blocks")) is not passes


def test_a_better_mean_within_chance_blocks() -> None:
    noise = np.random.default_rng(1).normal(scale=0.3, size=40)
    decision = decide(comparisons(before=level(0.5) - 0.02 - noise + noise.mean()), ROUGE_L)
    (reason,) = reasons_of(decision, "pre-trained")
    assert "better than the pre-trained model" in reason
    assert not decision.passed


def test_one_set_not_better_blocks_all() -> None:
    decision = decide([*comparisons("dev1"), *comparisons("dev2", before=0.75)], ROUGE_L)
    assert not decision.passed
    (blocking,) = reasons_of(decision, "blocks")
    assert blocking.startswith("Set dev2: the fine-tuned model is worse than the pre-trained model")


@pytest.mark.parametrize(("records", "passes"), [(FEWEST, True), (FEWEST - 1, False)])
def test_a_set_too_small_cannot_let_a_model_through(records: int, passes: bool) -> None:
    decision = decide(comparisons(ours=level(0.5, records)), ROUGE_L)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "too few to decide")) is not passes
    assert bool(reasons_of(decision, "No evaluation set has the 10 records")) is not passes


def test_a_set_too_small_does_not_block_beside_one_that_decides() -> None:
    decision = decide([*comparisons("dev1"), *comparisons("dev2", ours=level(0.5, 3), before=0.75)], ROUGE_L)
    assert decision.passed
    assert reasons_of(decision, "3 of at least 10 records: too few to decide")


def test_no_evaluation_set_at_all_does_not_pass() -> None:
    assert not decide([], ROUGE_L).passed


@pytest.mark.parametrize(
    ("champion", "passes"),
    # Equal on every record; a little worse on every record, so significantly; better.
    [(0.5, True), (0.505, False), (0.375, True)],
)
def test_against_the_model_in_service(champion: float, passes: bool) -> None:
    decision = decide([*comparisons(), in_service(level(0.5), level(champion))], ROUGE_L)
    assert decision.passed is passes
    assert len(reasons_of(decision, "the model in service (ROUGE-L 0.500")) == 1
    assert not reasons_of(decision, "There is no model in service")


@pytest.mark.parametrize(("loss", "passes"), [(TOLERATED_LOSS * 0.9, True), (TOLERATED_LOSS * 1.1, False)])
def test_a_loss_within_chance_is_tolerated_up_to_a_hundredth(loss: float, passes: bool) -> None:
    noise = np.random.default_rng(2).normal(scale=0.3, size=40)
    champion = level(0.5) + loss + noise - noise.mean()
    decision = decide([*comparisons(), in_service(level(0.5), champion)], ROUGE_L)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "worse by more than 0.01")) is not passes
    assert not reasons_of(decision, "worse beyond chance")


@pytest.mark.parametrize("shared", [0, FEWEST - 1])
def test_too_few_shared_records_do_not_block_and_are_said(shared: int) -> None:
    decision = decide([*comparisons(), in_service(level(0.5, shared), level(1.0, shared))], ROUGE_L)
    assert decision.passed
    (reason,) = reasons_of(decision, "model in service")
    assert ("was not asked any of its records" if shared == 0 else "too few to decide") in reason


def test_the_same_seed_gives_the_same_words() -> None:
    scores = np.random.default_rng(1).uniform(size=30)
    assert decide(comparisons(ours=scores), ROUGE_L) == decide(comparisons(ours=scores), ROUGE_L)


@pytest.mark.parametrize(
    ("mean", "low", "high", "said"),
    [
        (0.2, 0.1, 0.3, "better than"),
        (0.2, 0.0, 0.4, "not reliably better than"),
        (-0.2, -0.3, -0.1, "worse than"),
        (-0.2, -0.4, 0.1, "not reliably worse than"),
        (0.0, -0.1, 0.1, "level with"),
    ],
)
def test_a_difference_within_chance_is_called_so(mean: float, low: float, high: float, said: str) -> None:
    assert gate._relation(Difference(mean=mean, low=low, high=high, count=40)) == said


def test_sentences_name_the_measure_and_count_what_it_rests_on() -> None:
    decision = decide([BASE], F1)
    assert decision.passed
    assert decision.reasons[0] == (
        "Set dev2: the fine-tuned model is better than the base model (F1 0.750 against 0.500; difference +0.250, "
        "95 % interval +0.125 to +0.375, 500 records)."
    )
    few = decide([counted(Rule.BEFORE, "the base model", 0.75, 0.5, 0.125, FEWEST - 1)], F1)
    assert few.reasons[0].endswith("500 records). 9 of at least 10 positive records: too few to decide.")
    assert few.reasons[-1] == "No evaluation set has the 10 positive records that a decision needs."
    none = decide([BASE, Comparison(Rule.IN_SERVICE, "dev2", "the model in service", None)], F1)
    said = "Set dev2: the model in service was not asked any of its positive records, so they are not compared."
    assert none.reasons[1:] == (said,)


@pytest.mark.parametrize(
    ("without", "half_width", "positive", "passes"),
    [
        (0.75, 0.125, 60, True),
        # Worse by 0.125, within chance and beyond it, and on too few records.
        (0.875, 0.25, 60, True),
        (0.875, 0.0625, 60, False),
        (0.875, 0.0625, FEWEST - 1, True),
        (0.5, 0.0625, 60, True),
    ],
)
def test_worse_beyond_chance_than_without_something_blocks_with_the_hint(
    without: float, half_width: float, positive: int, passes: bool
) -> None:
    other = counted(Rule.LEFT_OUT, "the model without it", 0.75, without, half_width, positive)
    decision = decide([BASE, other], F1)
    assert decision.passed is passes
    (reason,) = reasons_of(decision, "the model without it (F1 0.750")
    assert reason.endswith("It is worse beyond chance: this blocks. Do that instead.") is not passes
