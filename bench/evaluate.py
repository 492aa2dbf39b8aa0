"""How fast Evaluate scores, and where its time and memory go, on generated reports.

    python3 -m bench.evaluate --records 2000 --train-records 90000 --workers 2

Generates a training split and one evaluation set of made-up reports of about the length of radiology findings (60
words) and impressions (20 words), then times what Evaluate does with them. Nothing is read, and nothing but a
temporary file is written.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from training.evaluation_inputs import EvaluationRecord
from training.floors import Floors
from training.retrieval import SimilarReports
from training.rouge import rouge_scores
from training.scored_set import prediction_rows, score_rows, score_set
from training.splits import Record
from training.table_schemas import FINE_TUNED, PREDICTIONS, PRETRAINED, SCORES
from training.tables import write_table

Result = TypeVar("Result")

VOCABULARY = 6_000
# Of real radiology impressions, more than half are word for word those of another report.
REPEATED_IMPRESSIONS = 0.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--train-records", type=int, default=90_000)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    reports = Reports(seed=1)
    inputs, targets = reports.split(arguments.train_records)
    asked, references = reports.split(arguments.records)
    records = [EvaluationRecord(f"{i:016x}", *pair, None) for i, pair in enumerate(zip(asked, references, strict=True))]
    clock = Clock()

    training = [Record(f"{i:016x}", *pair) for i, pair in enumerate(zip(inputs, targets, strict=True))]
    index = clock.time("similar reports: build the index", lambda: SimilarReports.build(training))
    floors = clock.time("floors: constant, length of the lead", lambda: Floors(targets, index))
    predictions = {PRETRAINED: asked, FINE_TUNED: reports.split(arguments.records)[1]}
    predictions |= clock.time("floors: answers", lambda: floors.predictions(asked, floors.similar(asked)))
    pairs = [pair for texts in predictions.values() for pair in zip(texts, references, strict=True)]
    clock.time("ROUGE", lambda: rouge_scores(pairs, arguments.workers))
    rouge_seconds = clock.seconds["ROUGE"]
    # Again within score_set, with the reading as normal; only what it takes beyond ROUGE is counted.
    scored = clock.time("reading as normal", lambda: score_set("dev", records, predictions, arguments.workers))
    clock.seconds["reading as normal"] -= rouge_seconds
    started = datetime(2026, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.parquet"
        clock.time(
            "intervals and table scores", lambda: write_table(file, SCORES, score_rows(scored, "run", started, 1))
        )
        clock.time("table predictions", lambda: write_table(file, PREDICTIONS, prediction_rows(scored)))
    clock.report()
    distinct = len(set(pairs))
    print(
        f"ROUGE: {len(pairs)} pairs ({distinct} different) with {arguments.workers} workers: "
        f"{len(pairs) / rouge_seconds:.0f} pairs/s, {distinct / rouge_seconds:.0f} different pairs/s"
    )
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB")


class Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, part: str, work: Callable[[], Result]) -> Result:
        before = time.perf_counter()
        result = work()
        self.seconds[part] = time.perf_counter() - before
        return result

    def report(self) -> None:
        total = sum(self.seconds.values())
        for part, seconds in self.seconds.items():
            print(f"{part:34} {seconds:8.2f} s {seconds / total:6.1%}")


class Reports:
    """Made-up words, as unevenly frequent as those of a language (Zipf), in sentences of about eight."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
        lengths = self._random.integers(2, 12, VOCABULARY)
        self._words = np.array(["".join(self._random.choice(letters, length)) for length in lengths])
        frequency = 1 / np.arange(2, VOCABULARY + 2)
        self._frequency = frequency / frequency.sum()

    def split(self, records: int) -> tuple[list[str], list[str]]:
        """Inputs and targets."""
        common = list(self._texts(50, 10))
        own = list(self._texts(records, 20))
        repeated = self._random.random(records) < REPEATED_IMPRESSIONS
        chosen = self._random.integers(len(common), size=records)
        targets = [common[chosen[i]] if repeated[i] else own[i] for i in range(records)]
        return list(self._texts(records, 60)), targets

    def _texts(self, number: int, words: int) -> Iterator[str]:
        for length in self._random.poisson(words, number) + 1:
            chosen = list(self._random.choice(self._words, length, p=self._frequency))
            yield " ".join(" ".join(chosen[i : i + 8]).capitalize() + "." for i in range(0, length, 8))


if __name__ == "__main__":
    main()
