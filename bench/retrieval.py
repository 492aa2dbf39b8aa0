"""How long the index of similar reports takes to build, how fast it answers, and how large it is, on generated reports.

    python3 -m bench.retrieval --records 90000 --queries 300

A generated report is some of 3,000 stock sentences, the common ones far more often (Zipf), and a third of its
sentences are its own, of a vocabulary of 30,000 words (Zipf as well): so word pairs repeat as they do in reports. It is
twice as long as findings of Open-i, and a query meets twice as many entries of the index as one with those does: 2.9
times the number of records at the median, 5.7 at p95. Nothing is read; the index is saved to a temporary folder.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from training.consensus import NEIGHBOURS, consensus
from training.retrieval import SimilarReports
from training.splits import Record

WORDS, SENTENCES = 30_000, 3_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=90_000)
    parser.add_argument("--queries", type=int, default=300)
    arguments = parser.parse_args()
    reports = Reports(seed=1)
    records = [
        Record(f"{number:016x}", reports.findings(), reports.impression()) for number in range(arguments.records)
    ]
    before = peak_mebibytes()

    started, computed = time.perf_counter(), time.process_time()
    index = SimilarReports.build(records)
    wall, computing = time.perf_counter() - started, time.process_time() - computed
    print(f"built from {len(index)} reports in {wall:.1f} s, computing alone {computing:.1f} s")
    print(f"peak memory: {peak_mebibytes():.0f} MiB, of which {before:.0f} MiB before building, reports included")
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder))
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        print(f"size on disk: {size / 2**20:.0f} MiB")
        started = time.perf_counter()
        loaded = SimilarReports.load(Path(folder))
        print(f"loaded in {time.perf_counter() - started:.2f} s")
        texts = [reports.findings() for _ in range(arguments.queries)]
        walls, computings = zip(*seconds_each(loaded, texts), strict=True)
        print_times("one query", walls)
        print_times("one query, computing alone", computings)
    started = time.perf_counter()
    neighbours = loaded.similar(texts, NEIGHBOURS)
    print(f"all queries at once: {(time.perf_counter() - started) / len(texts) * 1e3:.2f} ms each")
    started = time.perf_counter()
    for similar in neighbours:
        consensus(similar)
    print(f"consensus: {(time.perf_counter() - started) / len(texts) * 1e3:.2f} ms each")


def seconds_each(index: SimilarReports, texts: list[str]) -> Iterator[tuple[float, float]]:
    """Each text asked alone, as an endpoint does: seconds by the clock, and those of this thread, which leave out what
    other programs took of the machine. The first tenth maps the index into memory and is left out."""
    for number, text in enumerate(texts):
        started, computed = time.perf_counter(), time.thread_time()
        index.similar([text], NEIGHBOURS)
        if number >= len(texts) // 10:
            yield time.perf_counter() - started, time.thread_time() - computed


def print_times(what: str, seconds: Sequence[float]) -> None:
    p50, p95, longest = (float(q) * 1e3 for q in np.quantile(seconds, (0.5, 0.95, 1)))
    print(f"{what}: p50 {p50:.2f} ms, p95 {p95:.2f} ms, longest {longest:.2f} ms")


def peak_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


class Reports:
    """Made-up reports."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
        lengths = self._random.integers(2, 12, WORDS)
        self._words = np.array(["".join(self._random.choice(letters, length)) for length in lengths])
        # Cumulative, since drawing by `choice` sorts the words anew each time.
        self._word_shares = np.cumsum(1 / np.arange(3, WORDS + 3))
        self._sentences = [self._sentence() for _ in range(SENTENCES)]
        self._sentence_shares = np.cumsum(1 / np.arange(3, SENTENCES + 3))

    def findings(self) -> str:
        return self._text(8)

    def impression(self) -> str:
        return self._text(2)

    def _text(self, sentences: int) -> str:
        chosen = self._draw(self._sentence_shares, self._random.poisson(sentences) + 1)
        own = self._random.random(len(chosen)) < 1 / 3
        return " ".join(self._sentence() if new else self._sentences[i] for i, new in zip(chosen, own, strict=True))

    def _sentence(self) -> str:
        chosen = self._draw(self._word_shares, self._random.integers(4, 11))
        return " ".join(self._words[chosen]).capitalize() + "."

    def _draw(self, shares: np.ndarray, number: int) -> np.ndarray:
        return np.searchsorted(shares, self._random.random(number) * shares[-1])


if __name__ == "__main__":
    main()
