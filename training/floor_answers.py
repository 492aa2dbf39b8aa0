"""What the floors answered, as Evaluate leaves it for Compare: `answers/<floor>/<set>/part-*.jsonl`."""

from collections.abc import Sequence
from pathlib import Path

from training.evaluation_inputs import EvaluationRecord
from training.part_files import PartFiles
from training.record_store import json_line


def floor_answers(evaluation: Path, floor: str) -> Path:
    """Where Evaluate's output has what a floor answered, a folder for each set."""
    return evaluation / "answers" / floor


def write_floor_answers(folder: Path, records: Sequence[EvaluationRecord], answers: Sequence[str]) -> None:
    """Write {"id", "prediction"} of each record of one set, in their order."""
    with PartFiles(folder) as parts:
        for record, answer in zip(records, answers, strict=True):
            parts.write(json_line({"id": record.id, "prediction": answer}))
