"""Which training reports say what a text says: an index over training pairs, asked by the text of the input.

Ranked by Okapi BM25 (Robertson and Zaragoza 2009, k1 1.2, b 0.75) over words and word pairs. It asks how much of the
text a report says, and forgives what the report says beyond it; cosine of TF-IDF wants both alike, and so finds more
reports in which nothing was wrong (docs/quality-log.md has what was measured). bm25s scores, keeps and maps the index;
why that library stands in docs/decisions/0011.

    index = SimilarReports.build(read_split(folder))
    index.save(folder); SimilarReports.load(folder).similar(["The heart is enlarged."], count=15)

A saved index is arrays of numbers, which are mapped into memory when it is loaded, and `records.jsonl` with ids and
targets: the text of training records lies in it. Nothing of it is pickled.

Words and word pairs are known by a hash of 30 bits, so no vocabulary is kept: each of a million shares its hash with
another with a chance of a tenth of a percent. Those that more than a fifth of the records hold are not asked for:
they tell little, and cost most of a query's time.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from bm25s import BM25
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.feature_extraction.text import HashingVectorizer

from training.errors import RetrievalError
from training.records import normalise
from training.splits import Record

K1, B = 1.2, 0.75
# A term that more than this share of the records hold is not asked for, if they are more than FEWEST_LEFT_OUT.
LARGEST_SHARE, FEWEST_LEFT_OUT = 0.2, 1_000
# A term is a word or a word pair.
_LONGEST_TERM = 2
_VERSION = 2
_RECORDS_AT_A_TIME = 4_000
_QUERIES_AT_A_TIME = 256
_SCORES_IN_A_BLOCK = 64

_INDEX, _RECORDS, _TERMS, _INPUTS = "index.json", "records.jsonl", "terms.npy", "inputs.npy"

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Similar:
    """A training record. `similarity` in (0, 1]: its BM25 score for the text, over the text's own score for itself."""

    id: str
    similarity: float
    target: str


@dataclass(frozen=True)
class _Counted:
    """What records say, one after the other. bm25s reads it as a list of term numbers for each record, three times; a
    list is made when it is read, since those of 90,000 records together take half a gigabyte.

    `numbers` (entries,) of terms, `times` (entries,) that the record says them, `starts` (records + 1,).
    """

    numbers: NDArray[np.int32]
    times: NDArray[np.int32]
    starts: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for first, last in itertools.pairwise(self.starts):
            yield np.repeat(self.numbers[first:last], self.times[first:last]).tolist()


class SimilarReports:
    """The index. It may be asked from several processes, each of which loads it.

    `terms` (terms,) hashes, rising: bm25s knows a term by its place among them; `inputs` (records,) hashes of the
    normalised inputs; `mean_length` of an input in terms.
    """

    def __init__(
        self,
        engine: BM25,
        terms: NDArray[np.int32],
        inputs: NDArray[np.uint64],
        mean_length: float,
        records: Sequence[tuple[str, str]],
    ) -> None:
        self._engine = engine
        self._terms = terms
        self._inputs = inputs
        self._mean_length = mean_length
        self._records = records
        self._counter = term_counter(_LONGEST_TERM)

    def __len__(self) -> int:
        return len(self._records)

    @classmethod
    def build(cls, records: Iterable[Record]) -> Self:
        """Learn from a stream of records; it is read once.

        Raises:
            RetrievalError: there is no record, or none whose input holds a word.
        """
        kept, inputs, blocks = [], [], []
        counter, stream = term_counter(_LONGEST_TERM), iter(records)
        while block := list(itertools.islice(stream, _RECORDS_AT_A_TIME)):
            kept += [(record.id, record.target) for record in block]
            inputs += [_input_hash(record.input) for record in block]
            blocks.append(counter.transform(record.input for record in block))
        if not any(block.nnz for block in blocks):
            raise RetrievalError("no training input holds a word: similar reports need at least one")
        counts = csr_array(vstack(blocks, format="csr"))
        blocks.clear()
        mean_length = float(counts.sum(dtype=np.float64)) / len(kept)
        terms, numbers = np.unique(counts.indices, return_inverse=True)
        counted = _Counted(numbers.astype(np.int32), counts.data.astype(np.int32), counts.indptr)
        del counts, numbers
        engine = BM25(k1=K1, b=B, method="lucene", csc_backend="scipy")
        engine.scores = engine.build_index_from_ids(range(len(terms)), counted, show_progress=False)
        engine.vocab_dict = {}
        return cls(engine, terms, np.array(inputs, dtype=np.uint64), mean_length, kept)

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, which is created. Holds ids and targets as plain text."""
        self._engine.save(folder, show_progress=False)
        np.save(folder / _TERMS, self._terms, allow_pickle=False)
        np.save(folder / _INPUTS, self._inputs, allow_pickle=False)
        with (folder / _RECORDS).open("w", encoding="utf-8") as lines:
            for record_id, target in self._records:
                lines.write(json.dumps({"id": record_id, "target": target}, ensure_ascii=False) + "\n")
        about = {"version": _VERSION, "records": len(self), "mean_length": self._mean_length, "k1": K1, "b": B}
        # Written last: its presence says that all is there.
        (folder / _INDEX).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved index; its arrays are read as they are needed.

        Raises:
            RetrievalError: there is none, or it is damaged or of another version.
        """
        try:
            about: dict[str, Any] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
            if (about["version"], about["k1"], about["b"]) != (_VERSION, K1, B):
                raise RetrievalError(f"{folder.name}/{_INDEX} is of another version; prepare the data again")
            engine = BM25.load(folder, mmap=True, load_vocab=False, show_progress=False)
            terms, inputs = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_TERMS, _INPUTS))
            with (folder / _RECORDS).open(encoding="utf-8") as lines:
                records = [(row["id"], row["target"]) for row in map(json.loads, lines)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The error's own text may quote a line.
            raise RetrievalError(
                f"the index of similar reports in {folder.name} is missing or damaged ({type(error).__name__})"
            ) from None
        complete = len(records) == about["records"] == len(inputs) == engine.scores["num_docs"]
        if not complete or len(engine.scores["indptr"]) != len(terms) + 1:
            raise RetrievalError(f"the index of similar reports in {folder.name} is incomplete; prepare the data again")
        return cls(engine, terms, inputs, about["mean_length"], records)

    def similar(self, texts: Sequence[str], count: int) -> list[list[Similar]]:
        """For each text the `count` most similar records, most similar first; of equally similar ones the earlier.

        A record whose normalised input equals the text's is never among them, and neither is one that shares no term
        with it: so there may be fewer than `count`, or none.
        """
        return list(self.each_similar(texts, count))

    def each_similar(self, texts: Iterable[str], count: int) -> Iterator[list[Similar]]:
        """`similar` as a stream: memory does not grow with the number of texts."""
        if count < 1:
            raise ValueError(f"count must be >= 1, got {count}")
        stream = iter(texts)
        while block := list(itertools.islice(stream, _QUERIES_AT_A_TIME)):
            counts = csr_array(self._counter.transform(block))
            for number, text in enumerate(block):
                said = slice(counts.indptr[number], counts.indptr[number + 1])
                numbers, itself = self._asked(counts.indices[said], counts.data[said])
                others = self._inputs != np.uint64(_input_hash(text))
                scores = self._engine.get_scores_from_ids(numbers, weight_mask=others)
                yield [
                    Similar(record_id, min(1.0, float(scores[record]) / itself), target)
                    for record in _highest(scores, count)
                    for record_id, target in [self._records[record]]
                ]

    def _asked(self, hashes: NDArray[np.int32], times: FloatArray) -> tuple[NDArray[np.int64], float]:
        """Terms of one text with how often it says them -> numbers of those to ask for, and the text's own score."""
        places = np.searchsorted(self._terms, hashes)
        places[places == len(self._terms)] = 0
        known = self._terms[places] == hashes
        starts = self._engine.scores["indptr"]
        # A term that no record holds is the rarest, so that a text of unknown words is not similar to anything.
        held_by = np.where(known, starts[places + 1] - starts[places], 0)
        told = held_by <= max(len(self) * LARGEST_SHARE, FEWEST_LEFT_OUT)
        if known.any() and not (known & told).any():
            # A short normal text may say nothing but what everybody says: better that than nothing.
            told |= known & (held_by == held_by[known].min())
        rarity = np.log1p((len(self) - held_by + 0.5) / (held_by + 0.5))
        saturated = times / (times + K1 * (1 - B + B * times.sum() / self._mean_length))
        return places[known & told], float(rarity[told] @ saturated[told])


def term_counter(longest: int) -> HashingVectorizer:
    """Counts words and sequences of up to `longest` of them, by hashes: so no vocabulary is kept. One character is a
    word too, since sizes and levels are of one."""
    return HashingVectorizer(
        ngram_range=(1, longest),
        token_pattern=r"(?u)\b\w+\b",
        n_features=2**30,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )


def _input_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(normalise(text).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _highest(scores: FloatArray, count: int) -> list[int]:
    """Indices of the `count` highest values above 0, highest first, then by index."""
    # At least `count` values reach the `count`-th highest of the blocks' maxima, and few more do: ten times as fast as
    # partitioning all. bm25s's own selection leaves the order of equal values open.
    tops = np.maximum.reduceat(scores, np.arange(0, len(scores), _SCORES_IN_A_BLOCK))
    least = np.partition(tops, -count)[-count] if count < len(tops) else 0
    candidates = np.flatnonzero(scores >= max(least, np.finfo(np.float32).tiny))
    order = np.argsort(-scores[candidates], kind="stable")[:count]
    found: list[int] = candidates[order].tolist()
    return found
