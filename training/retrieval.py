"""Which training reports say what a text says: an index over training pairs, asked by the text of the input.

Ranked by Okapi BM25 (Robertson and Zaragoza 2009, k1 1.2, b 0.75) over words and word pairs. It asks how much of the
text a report says, and forgives what the report says beyond it; cosine of TF-IDF wants both alike, and so finds more
reports in which nothing was wrong (docs/quality-log.md has what was measured). scikit-learn counts, scipy multiplies.

    index = SimilarReports.build(read_split(folder))
    index.save(folder); SimilarReports.load(folder).similar(["The heart is enlarged."], count=15)

A saved index is arrays of numbers, which are mapped into memory when it is loaded, and `records.jsonl` with ids and
targets: the text of training records lies in it. Nothing of it is pickled.

Words and word pairs are known by a hash of 30 bits, so no vocabulary is kept: each of a million shares its hash with
another with a chance of a tenth of a percent. Those that more than a fifth of the records hold are left out:
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
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.feature_extraction.text import HashingVectorizer

from training.errors import RetrievalError
from training.records import normalise
from training.splits import Record

K1, B = 1.2, 0.75
# A term that more than this share of the records hold is left out, if they are more than FEWEST_LEFT_OUT.
LARGEST_SHARE, FEWEST_LEFT_OUT = 0.2, 1_000
_VERSION = 1
_RECORDS_AT_A_TIME = 4_000
_QUERIES_AT_A_TIME = 256

_INDEX, _RECORDS = "index.json", "records.jsonl"

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Similar:
    """A training record. `similarity` in (0, 1]: its BM25 score for the text, over the text's own score for itself."""

    id: str
    similarity: float
    target: str


@dataclass(frozen=True)
class _Postings:
    """Which records hold a term, and how much that counts. Rows of terms are in the order of their hashes.

    `terms` (terms,) hashes, rising; `rarity` (terms,) inverse document frequencies, 0 for a term that is left out;
    `starts` (terms + 1,) where a term's entries begin; `holders` (entries,) record numbers; `weights` (entries,) what
    the term adds to a record's score; `inputs` (records,) hashes of the normalised inputs.
    """

    terms: NDArray[np.int32]
    rarity: FloatArray
    starts: NDArray[np.int64]
    holders: NDArray[np.int32]
    weights: FloatArray
    inputs: NDArray[np.uint64]


class SimilarReports:
    """The index. It may be asked from several processes, each of which loads it."""

    def __init__(self, postings: _Postings, mean_length: float, ids: Sequence[str], targets: Sequence[str]) -> None:
        self._postings = postings
        self._mean_length = mean_length
        self._ids = ids
        self._targets = targets
        self._counter = _term_counter()
        shape = (len(postings.terms), len(ids))
        self._matrix = csr_array((postings.weights, postings.holders, postings.starts), shape=shape, copy=False)

    def __len__(self) -> int:
        return len(self._ids)

    @classmethod
    def build(cls, records: Iterable[Record]) -> Self:
        """Learn from a stream of records; it is read once.

        Raises:
            RetrievalError: there is no record, or none whose input holds a word.
        """
        ids, targets, inputs, blocks = [], [], [], []
        counter, stream = _term_counter(), iter(records)
        while block := list(itertools.islice(stream, _RECORDS_AT_A_TIME)):
            ids += [record.id for record in block]
            targets += [record.target for record in block]
            inputs += [_input_hash(record.input) for record in block]
            blocks.append(counter.transform(record.input for record in block))
        if not any(block.nnz for block in blocks):
            raise RetrievalError("no training input holds a word: similar reports need at least one")
        counts = csr_array(vstack(blocks, format="csr"))
        blocks.clear()
        postings, mean_length = _weigh(counts, np.array(inputs, dtype=np.uint64))
        return cls(postings, mean_length, ids, targets)

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, which is created. Holds ids and targets as plain text."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in vars(self._postings).items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        with (folder / _RECORDS).open("w", encoding="utf-8") as lines:
            for record_id, target in zip(self._ids, self._targets, strict=True):
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
            postings = _Postings(
                **{
                    name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                    for name in _Postings.__dataclass_fields__
                }
            )
            with (folder / _RECORDS).open(encoding="utf-8") as lines:
                records = [json.loads(line) for line in lines]
            ids, targets = [row["id"] for row in records], [row["target"] for row in records]
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The error's own text may quote a line.
            raise RetrievalError(
                f"the index of similar reports in {folder.name} is missing or damaged ({type(error).__name__})"
            ) from None
        if not len(ids) == about["records"] == len(postings.inputs):
            raise RetrievalError(f"the index of similar reports in {folder.name} is incomplete; prepare the data again")
        return cls(postings, about["mean_length"], ids, targets)

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
                first, last = counts.indptr[number], counts.indptr[number + 1]
                scores, itself = self._scores(counts.indices[first:last], counts.data[first:last])
                scores[self._postings.inputs == np.uint64(_input_hash(text))] = 0
                yield [
                    Similar(self._ids[record], min(1.0, float(scores[record]) / itself), self._targets[record])
                    for record in _highest(scores, count)
                ]

    def _scores(self, hashes: NDArray[np.int32], times: FloatArray) -> tuple[FloatArray, float]:
        """Terms of one text with how often it says them -> BM25 scores (records,), and the text's for itself."""
        places = np.searchsorted(self._postings.terms, hashes)
        known = places < len(self._postings.terms)
        known[known] = self._postings.terms[places[known]] == hashes[known]
        # A term that no record holds is the rarest, so that a text of unknown words is not similar to anything.
        rarity = np.full(len(hashes), _rarity(np.zeros(1), len(self))[0], dtype=np.float32)
        rarity[known] = self._postings.rarity[places[known]]
        itself = float(rarity @ _saturated(times, np.full(len(times), times.sum()), self._mean_length))
        rows = np.sort(places[known])
        scores: FloatArray = np.ones(len(rows), dtype=np.float32) @ self._matrix[rows]
        return scores, itself


def _term_counter() -> HashingVectorizer:
    """Counts words and word pairs: one character is a word too, since sizes and levels are of one."""
    return HashingVectorizer(
        ngram_range=(1, 2),
        token_pattern=r"(?u)\b\w+\b",
        n_features=2**30,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )


def _input_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(normalise(text).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _weigh(counts: csr_array, inputs: NDArray[np.uint64]) -> tuple[_Postings, float]:
    """Counts (records, hashes) -> the postings by term, and the mean length of an input in terms."""
    records = counts.shape[0]
    lengths = np.add.reduceat(np.append(counts.data, 0), counts.indptr[:-1])
    lengths[np.diff(counts.indptr) == 0] = 0
    mean_length = float(lengths.mean())
    terms, columns = np.unique(counts.indices, return_inverse=True)
    by_term = csr_array((counts.data, columns.astype(np.int32), counts.indptr), shape=(records, len(terms))).tocsc()
    held_by = np.diff(by_term.indptr)
    rarity = _rarity(held_by, records)
    rarity[held_by > max(records * LARGEST_SHARE, FEWEST_LEFT_OUT)] = 0
    kept = np.repeat(rarity > 0, held_by)
    weights = _saturated(by_term.data, lengths[by_term.indices], mean_length) * np.repeat(rarity, held_by)
    starts = np.concatenate([[0], np.cumsum(np.where(rarity > 0, held_by, 0))])
    postings = _Postings(terms, rarity, starts, by_term.indices[kept], weights[kept].astype(np.float32), inputs)
    return postings, mean_length


def _rarity(held_by: NDArray[Any], records: int) -> FloatArray:
    """Inverse document frequency of terms that `held_by` of `records` hold; above 0, as Lucene has it."""
    return np.log1p((records - held_by + 0.5) / (held_by + 0.5)).astype(np.float32)


def _saturated(times: NDArray[Any], lengths: NDArray[Any], mean_length: float) -> NDArray[Any]:
    """BM25's term frequency: said twice counts less than twice, the less the longer the text is."""
    return times * (K1 + 1) / (times + K1 * (1 - B + B * lengths / mean_length))


def _highest(scores: FloatArray, count: int) -> list[int]:
    """Indices of the `count` highest values above 0, highest first, then by index."""
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        candidates = np.flatnonzero(scores >= max(least, np.finfo(np.float32).tiny))
    else:
        candidates = np.flatnonzero(scores > 0)
    order = np.argsort(-scores[candidates], kind="stable")[:count]
    found: list[int] = candidates[order].tolist()
    return found
