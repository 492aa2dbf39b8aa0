"""Which words an answer will hold, by the words of its input: learnt from all training pairs at once.

Similar reports say what was written of the few that are most alike. This says what the whole of the training data has
to say about each word: that "nodule" in the findings is followed by "nodule" in the impression, and "normal" by
"no acute disease", whatever else the reports have in common. It is ridge regression in a kernel (Saunders et al. 1998):
from TF-IDF of an input's words, word pairs and triples to which stems and pairs of neighbouring stems its answer holds.
With more distinct inputs than LANDMARKS it is solved in the space of those (Williams and Seeger 2001), so its size and
a question's time have a bound.

    expected = ExpectedWords.learn(records); expected.save(folder)
    expectation = ExpectedWords.load(folder).of(["The heart is enlarged."])[0]
    expectation.agreement("Cardiomegaly.")

A saved one holds words of training targets as plain text, and nothing that is pickled.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve, solve_triangular
from scipy.sparse import csr_array
from sklearn.preprocessing import normalize

from training.errors import RetrievalError
from training.records import normalise
from training.retrieval import term_counter
from training.rouge_l import stems
from training.splits import Record, draw_records

RECORDS, LANDMARKS = 20_000, 3_000
# In how many answers a word or pair must stand to be learnt, and how many are, the most frequent ones.
FEWEST_WORD, FEWEST_PAIR, MOST = 3, 4, 2_000
# A term is a word, or up to three in a row: whole sentences of findings come again and again.
LONGEST_TERM = 3
# An input's term must stand in two inputs to say anything.
FEWEST_TERM = 2
RIDGE = 0.4
# Keeps the equations solvable where landmarks are all but equal.
_JITTER = 1e-3
_AT_A_TIME = 1_000
_ARRAYS, _VOCABULARY = "expected_words.npz", "expected_words.json"

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    """Stems and pairs of stems, each with its place in a row of expectations: first the words, then the pairs."""

    words: dict[str, int]
    pairs: dict[tuple[str, str], int]

    @classmethod
    def of(cls, words: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Self:
        places = {word: place for place, word in enumerate(words)}
        return cls(places, {pair: len(places) + place for place, pair in enumerate(pairs)})


@dataclass(frozen=True, eq=False)
class Expectation:
    """Of one input: `likely` (words + pairs,) is how likely the answer holds each of `vocabulary`, in [0, 1].

    An array and not a mapping, since many inputs are asked about at once.
    """

    likely: FloatArray
    vocabulary: Vocabulary

    def agreement(self, answer: str) -> tuple[float, float]:
        """Expected F1 in [0, 1] of an answer's different words, and of its different word pairs."""
        of_stems = stems(answer)
        words, pairs = self.vocabulary.words, self.vocabulary.pairs
        return (
            self._expected_f1(set(of_stems), words, self.likely[: len(words)]),
            self._expected_f1(set(_pairs(of_stems)), pairs, self.likely[len(words) :]),
        )

    def _expected_f1(self, things: set[Any], places: dict[Any, int], likely: FloatArray) -> float:
        """`likely` are those of `places`, whose sum is how many the answer is expected to hold."""
        if not things:
            return 0.0
        common = float(sum(self.likely[places[thing]] for thing in things if thing in places))
        return 2 * common / (len(things) + max(float(likely.sum()), 1.0))


class ExpectedWords:
    """The regression. `terms` (terms,) hashes, rising, with `rarity` (terms,); `landmarks` (landmarks, terms) TF-IDF of
    unit length; `answers` (landmarks, words + pairs) coefficients; `mean` (words + pairs,) their share of answers."""

    def __init__(
        self,
        *,
        terms: NDArray[np.int32],
        rarity: FloatArray,
        landmarks: csr_array,
        answers: FloatArray,
        mean: FloatArray,
        vocabulary: Vocabulary,
    ) -> None:
        self._terms = terms
        self._rarity = rarity
        self._landmarks = landmarks
        self._answers = answers
        self._mean = mean
        self._vocabulary = vocabulary
        self._counter = term_counter(LONGEST_TERM)

    @classmethod
    def learn(cls, records: Iterable[Record]) -> Self:
        """Learn from a stream of records, at most RECORDS of them.

        Raises:
            RetrievalError: there is no record.
        """
        some = draw_records(records, RECORDS)
        if not some:
            raise RetrievalError("no training record to learn the words of answers from")
        answers = [stems(record.target) for record in some]
        vocabulary = Vocabulary.of(
            _frequent((set(words) for words in answers), FEWEST_WORD),
            _frequent((set(_pairs(words)) for words in answers), FEWEST_PAIR),
        )
        counts = csr_array(term_counter(LONGEST_TERM).transform(record.input for record in some))
        terms, columns, held_by = np.unique(counts.indices, return_inverse=True, return_counts=True)
        # Raising the smallest count by one, as scikit-learn does, keeps what stands in every input above zero.
        rarity = (np.log((1 + len(some)) / (1 + held_by)) + 1).astype(np.float32)
        rarity[held_by < FEWEST_TERM] = 0
        rows = _weighted(counts.data, columns, counts.indptr, rarity)
        landmarks = csr_array(rows[_of_different_inputs(some)])
        coefficients, mean = _ridge(rows, landmarks, _holds(answers, vocabulary))
        return cls(
            terms=terms.astype(np.int32),
            rarity=rarity,
            landmarks=landmarks,
            answers=coefficients,
            mean=mean,
            vocabulary=vocabulary,
        )

    def of(self, texts: Sequence[str]) -> list[Expectation]:
        """What to expect of the answer to each text."""
        counts = csr_array(self._counter.transform(texts))
        places = np.searchsorted(self._terms, counts.indices).clip(max=len(self._terms) - 1)
        times = np.where(self._terms[places] == counts.indices, counts.data, 0)
        rows = _weighted(times, places, counts.indptr, self._rarity)
        likely = np.clip(_kernel(rows, self._landmarks) @ self._answers + self._mean, 0, 1)
        return [Expectation(row, self._vocabulary) for row in likely]

    def save(self, folder: Path) -> None:
        """Write it into `folder`, which is created."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            folder / _ARRAYS,
            terms=self._terms,
            rarity=self._rarity,
            answers=self._answers,
            mean=self._mean,
            weights=self._landmarks.data,
            columns=self._landmarks.indices,
            starts=self._landmarks.indptr,
        )
        vocabulary = {"words": list(self._vocabulary.words), "pairs": list(self._vocabulary.pairs)}
        (folder / _VOCABULARY).write_text(json.dumps(vocabulary) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            RetrievalError: it is missing or damaged.
        """
        try:
            vocabulary = json.loads((folder / _VOCABULARY).read_text(encoding="utf-8"))
            with np.load(folder / _ARRAYS, allow_pickle=False) as saved:
                arrays = dict(saved)
            shape = (len(arrays["answers"]), len(arrays["terms"]))
            landmarks = csr_array((arrays["weights"], arrays["columns"], arrays["starts"]), shape=shape)
            return cls(
                terms=arrays["terms"],
                rarity=arrays["rarity"],
                landmarks=landmarks,
                answers=arrays["answers"],
                mean=arrays["mean"],
                vocabulary=Vocabulary.of(
                    vocabulary["words"], [(first, second) for first, second in vocabulary["pairs"]]
                ),
            )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            # The error's own text may quote what it read.
            raise RetrievalError(
                f"the expected words in {folder.name} are missing or damaged ({type(error).__name__})"
            ) from None


def _weighted(times: NDArray[Any], columns: NDArray[Any], starts: NDArray[Any], rarity: FloatArray) -> csr_array:
    """How often each text says each term -> TF-IDF (texts, terms) of unit length; said twice counts less than twice."""
    weights = np.log1p(np.maximum(times, 1) - 1) + 1
    values = (np.where(times > 0, weights, 0) * rarity[columns]).astype(np.float32)
    rows = csr_array((values, columns, starts), shape=(len(starts) - 1, len(rarity)))
    rows.eliminate_zeros()
    return csr_array(normalize(rows))


def _kernel(rows: csr_array, landmarks: csr_array) -> FloatArray:
    product: FloatArray = (rows @ landmarks.T).toarray()
    return product


def _of_different_inputs(records: Sequence[Record]) -> list[int]:
    """Numbers of at most LANDMARKS records of different inputs, spread over all."""
    first: dict[str, int] = {}
    for number, record in enumerate(records):
        first.setdefault(normalise(record.input), number)
    numbers = list(first.values())
    count = min(LANDMARKS, len(numbers))
    return [numbers[number * len(numbers) // count] for number in range(count)]


def _ridge(rows: csr_array, landmarks: csr_array, held: csr_array) -> tuple[FloatArray, FloatArray]:
    """Coefficients (landmarks, held things) and the mean of what is held: minimises |K A - held + mean|^2 + RIDGE
    A' L A, with K the products of all rows with the landmarks, and L those of the landmarks among themselves."""
    mean = np.asarray(held.mean(axis=0), dtype=np.float32).ravel()
    among = _kernel(landmarks, landmarks).astype(np.float64)
    among[np.diag_indices_from(among)] += _JITTER
    # In the space in which L is the identity; solved as they stand the equations lose all their digits.
    root = cholesky(among, lower=True, overwrite_a=True)
    squares = RIDGE * np.identity(landmarks.shape[0])
    products = np.zeros((landmarks.shape[0], held.shape[1]))
    for start in range(0, rows.shape[0], _AT_A_TIME):
        block = solve_triangular(root, _kernel(rows[start : start + _AT_A_TIME], landmarks).T, lower=True)
        squares += block @ block.T
        products += block @ (held[start : start + _AT_A_TIME].toarray() - mean)
    coefficients = solve(squares, products, assume_a="pos", overwrite_a=True, overwrite_b=True)
    return solve_triangular(root, coefficients, lower=True, trans="T").astype(np.float32), mean


def _pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of neighbouring stems; the empty one stands before the first and behind the last."""
    return list(pairwise(("", *words, "")))


def _frequent(sets: Iterable[set[Any]], fewest: int) -> list[Any]:
    counts = Counter(thing for some in sets for thing in some)
    often = sorted((-count, thing) for thing, count in counts.items() if count >= fewest)
    return [thing for _, thing in often[:MOST]]


def _holds(answers: Sequence[tuple[str, ...]], vocabulary: Vocabulary) -> csr_array:
    """(answers, words + pairs) 1 where an answer holds one."""
    places: dict[Any, int] = {**vocabulary.words, **vocabulary.pairs}
    held = [sorted(places[thing] for thing in {*some, *_pairs(some)} if thing in places) for some in answers]
    starts = np.cumsum([0, *(len(some) for some in held)])
    columns = np.array([place for some in held for place in some], dtype=np.int32)
    shape = (len(answers), len(places))
    return csr_array((np.ones(len(columns), dtype=np.float32), columns, starts), shape=shape)
