"""A candidate of which a test says what it answers, and one that is asked in this process."""

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.training.tiny_model import invented_pairs, write_part
from training.answer_candidate import Arguments
from training.candidates import ask
from training.candidates.arguments import CandidateArguments, ChildArguments
from training.candidates.asked_records import AskedRecords
from training.candidates.journal import read_journal
from training.candidates.outcomes import Answers, Asker, Outcome
from training.candidates.report import write_report
from training.splits import Record, read_split

PROMPT = "{examples}Note: {input}\n\nSummary:"
EXAMPLE = "Note: {input}\n\nSummary: {target}\n\n"


class ToldCandidate:
    """Answers each text with what `tell` makes of it, and remembers what it was asked."""

    def __init__(
        self, tell: Callable[[str], Outcome], *, texts_a_call: int = 2, input_tokens: int = 0, output_tokens: int = 0
    ) -> None:
        self.calls: list[Sequence[str]] = []
        self.texts_a_call = texts_a_call
        self._tell = tell
        self._tokens = (input_tokens, output_tokens)

    def ask(self, texts: Sequence[str]) -> Answers:
        self.calls.append(texts)
        return Answers([self._tell(text) for text in texts], *self._tokens)

    @property
    def texts(self) -> list[str]:
        return [text for texts in self.calls for text in texts]


def write_inputs(folder: Path, count: int = 7) -> Path:
    """Train split and two evaluation sets as Prepare writes them."""
    write_part(folder / "train", invented_pairs(30, start=5000))
    write_part(folder / "eval" / "dev1", invented_pairs(count))
    write_part(folder / "eval" / "dev2", invented_pairs(3, start=900), number=0)
    write_part(folder / "eval" / "dev2", invented_pairs(1, start=950), number=1)
    return folder


def evaluated(folder: Path, name: str = "dev1") -> list[Record]:
    return list(read_split(folder / "eval" / name))


def arguments(folder: Path, **more: Any) -> Arguments:
    """Of a Bedrock model, unless another kind is given."""
    given: dict[str, Any] = {
        "name": "told",
        "kind": "bedrock",
        "train": folder / "train",
        "evaluation": folder / "eval",
        "output": folder / "output",
    }
    if more.get("kind", "bedrock") == "bedrock":
        given |= {"model_id": "some.model", "prompt": "{input}", "max_new_tokens": 20}
    return Arguments(**(given | more))


def asked_here(folder: Path, asker: Asker, **more: Any) -> dict[str, Any]:
    """Ask in this process and write the report; what candidate.json holds."""
    given = arguments(folder, **more)
    own = {field.name: getattr(given, field.name) for field in fields(CandidateArguments)}
    journal = folder / "journal.jsonl"
    journal.unlink(missing_ok=True)
    ask.main(ChildArguments(**own, journal=journal), lambda *_: asker)
    asked = AskedRecords(given.evaluation, given.max_records, given.seed)
    return write_report(given, asked, read_journal(journal, "no end"))


def predictions(folder: Path, name: str = "dev1") -> dict[str, str]:
    """Record id -> answer, in order."""
    return {
        row["id"]: row["prediction"] for part in (folder / "output" / name).glob("part-*.jsonl") for row in rows(part)
    }


def failures(folder: Path) -> list[tuple[str, str, str]]:
    """Set, record id and reason of each."""
    return [(row["set"], row["id"], row["reason"]) for row in rows(folder / "output" / "failures.jsonl")]


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
