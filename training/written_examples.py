"""What became of the texts that a model wrote: as a split to train on, as rows of a table, and as counts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.example_filters import REASONS, Judged
from training.example_prompts import ExamplePrompt
from training.part_files import PartFiles
from training.record_store import json_line
from training.records import normalise, record_id
from training.splits import Record

# Why no more was asked for.
ENOUGH, PROMPTS_USED, TIME_USED = "enough texts", "prompts used up", "time used up"
TOO_FEW_TO_SHOW = "too few training texts to show, short enough and without signs of personal data"


class WrittenExamples:
    """Texts of `label` in the order in which they were written, with the prompt that each answers.

    `prompts` were asked in `seconds`; `ended_by` says why no more.
    """

    def __init__(self, label: str, provider: str, model: str) -> None:
        self.texts: list[tuple[Judged, ExamplePrompt]] = []
        self.kept = 0
        self.prompts = 0
        self.seconds = 0.0
        self.ended_by = ENOUGH
        self._label = label
        self._provider = provider
        self._model = model

    def add(self, judged: Judged, prompt: ExamplePrompt) -> None:
        self.texts.append((judged, prompt))
        self.kept += judged.reason is None

    def save(self, split: Path) -> None:
        """Write the kept ones as Prepare writes a split.

        Without any it is one empty file: a training job does not start with a channel in which there is none.
        """
        with PartFiles(split) as parts:
            for judged, _ in self.texts:
                if judged.reason is None:
                    record = Record(self._id(judged.text), judged.text, self._label)
                    parts.write(json_line({**asdict(record), "patient": None, "normal": None, "synthetic": True}))
        if not self.kept:
            split.mkdir(parents=True, exist_ok=True)
            (split / "part-00000.jsonl").touch()

    def save_fates(self, path: Path) -> None:
        """Write every text with what became of it, a line each (training/synthetic_examples.py)."""
        path.write_bytes(b"".join(json_line(row) for row in self._fates()))

    def _fates(self) -> Iterator[dict[str, Any]]:
        for judged, prompt in self.texts:
            yield {
                "synthetic_id": self._id(judged.text),
                "text": judged.text,
                "kept": judged.reason is None,
                "reason": judged.reason,
                "prompted_by": " ".join(example.id for example in prompt.examples),
                "provider": self._provider,
                "model": self._model,
                "first_model_probability": judged.probability,
            }

    def report(self, asked: int) -> dict[str, Any]:
        """Counts of texts; `dropped` names every reason, and with `kept` adds up to `generated`."""
        dropped = Counter(judged.reason for judged, _ in self.texts)
        warnings = []
        if self.kept < asked:
            warnings.append(
                f"Of {asked} synthetic examples asked for {self.kept or 'none'} could be kept: {self.prompts} prompts "
                f"gave {len(self.texts)} texts; {self.ended_by}."
            )
        return {
            "asked": asked,
            "prompts": self.prompts,
            "generated": len(self.texts),
            "kept": self.kept,
            "dropped": {reason: dropped[reason] for reason in REASONS},
            "ended_by": self.ended_by,
            "provider": self._provider,
            "model": self._model,
            "seconds": round(self.seconds, 1),
            "warnings": warnings,
        }

    def _id(self, text: str) -> str:
        return record_id(normalise(text), normalise(self._label))
