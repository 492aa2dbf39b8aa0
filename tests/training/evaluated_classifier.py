"""What the jobs before Evaluate leave behind in a task that classifies, on invented texts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.training.evaluated_run import EvaluatedRun, write_lines
from training import evaluate_classifier

POSITIVE, NEGATIVE = "Adverse_Event", "Not_AE"
EVENTS = ("a rash", "vomiting", "liver failure", "dizziness")
NOTHING = ("no complaints", "a stable course", "good control of pain", "a normal scan")


def record(number: int, positive: bool, telling: bool = True) -> dict[str, Any]:
    """A labelled text; where it is not `telling`, the TF-IDF floor knows none of its words."""
    outcome = (EVENTS if positive else NOTHING)[number % 4]
    text = f"After {number} doses the patient had {outcome}." if telling else f"Цитата №{number}"
    target = POSITIVE if positive else NEGATIVE
    return {"id": f"{number:016x}", "input": text, "target": target, "patient": None, "normal": None}


def split(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [record(number, number % 3 == 0) for number in range(start, start + count)]


GENERATED = {
    "synthetic_id": "0" * 16,
    "text": "I took it and came out in a rash.",
    "kept": True,
    "reason": None,
    "prompted_by": "1 2 3 4 5",
    "provider": "model",
    "model": "invented",
    "first_model_probability": 0.75,
}


class ClassifierRun(EvaluatedRun):
    """A run of a task that classifies. Where a test says nothing else, the fine-tuned model is right and sure, and the
    base model misses every second positive."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, evaluate_classifier, "adverse_events", split(60))
        write_lines(self.prepared / "validation" / "part-00000.jsonl", split(24, start=900))
        self.models["base"] = folder / "base"
        self.particular = {
            "validation": str(self.prepared / "validation"),
            "positive-label": POSITIVE,
            "negative-label": NEGATIVE,
        }

    def add_set(self, name: str, positives: int, negatives: int, telling: bool = False) -> list[dict[str, Any]]:
        start = 10_000 * (len(self.sets) + 1)
        numbers = range(start, start + positives + negatives)
        records = self.write_set(name, [record(n, n < start + positives, telling) for n in numbers])
        self.answer("fine-tuned", name, {})
        self.answer("base", name, {r["id"]: 0.25 for r in records[:positives:2]})
        return records

    def answer(self, model: str, name: str, changed: Mapping[str, float], threshold: float = 0.5) -> None:
        """Right and sure, but for the probabilities in `changed`."""
        right = {r["id"]: 0.875 if r["target"] == POSITIVE else 0.125 for r in self.sets[name]}
        self.answer_with(model, name, right | dict(changed), threshold)

    def answer_with(self, model: str, name: str, probabilities: Mapping[str, float], threshold: float = 0.5) -> None:
        rows = [
            {"id": key, "prediction": POSITIVE if value >= threshold else NEGATIVE, "probability": value}
            for key, value in probabilities.items()
        ]
        self.write_answers(model, name, rows)
        self.decide(model, threshold)

    def decide(self, model: str, threshold: Any, positive: Any = POSITIVE, negative: Any = NEGATIVE) -> None:
        decision = {"positive": positive, "negative": negative, "threshold": threshold}
        (self.folder / model / "decision.json").write_text(json.dumps(decision))

    def use_synthetic(self) -> None:
        """As GenerateExamples leaves two texts, of which one was kept."""
        self.models["without-synthetic"] = self.folder / "without-synthetic"
        folder = self.folder / "synthetic"
        self.particular["synthetic"] = str(folder)
        write_lines(folder / "examples.jsonl", [GENERATED, {**GENERATED, "kept": False, "reason": "too short"}])
        counts = {"asked": 3, "kept": 1, "dropped": {"too short": 1}, "warnings": ["Of 3 asked for 1 could be kept."]}
        (folder / "report.json").write_text(json.dumps(counts), encoding="utf-8")

    def reasons(self, word: str) -> list[str]:
        return [reason for reason in self.evaluation["gate"]["reasons"] if word in reason]


def made_up(records: list[dict[str, Any]], strength: float, seed: int) -> dict[str, float]:
    """Probabilities that tell something of the label, the more the larger `strength`; some are equal."""
    truth = np.array([r["target"] == POSITIVE for r in records])
    logits = np.random.default_rng(seed).normal(size=len(truth)) + strength * truth - 1
    found = np.round(1 / (1 + np.exp(-logits)), 4).tolist()
    return dict(zip((r["id"] for r in records), found, strict=True))
