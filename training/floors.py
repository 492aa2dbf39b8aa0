"""Two trivial answers that every score stands beside: a model that does not beat them has learnt little.

- constant: the commonest training target, whatever is asked.
- nearest: the target of the training record whose input is most similar to what is asked (TF-IDF of words and word
  pairs, sublinear term frequency, cosine).

Memory: the training inputs' sparse matrix plus one block of queries; it does not grow with the number of queries.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from training.errors import EvaluationError
from training.records import normalise

# A block of similarities is this many rows of one float32 a training record: 91 MB for 90,000 records.
_QUERIES_AT_A_TIME = 256
_TRAINING_AT_A_TIME = 100_000


def most_frequent_target(targets: Sequence[str]) -> str:
    """The commonest target, letter case and white space aside, in its commonest spelling; ties by text order.

    Raises:
        EvaluationError: there are no training targets.
    """
    if not targets:
        raise EvaluationError("the training split holds no records: the floors need at least one")
    spellings = Counter(targets)
    forms: Counter[str] = Counter()
    for text, count in spellings.items():
        forms[normalise(text)] += count
    commonest = _first_of_commonest(forms)
    return _first_of_commonest({text: n for text, n in spellings.items() if normalise(text) == commonest})


class NearestReport:
    """Answers with the target of the most similar training input.

    Among equally similar ones the first in training order answers. An input that shares no word with any training
    input is answered by `otherwise`.
    """

    def __init__(self, inputs: Iterable[str], targets: Sequence[str], otherwise: str) -> None:
        """`inputs` may be a stream; it is read once and must be as long as `targets`.

        Raises:
            EvaluationError: no training input holds a word, or the two differ in number.
        """
        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, token_pattern=r"(?u)\b\w+\b"
        )
        try:
            matrix: csr_matrix = self._vectorizer.fit_transform(inputs)
        except ValueError as error:
            # scikit-learn's own message ("empty vocabulary") quotes no text.
            raise EvaluationError("no training input holds a word: the nearest-report floor needs one") from error
        if matrix.shape[0] != len(targets):
            raise EvaluationError(f"{matrix.shape[0]} training inputs but {len(targets)} targets")
        blocks = range(0, matrix.shape[0], _TRAINING_AT_A_TIME)
        self._blocks = [(first, matrix[first : first + _TRAINING_AT_A_TIME].T.tocsr()) for first in blocks]
        self._targets = targets
        self._otherwise = otherwise

    def answers(self, inputs: Sequence[str]) -> Iterator[str]:
        """One answer an input, in order."""
        for first in range(0, len(inputs), _QUERIES_AT_A_TIME):
            queries = self._vectorizer.transform(inputs[first : first + _QUERIES_AT_A_TIME])
            for record in self._nearest(queries):
                yield self._otherwise if record is None else self._targets[record]

    def _nearest(self, queries: csr_matrix) -> list[int | None]:
        """Rows (queries, terms) -> index of the most similar training record each, None where nothing is shared."""
        best = np.zeros(queries.shape[0], dtype=np.float32)
        nearest: list[int | None] = [None] * queries.shape[0]
        for first, block in self._blocks:
            similarity = (queries @ block).toarray()
            columns = similarity.argmax(axis=1)
            for query, column in enumerate(columns):
                if similarity[query, column] > best[query]:
                    best[query] = similarity[query, column]
                    nearest[query] = first + int(column)
        return nearest


def _first_of_commonest(counts: dict[str, int]) -> str:
    return min(counts, key=lambda text: (-counts[text], text))
