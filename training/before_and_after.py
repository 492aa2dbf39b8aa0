"""The table of before and after: what the model answered to a note before and after fine-tuning, for a few records.

Which records these are is decided by rules, never picked: the fine-tuned model's largest and median gain in ROUGE-L,
its largest loss (where nothing is lost the smallest gain, and the other way round), the longest note, and the first by
id in which a rule sees a clinical error. A record stands there once, for the first of these reasons; ties go by id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.scored_set import ScoredSet
from training.statistics import BoolArray, FloatArray
from training.table_schemas import FINE_TUNED, PRETRAINED


@dataclass(frozen=True)
class Example:
    """The record at `index` of its set, and why it was chosen."""

    index: int
    why: str


def chosen_examples(
    ids: Sequence[str], gains: FloatArray, input_words: Sequence[int], erroneous: BoolArray
) -> list[Example]:
    """At most five records: `gains` are after minus before, all sequences are over the records of one set."""
    records = range(len(ids))
    by_gain = sorted(records, key=lambda i: (gains[i], ids[i]))
    # From the median outwards, so that one that is taken has a neighbour in its place.
    from_median = sorted(records, key=lambda place: (abs(2 * place - (len(ids) - 1)), place))
    highest = "largest gain" if gains[by_gain[-1]] > 0 else "smallest loss"
    lowest = "largest loss" if gains[by_gain[0]] < 0 else "smallest gain"
    rules = (
        (highest, sorted(records, key=lambda i: (-gains[i], ids[i]))),
        ("median gain", [by_gain[place] for place in from_median]),
        (lowest, by_gain),
        ("longest note", sorted(records, key=lambda i: (-input_words[i], ids[i]))),
        ("clinical error", sorted((i for i in records if erroneous[i]), key=lambda i: ids[i])),
    )
    return list(_each_once(rules))


def _each_once(rules: Sequence[tuple[str, Sequence[int]]]) -> Iterator[Example]:
    taken: set[int] = set()
    for why, order in rules:
        index = next((i for i in order if i not in taken), None)
        if index is not None:
            taken.add(index)
            yield Example(index, why)


def before_and_after(scored: ScoredSet, erroneous: BoolArray) -> list[dict[str, Any]]:
    """The chosen examples of one set, with their texts; `erroneous` (records,) is of the fine-tuned model's answers."""
    before, after = scored.models[PRETRAINED], scored.models[FINE_TUNED]
    examples = chosen_examples(
        [record.id for record in scored.records],
        after.rouge_l - before.rouge_l,
        [len(record.input.split()) for record in scored.records],
        erroneous,
    )
    return [
        {
            "id": scored.records[i].id,
            "why": example.why,
            "input": scored.records[i].input,
            "reference": scored.records[i].target,
            "pretrained": before.predictions[i],
            "fine_tuned": after.predictions[i],
            "rouge_l_pretrained": float(before.rouge_l[i]),
            "rouge_l_fine_tuned": float(after.rouge_l[i]),
        }
        for example in examples
        for i in (example.index,)
    ]
