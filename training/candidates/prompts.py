"""How a candidate that nobody trained for the task is asked: a template, and examples from the train split alone."""

import hashlib
import heapq
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from training.errors import ArgumentError, GenerationError
from training.records import normalise
from training.splits import Record, read_split

INPUT, TARGET, EXAMPLES = "{input}", "{target}", "{examples}"
MOST_EXAMPLES = 10


@dataclass(frozen=True)
class CandidatePrompt:
    """`template` with `{input}` and perhaps `{examples}`, which are the `shown` records, each as `example` says."""

    template: str
    example: str | None = None
    shown: tuple[Record, ...] = ()

    def of(self, text: str) -> str:
        """What the model is asked about `text`."""
        examples = "".join(
            _filled(self.example or "", {INPUT: record.input, TARGET: record.target}) for record in self.shown
        )
        return _filled(self.template, {INPUT: text, EXAMPLES: examples})

    def shows(self, text: str) -> bool:
        """`text` is one of the examples, so its answer stands in the prompt."""
        return normalise(text) in {normalise(record.input) for record in self.shown}


def check_prompt(template: str, example: str | None, examples: int) -> None:
    """Check what a task file says of a prompt.

    Raises:
        ArgumentError: a placeholder is missing or stands twice, or there are no or too many examples for it.
    """
    if template.count(INPUT) != 1:
        raise ArgumentError(f"prompt must contain {INPUT} exactly once, got {template.count(INPUT)} times")
    if template.count(EXAMPLES) > 1:
        raise ArgumentError(f"prompt may contain {EXAMPLES} once, got {template.count(EXAMPLES)} times")
    if not 0 <= examples <= MOST_EXAMPLES:
        raise ArgumentError(f"examples must be between 0 and {MOST_EXAMPLES}, got {examples}")
    if examples and (EXAMPLES not in template or example is None):
        raise ArgumentError(f"examples: {examples} needs {EXAMPLES} in the prompt, and an example template")
    if example is not None and (example.count(INPUT), example.count(TARGET)) != (1, 1):
        raise ArgumentError(f"example must contain {INPUT} and {TARGET} once each")


def draw_examples(train: Path, count: int, seed: int) -> tuple[Record, ...]:
    """`count` records of the train split, by seed, none longer than half of them are: an example that is longer than
    most takes the room that the text itself needs.

    Raises:
        GenerationError: the split holds too few.
    """
    if not count:
        return ()
    lengths = [_length(record) for record in read_split(train)]
    longest = median_low(lengths) if lengths else 0
    drawn = drawn_by_seed((record for record in read_split(train) if _length(record) <= longest), count, seed)
    if len(drawn) < count:
        raise GenerationError(
            f"{count} examples are wanted of the shorter half of the train split, which holds {len(drawn)} records"
        )
    return tuple(drawn)


def drawn_by_seed(records: Iterable[Record], count: int, seed: int) -> list[Record]:
    """At most `count` of the records, by the hash of seed and id: a larger count holds all of a smaller one's."""
    return heapq.nsmallest(count, records, key=lambda record: _place(record, seed))


def _place(record: Record, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {record.id}".encode()).digest()


def _length(record: Record) -> int:
    return len(record.input) + len(record.target)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """All placeholders at once: a text may hold what looks like one."""
    return re.sub("|".join(map(re.escape, values)), lambda found: values[found[0]], template)
