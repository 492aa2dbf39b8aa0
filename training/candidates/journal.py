"""What a candidate has said so far: written by the process that asks, a line a call, and read by its supervisor.

    {"set": str, "outcomes": [{"id": str, "prediction": str} | {"id": str, "reason": str}, ...],
     "seconds": float, "input_tokens": int, "output_tokens": int}       of one call
    {"end": str|null}                                                   the last line: why it ended early, or null

Without a last line the process did not come to its own end, and what stands above is all that was answered. A line that
was cut off in the middle does not count.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from training.candidates.outcomes import Outcome, Unanswered
from training.candidates.prices import Usage
from training.splits import Record


@dataclass
class Said:
    """`outcomes` by set and record id; `ended` is why it was not asked about the others, None if it was."""

    ended: str | None
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


class Journal:
    """Writes calls as they come."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def call(self, evaluation_set: str, records: Sequence[Record], outcomes: Sequence[Outcome], usage: Usage) -> None:
        lines = [_line(record.id, outcome) for record, outcome in zip(records, outcomes, strict=True)]
        self._write({"set": evaluation_set, "outcomes": lines, **asdict(usage)})

    def end(self, reason: str | None) -> None:
        self._write({"end": reason})

    def _write(self, content: dict[str, Any]) -> None:
        self._file.write(json.dumps(content, ensure_ascii=False) + "\n")
        self._file.flush()


def read_journal(path: Path, ended: str) -> Said:
    """All that a journal says; `ended` is why it has no last line, should it have none."""
    said = Said(ended)
    # As bytes: what was cut off may end within a character.
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            content = json.loads(line)
            if "end" in content:
                said.ended = content["end"]
                break
            said.outcomes.setdefault(content["set"], {}).update(map(_outcome, content["outcomes"]))
            said.usage = said.usage.plus(Usage(content["seconds"], content["input_tokens"], content["output_tokens"]))
    return said


def _line(identity: str, outcome: Outcome) -> dict[str, str]:
    if isinstance(outcome, Unanswered):
        return {"id": identity, "reason": outcome.reason}
    return {"id": identity, "prediction": outcome}


def _outcome(entry: dict[str, str]) -> tuple[str, Outcome]:
    return entry["id"], Unanswered(entry["reason"]) if "reason" in entry else entry["prediction"]
