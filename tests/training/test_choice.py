"""The rules of the choice, each seen to decide."""

from typing import Any

import numpy as np
import pytest

from training.candidate_results import Cost
from training.choice import FEWEST, RULES, Contestant, Limits, choose

RECORDS = 60
CHANCE = np.random.default_rng(3)
SPREAD = CHANCE.uniform(-0.1, 0.1, RECORDS)


def one(name: str, rouge_l: float = 0.6, **changed: Any) -> Contestant:
    """Scores around `rouge_l`; `errors` of the first answers are wrong, only the first `answered` have one."""
    answered = np.arange(RECORDS) < changed.pop("answered", RECORDS)
    erroneous = (np.arange(RECORDS) < changed.pop("errors", 0)).astype(float)
    noise = changed.pop("noise", SPREAD)
    cost = Cost(**{name: changed.pop(name) for name in list(changed) if name in Cost.__dataclass_fields__})
    values: dict[str, Any] = {"is_floor": False, "asked": int(answered.sum()), "failure": None} | changed
    return Contestant(
        name=name,
        answered=answered,
        rouge_l=np.where(answered, rouge_l + noise, np.nan),
        erroneous=np.where(answered, erroneous, np.nan),
        cost=cost,
        **values,
    )


FLOOR = one("lead", 0.4, is_floor=True)


def verdict_of(name: str, *contestants: Contestant, recommended: str | None, limits: Limits | None = None) -> str:
    choice = choose([*contestants, FLOOR], limits or Limits(), seed=1)
    assert choice.recommended == recommended
    assert choice.verdicts.keys() == {"lead", *(each.name for each in contestants)}
    assert "never recommended" in choice.verdicts["lead"]
    return choice.verdicts[name]


def test_only_what_answered_everything_it_was_asked_takes_part() -> None:
    other = one("other", 0.5)
    assert "it answered 59 of 60 records" in verdict_of(
        "best", one("best", 0.9, answered=59, asked=60), other, recommended="other"
    )
    assert "failed: out of memory" in verdict_of(
        "best", one("best", 0.9, failure="out of memory"), other, recommended="other"
    )
    few = one("best", 0.9, answered=FEWEST - 1)
    assert f"at least {FEWEST} are needed" in verdict_of("best", few, other, recommended="other")
    verdict_of("best", one("best", 0.9, answered=FEWEST), other, recommended="best")
    none = one("best", answered=0, asked=60)
    assert "it answered 0 of 60" in verdict_of("best", none, other, recommended="other")


@pytest.mark.parametrize(
    ("best", "limits", "said"),
    [
        ({"leaves_account": True}, Limits(allow_leaving_account=False), "leave the account"),
        ({"dollars_per_1000": 5.01}, Limits(max_dollars_per_1000=5), "it takes 5.01 dollars per 1,000 records"),
        ({"seconds_per_1000": 700.0}, Limits(max_seconds_per_1000=600), "700.00 seconds per 1,000 records"),
        ({}, Limits(max_dollars_per_1000=5), "its dollars per 1,000 records are not known"),
    ],
)
def test_what_breaks_a_limit_is_out(best: dict[str, Any], limits: Limits, said: str) -> None:
    other = one("other", 0.5, dollars_per_1000=5.0, seconds_per_1000=600.0)
    assert said in verdict_of("best", one("best", 0.9, **best), other, recommended="other", limits=limits)
    verdict_of("best", one("best", 0.9, **best), other, recommended="best")


def test_what_is_not_above_the_best_floor_is_out() -> None:
    good, high = one("good", 0.7), one("nearest", 0.6, is_floor=True)
    assert "reliably worse in ROUGE-L than the nearest floor" in verdict_of(
        "bad", one("bad", 0.5), high, good, recommended="good"
    )
    level = one("level", 0.6, noise=SPREAD[::-1] - 0.001)
    assert "not better in ROUGE-L than the nearest floor" in verdict_of("level", level, high, good, recommended="good")
    # The best floor of all: not even what is best of those that are left.
    assert "never recommended" in verdict_of("nearest", one("bad", 0.5), high, recommended=None)


def test_what_has_reliably_more_clinical_errors_is_out_though_its_rouge_is_better() -> None:
    verdict = verdict_of("fluent", one("fluent", 0.9, errors=12), one("careful", 0.6, errors=1), recommended="careful")
    assert "in 20.0% of its answers and in 1.7% of those of careful" in verdict
    # Of few errors the bootstrap alone is too sure: four more than none may well be chance.
    verdict_of("fluent", one("fluent", 0.9, errors=4), one("careful", 0.6, errors=0), recommended="fluent")
    verdict_of("fluent", one("fluent", 0.9, errors=6), one("careful", 0.6, errors=0), recommended="careful")
    # Two more are not reliably more.
    verdict_of("fluent", one("fluent", 0.9, errors=3), one("careful", 0.6, errors=1), recommended="fluent")


def test_what_is_reliably_worse_than_another_is_out() -> None:
    assert "reliably worse in ROUGE-L than best" in verdict_of(
        "other", one("other", 0.55, dollars_per_1000=0.0), one("best", 0.6), recommended="best"
    )


def test_those_that_are_level_are_told_apart_by_account_then_price_then_time() -> None:
    noise = SPREAD[::-1]
    cheap = one("cheap", noise=noise, dollars_per_1000=1.0, seconds_per_1000=90.0)
    dear = one("dear", dollars_per_1000=2.0, seconds_per_1000=10.0)
    away = one("away", dollars_per_1000=0.1, seconds_per_1000=1.0, leaves_account=True)
    unknown = one("unknown", seconds_per_1000=1.0)
    said = verdict_of("dear", cheap, dear, away, unknown, recommended="cheap")
    assert said == "Level with cheap, which is cheaper (1.00 dollars per 1,000 records against 2.00)."
    assert "keeps the texts in the account" in verdict_of("away", cheap, dear, away, unknown, recommended="cheap")
    assert "against unknown" in verdict_of("unknown", cheap, unknown, recommended="cheap")
    fast = one("fast", dollars_per_1000=1.0, seconds_per_1000=80.0)
    assert "is faster (80.00 seconds" in verdict_of("cheap", cheap, fast, recommended="fast")
    assert "by its name" in verdict_of("b", one("b"), one("a"), recommended="a")
    assert "level with dear" in verdict_of("cheap", cheap, dear, recommended="cheap")
    assert "the only one" in verdict_of("cheap", cheap, recommended="cheap")


def test_what_is_recommended_says_its_clinical_errors() -> None:
    few, many = one("few", errors=0), one("many", errors=12)
    assert verdict_of("few", few, recommended="few").endswith("find clinical errors in 0.0% of its 60 answers.")
    assert verdict_of("many", many, recommended="many").endswith("find clinical errors in 20.0% of its 60 answers.")
    verdict = verdict_of("part", one("part", answered=30, errors=3), recommended="part")
    assert verdict.endswith("find clinical errors in 10.0% of its 30 answers.")


def test_one_that_answered_a_part_is_not_preferred_for_its_price() -> None:
    part = one("part", answered=30, dollars_per_1000=0.1)
    whole = one("whole", dollars_per_1000=9.0)
    said = verdict_of("part", part, whole, recommended="whole")
    assert said == "Level with whole, which answered every record of the set, which says more than 30 of them."


def test_one_that_answered_a_part_is_set_against_the_others_on_that_part() -> None:
    # It is better on the 30 records that it answered than its mean beside the other's shows.
    hard_first = np.where(np.arange(RECORDS) < 30, -0.3, 0.3) + SPREAD
    whole = one("whole", 0.8, noise=hard_first)
    part = one("part", 0.6, answered=30)
    assert np.nanmean(whole.rouge_l) > np.nanmean(part.rouge_l)
    verdict_of("part", whole, part, recommended="part")


def test_where_nobody_is_left_nothing_is_recommended() -> None:
    assert "takes no part" in verdict_of("few", one("few", answered=12), recommended=None)
    assert len(RULES) == 6
