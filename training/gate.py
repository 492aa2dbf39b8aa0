"""Whether a fine-tuned model may be registered.

It may when, measured by mean ROUGE-L,

1. it is better than the pre-trained model on every evaluation set: the 95 % paired bootstrap interval of the difference
   lies above 0; and
2. it is not worse than the model in service on the records that both were asked, set by set: the interval of the
   difference does not lie below 0, and the difference itself is not below `TOLERATED_LOSS`. The second half is there
   because on a small set hardly any loss is significant, and a replaced model is not to be worse by chance; and
3. for a task with retrieval, its mean is not below the consensus of similar reports: that can be served instead, and
   needs no model.

A set of fewer than `FEWEST_RECORDS` decides nothing, and that is said; with no set left the model does not pass. Losing
to another floor does not block, but it is what a reader must know first, so it stands first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.statistics import BoolArray, Difference, FloatArray, paired_difference
from training.table_schemas import CONSENSUS, CONSTANT, LEAD, NEAREST

FEWEST_RECORDS = 10
TOLERATED_LOSS = 0.01

FLOOR_NAMES = {
    CONSTANT: "the constant-answer floor",
    LEAD: "the lead-sentences floor",
    NEAREST: "the nearest-report floor",
    CONSENSUS: "the consensus floor",
}


@dataclass(frozen=True)
class InService:
    """ROUGE-L F1 of both models on the records that both were asked: (shared records,), in the same order."""

    champion: FloatArray
    fine_tuned: FloatArray


@dataclass(frozen=True)
class Comparison:
    """ROUGE-L F1 of one evaluation set: (records,) each, in the same order. `in_service` is None without a champion.

    `agreed` (records,) are those to which the consensus of similar reports is an answer: without any similar report
    there is none. It is None for a task without retrieval.
    """

    evaluation_set: str
    fine_tuned: FloatArray
    pretrained: FloatArray
    floors: Mapping[str, FloatArray]
    in_service: InService | None
    agreed: BoolArray | None = None


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


def decide(comparisons: Sequence[Comparison], seed: int) -> Decision:
    """Apply the rule to all evaluation sets. `seed` is that of the bootstrap."""
    floors = [_against_floor(comparison, floor, seed) for comparison in comparisons for floor in comparison.floors]
    consensus = [_against_consensus(c, c.agreed) for c in comparisons if c.agreed is not None]
    pretrained = [_against_pretrained(c, seed) for c in comparisons]
    in_service = [_against_champion(c, c.in_service, seed) for c in comparisons if c.in_service is not None]
    findings = [*consensus, *pretrained, *in_service]
    reasons = [sentence for sentence, _ in floors] + [finding.sentence for finding in findings if finding.sentence]
    if not in_service:
        reasons.append("There is no model in service to compare with.")
    undecided = not any(finding.decides for finding in pretrained)
    if undecided:
        reasons.append(f"No evaluation set has the {FEWEST_RECORDS} records that a decision needs.")
    passed = not undecided and not any(finding.blocks for finding in findings)
    return Decision(passed, tuple(reasons), tuple(sentence for sentence, lost in floors if lost))


def _against_floor(comparison: Comparison, floor: str, seed: int) -> tuple[str, bool]:
    """The sentence, and whether the model lost."""
    scores = comparison.floors[floor]
    difference = paired_difference(comparison.fine_tuned, scores, seed)
    sentence = _sentence(comparison.evaluation_set, FLOOR_NAMES[floor], difference, comparison.fine_tuned, scores)
    return sentence, difference.mean < 0


def _against_consensus(comparison: Comparison, agreed: BoolArray) -> _Finding:
    scores, fine_tuned = comparison.floors[CONSENSUS][agreed], comparison.fine_tuned[agreed]
    if len(scores) < FEWEST_RECORDS or fine_tuned.mean() >= scores.mean():
        return _Finding("")
    return _Finding(
        f"Set {comparison.evaluation_set}: the model does worse than the consensus of similar reports, which needs no "
        "model: this blocks. To serve the consensus itself, set generation.method to consensus in the task file, "
        "deploy, and start the pipeline once more.",
        blocks=True,
        decides=True,
    )


def _against_pretrained(comparison: Comparison, seed: int) -> _Finding:
    difference = paired_difference(comparison.fine_tuned, comparison.pretrained, seed)
    sentence = _sentence(
        comparison.evaluation_set, "the pre-trained model", difference, comparison.fine_tuned, comparison.pretrained
    )
    if difference.count < FEWEST_RECORDS:
        return _Finding(f"{sentence} {_too_few(difference.count)}")
    if difference.low > 0:
        return _Finding(sentence, decides=True)
    return _Finding(f"{sentence} It must be better beyond chance: this blocks.", blocks=True, decides=True)


def _against_champion(comparison: Comparison, shared: InService, seed: int) -> _Finding:
    name, count = comparison.evaluation_set, len(shared.champion)
    if count == 0:
        return _Finding(f"Set {name}: the model in service was not asked any of its records, so they are not compared.")
    difference = paired_difference(shared.fine_tuned, shared.champion, seed)
    sentence = _sentence(name, "the model in service", difference, shared.fine_tuned, shared.champion)
    if count < FEWEST_RECORDS:
        return _Finding(f"{sentence} {_too_few(count)}")
    if difference.high < 0:
        return _Finding(f"{sentence} It is worse beyond chance: this blocks.", blocks=True, decides=True)
    if difference.mean < -TOLERATED_LOSS:
        return _Finding(
            f"{sentence} It is worse by more than {TOLERATED_LOSS}: this blocks.", blocks=True, decides=True
        )
    return _Finding(sentence, decides=True)


def _sentence(name: str, other: str, difference: Difference, fine_tuned: FloatArray, scores: FloatArray) -> str:
    relation = _relation(difference)
    return (
        f"Set {name}: the fine-tuned model is {relation} {other} (ROUGE-L {fine_tuned.mean():.3f} against "
        f"{scores.mean():.3f}; difference {difference.mean:+.3f}, 95 % interval {difference.low:+.3f} to "
        f"{difference.high:+.3f}, {difference.count} {'record' if difference.count == 1 else 'records'})."
    )


def _relation(difference: Difference) -> str:
    if difference.mean == 0:
        return "level with"
    better = difference.mean > 0
    reliably = difference.low > 0 if better else difference.high < 0
    return f"{'' if reliably else 'not reliably '}{'better' if better else 'worse'} than"


def _too_few(count: int) -> str:
    return f"{count} of at least {FEWEST_RECORDS} records: too few to decide."
