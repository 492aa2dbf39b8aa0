"""The gate at its edges. Differences are the same on every record, so that their interval is known: [d, d]."""

import dataclasses

import numpy as np
import pytest

from training import gate
from training.gate import FEWEST_RECORDS, TOLERATED_LOSS, Comparison, Decision, InService, decide
from training.statistics import Difference, FloatArray
from training.table_schemas import CONSENSUS, CONSTANT, NEAREST


def level(score: float, records: int = 40) -> FloatArray:
    return np.full(records, score)


def comparison(
    name: str = "dev2",
    fine_tuned: FloatArray | None = None,
    pretrained: float | FloatArray = 0.25,
    nearest: float = 0.25,
    in_service: InService | None = None,
) -> Comparison:
    scores = level(0.5) if fine_tuned is None else fine_tuned
    before = level(pretrained, len(scores)) if isinstance(pretrained, float) else pretrained
    floors = {CONSTANT: level(0.125, len(scores)), NEAREST: level(nearest, len(scores))}
    return Comparison(name, scores, before, floors, in_service)


def reasons_of(decision: Decision, word: str) -> list[str]:
    return [reason for reason in decision.reasons if word in reason]


def test_a_better_model_passes_with_its_numbers() -> None:
    decision = decide([comparison()], seed=1)
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
    decision = decide([comparison(nearest=0.625)], seed=1)
    assert decision.passed
    (lost,) = decision.lost_to_floors
    assert lost in decision.reasons[:2]
    assert "worse than the nearest-report floor (ROUGE-L 0.500 against 0.625" in lost


@pytest.mark.parametrize(("consensus", "passes"), [(0.5, True), (0.5625, False)])
def test_with_retrieval_a_model_below_the_consensus_blocks_and_the_reason_says_what_to_serve(
    consensus: float, passes: bool
) -> None:
    compared = comparison()
    compared = dataclasses.replace(
        compared, floors={**compared.floors, CONSENSUS: level(consensus)}, agreed=np.ones(40, dtype=np.bool_)
    )
    decision = decide([compared], seed=1)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "set generation.method to consensus in the task file")) is not passes
    assert decide([dataclasses.replace(compared, agreed=None)], seed=1).passed


def test_where_nothing_is_similar_the_consensus_is_no_answer_to_lose_to() -> None:
    """Served instead, it would leave those records to the model too."""
    compared, agreed = comparison(), np.arange(40) < 20
    scores = np.where(agreed, 0.5, 1.0)
    compared = dataclasses.replace(compared, floors={**compared.floors, CONSENSUS: scores}, agreed=agreed)
    assert decide([compared], seed=1).passed
    assert not decide([dataclasses.replace(compared, agreed=np.ones(40, dtype=np.bool_))], seed=1).passed


@pytest.mark.parametrize(("pretrained", "passes"), [(0.4375, True), (0.5, False), (0.5625, False)])
def test_level_with_or_worse_than_the_pretrained_model_blocks(pretrained: float, passes: bool) -> None:
    decision = decide([comparison(pretrained=pretrained)], seed=1)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "beyond chance: this blocks")) is not passes


def test_a_better_mean_within_chance_blocks() -> None:
    noise = np.random.default_rng(1).normal(scale=0.3, size=40)
    decision = decide([comparison(pretrained=level(0.5) - 0.02 - noise + noise.mean())], seed=1)
    (reason,) = reasons_of(decision, "pre-trained")
    assert "better than the pre-trained model" in reason
    assert not decision.passed


def test_one_set_not_better_blocks_all() -> None:
    decision = decide([comparison("dev1"), comparison("dev2", pretrained=0.75)], seed=1)
    assert not decision.passed
    (blocking,) = reasons_of(decision, "blocks")
    assert blocking.startswith("Set dev2: the fine-tuned model is worse than the pre-trained model")


@pytest.mark.parametrize(("records", "passes"), [(FEWEST_RECORDS, True), (FEWEST_RECORDS - 1, False)])
def test_a_set_too_small_cannot_let_a_model_through(records: int, passes: bool) -> None:
    decision = decide([comparison(fine_tuned=level(0.5, records))], seed=1)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "too few to decide")) is not passes
    assert bool(reasons_of(decision, "No evaluation set has the 10 records")) is not passes


def test_a_set_too_small_does_not_block_beside_one_that_decides() -> None:
    decision = decide([comparison("dev1"), comparison("dev2", fine_tuned=level(0.5, 3), pretrained=0.75)], seed=1)
    assert decision.passed
    assert reasons_of(decision, "3 of at least 10 records: too few to decide")


def test_no_evaluation_set_at_all_does_not_pass() -> None:
    assert not decide([], seed=1).passed


@pytest.mark.parametrize(
    ("champion", "passes"),
    # Equal on every record; a little worse on every record, so significantly; better.
    [(0.5, True), (0.505, False), (0.375, True)],
)
def test_against_the_model_in_service(champion: float, passes: bool) -> None:
    decision = decide([comparison(in_service=InService(level(champion), level(0.5)))], seed=1)
    assert decision.passed is passes
    assert len(reasons_of(decision, "the model in service (ROUGE-L 0.500")) == 1
    assert not reasons_of(decision, "There is no model in service")


@pytest.mark.parametrize(("loss", "passes"), [(TOLERATED_LOSS * 0.9, True), (TOLERATED_LOSS * 1.1, False)])
def test_a_loss_within_chance_is_tolerated_up_to_a_hundredth(loss: float, passes: bool) -> None:
    noise = np.random.default_rng(2).normal(scale=0.3, size=40)
    champion = level(0.5) + loss + noise - noise.mean()
    decision = decide([comparison(in_service=InService(champion, level(0.5)))], seed=1)
    assert decision.passed is passes
    assert bool(reasons_of(decision, "worse by more than 0.01")) is not passes
    assert not reasons_of(decision, "worse beyond chance")


@pytest.mark.parametrize("shared", [0, FEWEST_RECORDS - 1])
def test_too_few_shared_records_do_not_block_and_are_said(shared: int) -> None:
    decision = decide([comparison(in_service=InService(level(1.0, shared), level(0.5, shared)))], seed=1)
    assert decision.passed
    (reason,) = reasons_of(decision, "model in service")
    assert ("was not asked any of its records" if shared == 0 else "too few to decide") in reason


def test_the_same_seed_gives_the_same_words() -> None:
    scores = np.random.default_rng(1).uniform(size=30)
    assert decide([comparison(fine_tuned=scores)], seed=3) == decide([comparison(fine_tuned=scores)], seed=3)


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
