"""What the jobs before Evaluate leave behind, for the tests of both scripts that evaluate."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq

from training.job import parse_arguments

REPOSITORY = Path(__file__).resolve().parents[2]
CURVE_ROW = {
    "step": 20,
    "epoch": 0.5,
    "seconds": 3.5,
    "train_loss": 2.25,
    "validation_loss": None,
    "learning_rate": 3e-4,
}


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


class EvaluatedRun:
    """A folder in which each part can be changed before `evaluate`. `models` is argument -> folder of predictions, and
    `particular` the arguments that only this script has."""

    def __init__(self, folder: Path, script: ModuleType, task: str, train: Iterable[dict[str, Any]]) -> None:
        self.folder = folder
        self.prepared = folder / "prepared"
        self.sets: dict[str, list[dict[str, Any]]] = {}
        self.models = {"fine-tuned": folder / "fine-tuned"}
        self.particular: dict[str, str] = {}
        self._script = script
        self._task = task
        write_lines(self.prepared / "train" / "part-00000.jsonl", train)
        self.report: dict[str, Any] = {
            "counts": {"uploaded": 40, "train": 32, "validation": 4, "quarantined": 3, "duplicates": 1, "eval": {}},
            "removed_from_evaluation": {"dev2": 2},
            "fingerprint": "ab" * 32,
            "files": [],
            "warnings": ["3 records were set aside."],
        }
        self.write_curve([CURVE_ROW])
        (folder / "champion").mkdir()
        (folder / "champion" / "none").touch()

    def write_set(self, name: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.sets[name] = records
        self.report["counts"]["eval"][name] = len(records)
        write_lines(self.prepared / "eval" / name / "part-00000.jsonl", records)
        return records

    def write_answers(self, model: str, name: str, rows: Sequence[dict[str, Any]]) -> None:
        # In another order than the records, in two parts, as two machines would leave them.
        for part, chosen in enumerate((rows[::-2], rows[-2::-2])):
            write_lines(self.folder / model / name / f"part-{part:05d}.jsonl", chosen)

    def write_curve(self, rows: Iterable[Any], warnings: Iterable[str] = ()) -> None:
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        told = "".join(json.dumps({"warning": warning}) + "\n" for warning in warnings).encode()
        target = self.folder / "training_output" / "output.tar.gz"
        target.parent.mkdir(exist_ok=True)
        with tarfile.open(target, "w:gz") as tar:
            members = {"arguments.json": b"{}", "training_curve.jsonl": content, "training_warnings.jsonl": told}
            for member, data in members.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))

    def command_line(self, **changed: str) -> list[str]:
        (self.prepared / "report").mkdir(exist_ok=True)
        (self.prepared / "report" / "report.json").write_text(json.dumps(self.report))
        values = {
            "task": self._task,
            "run-id": "run1",
            "started-at": "2026-03-01T00:30:00+02:00",
            "prepared": str(self.prepared),
            "train": str(self.prepared / "train"),
            **{name: str(folder) for name, folder in self.models.items()},
            "training-output": str(self.folder / "training_output"),
            "champion": str(self.folder / "champion"),
            "output": str(self.folder / "out"),
            "tables": str(self.folder / "tables"),
            "message-file": str(self.folder / "message"),
            "seed": "1",
            **self.particular,
            **changed,
        }
        return [part for name, value in values.items() for part in (f"--{name}", value)]

    def start(self, **changed: str) -> "subprocess.CompletedProcess[str]":
        """As SageMaker starts it."""
        command = [sys.executable, "-m", self._script.__name__, *self.command_line(**changed)]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)

    def evaluate(self, **changed: str) -> dict[str, Any]:
        """In this process, for the many cases that need no other; an empty value leaves an argument out."""
        self._script.main(parse_arguments(self._script.Arguments, self.command_line(**changed)))
        return self.evaluation

    @property
    def evaluation(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "out" / "evaluation.json").read_text())
        return content

    def rows(self, table: str, partition: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.ParquetFile(self.folder / "tables" / table / partition).read().to_pylist()
        return rows
