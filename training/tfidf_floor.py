"""The floor of a classifier: logistic regression on TF-IDF of words, word pairs and pieces of words.

It trains in seconds and knows no meaning, so a fine-tuned model that does not beat it, trained on the same records and
tested on the same, has not been worth its cost. Its threshold is chosen on the validation records as the model's is.

Terms are known by their hash (2**18 of each kind), so no vocabulary is kept. Training reads at most MAX_CHARACTERS in
all, of texts drawn by their hash: about 80,000 sentences, half a minute and 1.6 GB. Of each text it reads the first
TEXT_CHARACTERS. `left_out` and `cut_off` say how many texts that concerned.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from training.classification_metrics import choose_threshold
from training.errors import EvaluationError
from training.statistics import BoolArray, FloatArray

MAX_CHARACTERS = 10_000_000
TEXT_CHARACTERS = 10_000
_TEXTS_AT_A_TIME = 1_000
# Words and word pairs; pieces of 2 to 5 characters within words, which know "-itis" and forgive spelling.
_TERMS = (("word", (1, 2)), ("char_wb", (2, 5)))
_COLUMNS = 2**18
# How little large weights are penalised; on held-out articles 1, 10 and 100 differed by .01 of average precision.
_INVERSE_PENALTY = 10.0


class TfidfFloor:
    """A trained floor. `threshold` is where its probabilities become the positive label."""

    def __init__(self, texts: Sequence[str], truth: BoolArray) -> None:
        """Train on `texts` and whether each is positive (texts,).

        Raises:
            EvaluationError: there are no texts of one class.
        """
        chosen = _within_budget(texts)
        if not truth[chosen].any() or truth[chosen].all():
            raise EvaluationError("the TF-IDF floor needs training texts of both labels")
        self.threshold = 0.5
        self.left_out = len(texts) - len(chosen)
        self.cut_off = sum(len(texts[place]) > TEXT_CHARACTERS for place in chosen)
        self._counters = [
            HashingVectorizer(analyzer=kind, ngram_range=sizes, n_features=_COLUMNS, norm=None, alternate_sign=False)
            for kind, sizes in _TERMS
        ]
        self._weights = [TfidfTransformer(sublinear_tf=True) for _ in _TERMS]
        features = []
        for number, weigh in enumerate(self._weights):
            counts = self._count(number, [texts[place] for place in chosen])
            features.append(weigh.fit(counts).transform(counts, copy=False))
        self._model = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear", max_iter=200, random_state=1)
        self._model.fit(hstack(features, "csr"), truth[chosen])

    def choose_threshold(self, texts: Sequence[str], truth: BoolArray) -> None:
        """Set `threshold` by validation texts.

        Raises:
            ValueError: none of them is positive.
        """
        self.threshold = choose_threshold(truth, self.probabilities(texts))

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """The probability of the positive class for each text (texts,)."""
        parts = [np.empty(0)]
        for start in range(0, len(texts), _TEXTS_AT_A_TIME):
            some = texts[start : start + _TEXTS_AT_A_TIME]
            features = [weigh.transform(self._count(number, some)) for number, weigh in enumerate(self._weights)]
            parts.append(self._model.predict_proba(hstack(features, "csr"))[:, 1])
        return np.concatenate(parts)

    def _count(self, number: int, texts: Sequence[str]) -> csr_matrix:
        return self._counters[number].transform(text[:TEXT_CHARACTERS] for text in texts)


def _within_budget(texts: Sequence[str]) -> list[int]:
    """Places of texts that together hold at most MAX_CHARACTERS, in the order in which they came."""
    lengths = np.array([min(len(text), TEXT_CHARACTERS) for text in texts], dtype=np.int64)
    if lengths.sum() <= MAX_CHARACTERS:
        return list(range(len(texts)))
    order = sorted(range(len(texts)), key=lambda place: hashlib.sha256(texts[place].encode()).digest())
    kept = int(np.searchsorted(np.cumsum(lengths[order]), MAX_CHARACTERS, side="right"))
    return sorted(order[:kept])
