"""What a classifier leaves for Evaluate: its answers to every evaluation set, and how it decided.

<set>/part-*.jsonl    {"id", "prediction": label, "probability": of the positive label, in [0, 1]}
decision.json         {"positive", "negative", "threshold"}
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from training.evaluation_answers import PoolAnswers, answer_parts
from training.labels import Decision
from training.splits import Record
from training.statistics import FloatArray
from training.text_windows import Reading

DECISION = "decision.json"


class Classifier(Protocol):
    """What tells two labels apart, however it does; it reads `max_input_tokens` of a text at once."""

    @property
    def decision(self) -> Decision: ...

    @property
    def max_input_tokens(self) -> int: ...

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Texts as it reads them, in their order."""

    def probabilities(self, readings: Sequence[Reading], batch_size: int) -> FloatArray:
        """Probability of the positive label of each text (texts,)."""


def write_classified_sets(classifier: Classifier, parts: Sequence[Path], output: Path, batch_size: int) -> None:
    """Classify the records of `parts`. `batch_size` is in windows of a text, most of which have one.

    Raises:
        UploadError: a line is not a record.
        ModelError: the model answers with something that is no number.
    """
    decision = classifier.decision
    output.mkdir(parents=True, exist_ok=True)
    content = json.dumps(dataclasses.asdict(decision), indent=2, sort_keys=True) + "\n"
    (output / DECISION).write_text(content, encoding="utf-8")

    def answer(pool: Sequence[Record]) -> PoolAnswers:
        readings = classifier.read([record.input for record in pool])
        found = classifier.probabilities(readings, batch_size).tolist()
        lines = [{"prediction": decision.label(probability), "probability": probability} for probability in found]
        return PoolAnswers(lines, sum(reading.long for reading in readings))

    long = f"texts longer than {classifier.max_input_tokens} tokens were read in windows"
    answer_parts(parts, output, batch_size, answer, long)
