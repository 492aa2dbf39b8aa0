"""What the jobs before Compare leave behind, on invented notes, for the tests of Compare."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.training.evaluated_run import write_lines
from training import compare
from training.job import parse_arguments
from training.records import normalise, record_id
from training.table_schemas import FLOORS

SIDES = ("left", "right")
FINDINGS = ("pneumonia", "effusion", "cellulitis", "fracture", "abscess")
DRUGS = ("ceftriaxone", "heparin", "morphine", "furosemide")


def notes(count: int) -> list[dict[str, Any]]:
    """Up to 40 notes, each about another finding, side and drug. The summary stands in the middle, so the first
    sentence is a bad one."""
    records = []
    for i in range(count):
        finding, drug = FINDINGS[i % 5], DRUGS[i // 5 % 4]
        side, dose = SIDES[i // 20], 10 + i
        note = (
            f"Bed {i} was quiet overnight and the family called twice. Mild {finding} on the {side}. No fever. "
            f"He was given {drug} {dose} mg. Chart reviewed in full with the team at hand-over."
        )
        summary = f"Mild {side} {finding}, {drug} {dose} mg, no fever."
        name = record_id(normalise(note), normalise(summary))
        records.append({"id": name, "input": note, "target": summary, "patient": None, "normal": False})
    return records


class ComparedRun:
    """A folder in which each part can be changed before `compare`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.candidates: list[Path] = []

    def add_set(self, name: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A set; the floors and the model before fine-tuning say little, the fine-tuned one writes the reference."""
        self.sets[name] = records
        write_lines(self.folder / "eval" / name / "part-00000.jsonl", records)
        for floor in FLOORS:
            self.answer(f"evaluation/answers/{floor}", name, [r["input"].split(". ")[0] for r in records])
        self.answer("pretrained", name, ["Quiet night." for _ in records])
        self.answer("fine-tuned", name, [r["target"] for r in records])
        return records

    def answer(self, folder: str, name: str, texts: Sequence[str]) -> None:
        """Answers to the first records of a set."""
        records = self.sets[name][: len(texts)]
        rows = [{"id": r["id"], "prediction": text} for r, text in zip(records, texts, strict=True)]
        write_lines(self.folder / folder / name / "part-00000.jsonl", rows)

    def add_candidate(
        self,
        name: str,
        answers: Mapping[str, Sequence[str]],
        failures: Sequence[Mapping[str, str]] = (),
        **card: Any,
    ) -> Path:
        """A candidate's folder; `answers` are to the first records of each set, `card` overrides candidate.json."""
        folder = self.folder / "answers" / name
        folder.mkdir(parents=True)
        for each, texts in answers.items():
            self.answer(f"answers/{name}", each, texts)
        if failures:
            write_lines(folder / "failures.jsonl", failures)
        content = {
            "name": name,
            "kind": "custom",
            "status": "complete",
            "reason": None,
            "sets": {each: {"asked": len(texts), "answered": len(texts)} for each, texts in answers.items()},
            "seconds": 4.0,
            "answered": sum(map(len, answers.values())),
            "input_tokens": None,
            "output_tokens": None,
            "dollars": 0.01,
            "dollars_per_1000": 0.25,
            "seconds_per_1000": 100.0,
            "needs": [],
            "leaves_account": False,
            "licence": None,
        }
        (folder / "candidate.json").write_text(json.dumps(content | card))
        self.candidates.append(folder)
        return folder

    def command_line(self, **changed: str) -> list[str]:
        values = {
            "task": "clinical_notes",
            "run-id": "run1",
            "started-at": "2026-03-01T00:30:00+02:00",
            "evaluation-sets": str(self.folder / "eval"),
            "evaluation": str(self.folder / "evaluation"),
            "pretrained": str(self.folder / "pretrained"),
            "fine-tuned": str(self.folder / "fine-tuned"),
            "output": str(self.folder / "out"),
            "tables": str(self.folder / "tables"),
            "workers": "1",
            **changed,
        }
        line = [part for name, value in values.items() for part in (f"--{name}", value)]
        return [*line, "--candidates", *map(str, self.candidates)] if self.candidates else line

    def compare(self, **changed: str) -> dict[str, Any]:
        compare.main(parse_arguments(compare.Arguments, self.command_line(**changed)))
        content: dict[str, Any] = json.loads((self.folder / "out" / "comparison.json").read_text())
        return content

    def row(self, comparison: Mapping[str, Any], candidate: str, name: str = "dev1") -> dict[str, Any]:
        (row,) = [row for row in comparison["sets"][name] if row["candidate"] == candidate]
        return row

    def table(self, table: str, partition: str = "run_id=run1/part-00000.parquet") -> list[dict[str, Any]]:
        path = self.folder / "tables" / table / "task=clinical_notes" / partition
        rows: list[dict[str, Any]] = pq.ParquetFile(path).read().to_pylist()
        return rows
