"""Whether a fine-tuned model may be registered.

It may when, by the task's measure (mean ROUGE-L of summaries, F1 of a classifier),

1. it is better than the model before fine-tuning on every evaluation set: the 95 % paired bootstrap interval of the
   difference lies above 0; and
2. it is not worse than the model in service on the records that both were asked, set by set: the interval of the
   difference does not lie below 0, and the difference itself is not below `TOLERATED_LOSS`. The second half is there
   because on a small set hardly any loss is significant, and a replaced model is not to be worse by chance; and
3. it is not below an answer that could be served instead and needs no trained model; and
4. it is not worse, beyond chance, than the model trained without something that could be left out.

A comparison over fewer than `FEWEST` records decides nothing, and that is said; with no set left the model does not
pass. Losing to another floor does not block, but it is what a reader must know first, so it stands first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from training.statistics import Difference, FloatArray, paired_difference

FEWEST = 10
TOLERATED_LOSS = 0.01


class Rule(Enum):
    """What is asked of the fine-tuned model where it stands beside another, in the order in which it is said."""

    FLOOR = "nothing: losing to a trivial answer is only said"
    ALTERNATIVE = "not to be below it, since it could be served instead and needs no trained model"
    BEFORE = "to be better beyond chance"
    LEFT_OUT = "not to be worse beyond chance"
    IN_SERVICE = "not to be worse beyond chance, nor by more than TOLERATED_LOSS"


@dataclass(frozen=True)
class Measure:
    """How the task's measure is called in sentences: `name` (ROUGE-L), and what it rests on, of which a decision needs
    at least FEWEST: `counted` (records, positive records)."""

    name: str
    counted: str


@dataclass(frozen=True)
class Measured:
    """Two models on the same records: both scores, and `difference` ours minus the other's, with the number of records.

    `counted` is how many of these records the measure rests on.
    """

    ours: float
    other: float
    difference: Difference
    counted: int

    @classmethod
    def means(cls, ours: FloatArray, other: FloatArray, seed: int) -> Self | None:
        """Of a measure that every record has: scores (records,) of the same records. None where there are no records.

        Raises:
            ValueError: the two are not of the same records.
        """
        if len(ours) == len(other) == 0:
            return None
        difference = paired_difference(ours, other, seed)
        return cls(float(ours.mean()), float(other.mean()), difference, difference.count)


@dataclass(frozen=True)
class Comparison:
    """The fine-tuned model beside `other`, as it is called in a sentence ("the model in service"), on one set.

    `measured` is None where they share nothing that could be compared. `hint` says what to do where this blocks.
    """

    rule: Rule
    evaluation_set: str
    other: str
    measured: Measured | None
    hint: str = ""


@dataclass(frozen=True)
class Decision:
    """`reasons` are sentences for a reader, the floors' first; `lost_to_floors` are those of them that are bad news."""

    passed: bool
    reasons: tuple[str, ...]
    lost_to_floors: tuple[str, ...]


@dataclass(frozen=True)
class _Finding:
    """What one comparison says: whether it is large enough to decide anything, and whether it blocks."""

    sentence: str
    decides: bool = False
    blocks: bool = False
    lost: bool = False


def decide(comparisons: Sequence[Comparison], measure: Measure) -> Decision:
    """Apply the rules to all evaluation sets."""
    found = {rule: [_find(each, measure) for each in comparisons if each.rule is rule] for rule in Rule}
    findings = [finding for of_rule in found.values() for finding in of_rule]
    reasons = [finding.sentence for finding in findings if finding.sentence]
    if not found[Rule.IN_SERVICE]:
        reasons.append("There is no model in service to compare with.")
    undecided = not any(finding.decides for finding in found[Rule.BEFORE])
    if undecided:
        reasons.append(f"No evaluation set has the {FEWEST} {measure.counted} that a decision needs.")
    passed = not undecided and not any(finding.blocks for finding in findings)
    return Decision(passed, tuple(reasons), tuple(finding.sentence for finding in findings if finding.lost))


def _find(comparison: Comparison, measure: Measure) -> _Finding:
    name, measured = comparison.evaluation_set, comparison.measured
    if measured is None:
        return _Finding(_not_compared(comparison, measure))
    if comparison.rule is Rule.ALTERNATIVE:
        return _against_alternative(comparison, measured)
    difference = measured.difference
    sentence = (
        f"Set {name}: the fine-tuned model is {_relation(difference)} {comparison.other} ({measure.name} "
        f"{measured.ours:.3f} against {measured.other:.3f}; difference {difference.mean:+.3f}, 95 % interval "
        f"{difference.low:+.3f} to {difference.high:+.3f}, {difference.count} "
        f"{'record' if difference.count == 1 else 'records'})."
    )
    if comparison.rule is Rule.FLOOR:
        return _Finding(sentence, lost=difference.mean < 0)
    if measured.counted < FEWEST:
        return _Finding(f"{sentence} {measured.counted} of at least {FEWEST} {measure.counted}: too few to decide.")
    objection = _OBJECTIONS[comparison.rule](difference)
    if objection is None:
        return _Finding(sentence, decides=True)
    hint = f" {comparison.hint}" if comparison.hint else ""
    return _Finding(f"{sentence} {objection}: this blocks.{hint}", decides=True, blocks=True)


def _not_compared(comparison: Comparison, measure: Measure) -> str:
    """Only of a model that was asked in another run must a reader be told; the others all answered the same records."""
    if comparison.rule is not Rule.IN_SERVICE:
        return ""
    return (
        f"Set {comparison.evaluation_set}: {comparison.other} was not asked any of its {measure.counted}, so they are "
        "not compared."
    )


def _against_alternative(comparison: Comparison, measured: Measured) -> _Finding:
    """An alternative is a floor too, so how far it is above or below is said there."""
    if measured.counted < FEWEST or measured.ours >= measured.other:
        return _Finding("")
    return _Finding(
        f"Set {comparison.evaluation_set}: the model does worse than {comparison.other}: this blocks. "
        f"{comparison.hint}",
        decides=True,
        blocks=True,
    )


def _not_better(difference: Difference) -> str | None:
    return None if difference.low > 0 else "It must be better beyond chance"


def _worse(difference: Difference) -> str | None:
    return "It is worse beyond chance" if difference.high < 0 else None


def _worse_than_tolerated(difference: Difference) -> str | None:
    tolerated = difference.mean >= -TOLERATED_LOSS
    return _worse(difference) or (None if tolerated else f"It is worse by more than {TOLERATED_LOSS}")


# What there is to object to a difference over enough records; None if nothing.
_OBJECTIONS: dict[Rule, Callable[[Difference], str | None]] = {
    Rule.BEFORE: _not_better,
    Rule.LEFT_OUT: _worse,
    Rule.IN_SERVICE: _worse_than_tolerated,
}


def _relation(difference: Difference) -> str:
    if difference.mean == 0:
        return "level with"
    better = difference.mean > 0
    reliably = difference.low > 0 if better else difference.high < 0
    return f"{'' if reliably else 'not reliably '}{'better' if better else 'worse'} than"
