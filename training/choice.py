"""Which way of answering is recommended for an evaluation set, by rules that are written down (docs/choosing.md).

The rules are applied in their order, and each verdict is a plain sentence that says which rule decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from training.candidate_results import Cost
from training.statistics import BoolArray, Difference, FloatArray, paired_difference

# Records that a comparison needs at least.
FEWEST = 30
# Below this a difference in clinical errors is no chance.
CHANCE = 0.05

RULES = (
    f"Only what answered every record that it was asked, and at least {FEWEST}, takes part.",
    "What breaks a limit of the task file's section choice is out.",
    "What is not better in ROUGE-L than the best floor on the same records is out. Floors are never recommended.",
    "What has reliably more answers with clinical errors than another one that is left, on the records that both "
    "answered, is out.",
    "What is reliably worse in ROUGE-L than another one that is left, on the records that both answered, is out. Those "
    "that remain are level: recommended is one that was asked every record, then one whose texts stay in the account, "
    "then the cheapest, then the fastest.",
    "Where nobody is left, nothing is recommended. Reliably means that the 95 % paired bootstrap interval of the "
    "difference excludes 0, and of clinical errors that the exact sign test does not call it chance either.",
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The task file's section `choice`. None means no limit."""

    allow_leaving_account: bool = True
    max_dollars_per_1000: float | None = None
    max_seconds_per_1000: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way of answering a set, in arrays over all of its records: which it `answered`, the ROUGE-L F1 of these
    answers, and whether the rules find a clinical error in them (both undefined where there is no answer).

    `asked` counts the records that it was to answer; `failure` says why it failed as a whole.
    """

    name: str
    is_floor: bool
    asked: int
    failure: str | None
    answered: BoolArray
    rouge_l: FloatArray
    erroneous: FloatArray
    cost: Cost


@dataclass(frozen=True)
class Choice:
    """`recommended` is None where nothing is; `verdicts` has a sentence for each contestant."""

    recommended: str | None
    verdicts: dict[str, str]


def choose(contestants: Sequence[Contestant], limits: Limits, seed: int) -> Choice:
    """Apply the rules to all contestants of one set. `seed` is that of the bootstrap."""
    floors = [each for each in contestants if each.is_floor]
    verdicts = {each.name: "A floor: what a model has to beat. It is never recommended." for each in floors}
    left = [each for each in contestants if not each.is_floor]
    # Each rule sees who was left when it began, and says what it has against one of them.
    rules: tuple[Callable[[Contestant, Sequence[Contestant]], str | None], ...] = (
        lambda one, _: _takes_no_part(one),
        lambda one, _: _breaks_limit(one.cost, limits),
        lambda one, _: _not_above_floors(one, floors, seed),
        lambda one, others: _more_errors(one, others, seed),
        lambda one, others: _worse(one, others, seed),
    )
    for rule in rules:
        objections = {each.name: rule(each, left) for each in left}
        verdicts |= {name: objection for name, objection in objections.items() if objection is not None}
        left = [each for each in left if objections[each.name] is None]
    if not left:
        return Choice(None, verdicts)
    first, *rest = sorted(left, key=_preference)
    verdicts |= {each.name: f"Level with {first.name}, which {_ahead(first, each)}." for each in rest}
    verdicts[first.name] = _why(first, rest)
    return Choice(first.name, verdicts)


def _takes_no_part(one: Contestant) -> str | None:
    answered = int(one.answered.sum())
    if one.failure is not None:
        return f"It takes no part, because it failed: {one.failure}"
    if answered < one.asked:
        return f"It takes no part: it answered {answered} of {one.asked} records."
    if answered < FEWEST:
        return f"It takes no part: it was asked {answered} records, and at least {FEWEST} are needed."
    return None


def _breaks_limit(cost: Cost, limits: Limits) -> str | None:
    if cost.leaves_account and not limits.allow_leaving_account:
        return "Out: texts would leave the account, which the task file does not allow."
    for what, value, limit in (
        ("dollars", cost.dollars_per_1000, limits.max_dollars_per_1000),
        ("seconds", cost.seconds_per_1000, limits.max_seconds_per_1000),
    ):
        if limit is None:
            continue
        if value is None:
            return f"Out: its {what} per 1,000 records are not known, and the task file allows {limit:,g} at most."
        if value > limit:
            return f"Out: it takes {value:,.2f} {what} per 1,000 records, and the task file allows {limit:,g} at most."
    return None


def _not_above_floors(one: Contestant, floors: Sequence[Contestant], seed: int) -> str | None:
    if not floors:
        return None
    best = max(floors, key=lambda floor: float(floor.rouge_l[one.answered].mean()))
    difference = _difference(one.rouge_l, best.rouge_l, one.answered, seed)
    if difference.mean > 0:
        return None
    how = "reliably worse" if difference.high < 0 else "not better"
    return f"Out: it is {how} in ROUGE-L than the {best.name} floor ({_interval(difference)})."


def _more_errors(one: Contestant, others: Sequence[Contestant], seed: int) -> str | None:
    fewer = [other for other in others if _has_fewer_errors(other, one)]
    found = _reliable_rival(one, fewer, lambda each: -each.erroneous, seed)
    if found is None:
        return None
    rival, difference = found
    shared = one.answered & rival.answered
    return (
        f"Out: the rules find clinical errors in {one.erroneous[shared].mean():.1%} of its answers and in "
        f"{rival.erroneous[shared].mean():.1%} of those of {rival.name}, which is reliably less "
        f"({difference.count} records)."
    )


def _has_fewer_errors(other: Contestant, one: Contestant) -> bool:
    """By the exact sign test, 5 % two-sided: of few errors the bootstrap alone is too sure."""
    shared = one.answered & other.answered
    fewer = int((one.erroneous[shared] > other.erroneous[shared]).sum())
    more = int((one.erroneous[shared] < other.erroneous[shared]).sum())
    return fewer > more and float(binomtest(fewer, fewer + more).pvalue) < CHANCE


def _worse(one: Contestant, others: Sequence[Contestant], seed: int) -> str | None:
    found = _reliable_rival(one, others, lambda each: each.rouge_l, seed)
    if found is None:
        return None
    rival, difference = found
    return f"Out: it is reliably worse in ROUGE-L than {rival.name} ({_interval(difference)})."


def _reliable_rival(
    one: Contestant, others: Sequence[Contestant], score: Callable[[Contestant], FloatArray], seed: int
) -> tuple[Contestant, Difference] | None:
    """The one that beats `one` by most of those that do reliably; higher scores are better."""
    found = [
        (other, _difference(score(one), score(other), one.answered & other.answered, seed))
        for other in others
        if other is not one and np.count_nonzero(one.answered & other.answered) >= FEWEST
    ]
    return min(
        ((other, difference) for other, difference in found if difference.high < 0),
        key=lambda pair: pair[1].mean,
        default=None,
    )


def _difference(ours: FloatArray, theirs: FloatArray, shared: BoolArray, seed: int) -> Difference:
    return paired_difference(ours[shared], theirs[shared], seed)


def _interval(difference: Difference) -> str:
    return (
        f"difference {difference.mean:+.3f}, 95 % interval {difference.low:+.3f} to {difference.high:+.3f}, "
        f"{difference.count} records"
    )


def _preference(one: Contestant) -> tuple[bool, bool, bool, float, bool, float, str]:
    """What is not known comes last; a name decides where nothing else does."""
    dollars, seconds = one.cost.dollars_per_1000, one.cost.seconds_per_1000
    return (
        not _answered_all(one),
        one.cost.leaves_account,
        dollars is None,
        dollars or 0.0,
        seconds is None,
        seconds or 0.0,
        one.name,
    )


def _answered_all(one: Contestant) -> bool:
    return bool(one.answered.all())


def _ahead(first: Contestant, other: Contestant) -> str:
    """By what `first` is preferred to `other`."""
    if _answered_all(first) != _answered_all(other):
        return f"answered every record of the set, which says more than {int(other.answered.sum())} of them"
    if first.cost.leaves_account != other.cost.leaves_account:
        return "keeps the texts in the account"
    for word, what, ours, theirs in (
        ("cheaper", "dollars", first.cost.dollars_per_1000, other.cost.dollars_per_1000),
        ("faster", "seconds", first.cost.seconds_per_1000, other.cost.seconds_per_1000),
    ):
        if ours is not None and ours != theirs:
            than = "unknown" if theirs is None else f"{theirs:,.2f}"
            return f"is {word} ({ours:,.2f} {what} per 1,000 records against {than})"
    return "comes first by its name, since nothing else tells them apart"


def _why(first: Contestant, rest: Sequence[Contestant]) -> str:
    if rest:
        names = ", ".join(each.name for each in rest)
        reason = f"it is level with {names}, and {_ahead(first, rest[0])}"
    else:
        reason = "it is the only one that no rule puts out"
    # The best of bad ways is recommended too, and whoever reads so must see it here.
    errors = first.erroneous[first.answered].mean()
    answers = int(first.answered.sum())
    return f"Recommended: {reason}. The rules find clinical errors in {errors:.1%} of its {answers:,} answers."
