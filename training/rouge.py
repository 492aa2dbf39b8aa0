"""ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum F1 (Lin 2004), by the `rouge-score` package with Porter stemming.

Every F1 is in [0, 1]. What a reader must know of the metric as `rouge-score` computes it: text is lower-cased and
everything but `a-z0-9` separates words, so `___` disappears and `3.5cm` becomes `3` and `5cm`; only words of more than
three characters are stemmed. ROUGE-Lsum takes each line as a sentence, so sentences are put on lines of their own
first: without that it would equal ROUGE-L.
"""

import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from nltk.stem.porter import PorterStemmer
from numpy.typing import NDArray
from rouge_score import rouge_scorer, tokenize, tokenizers

from training.report_text import sentences
from training.table_schemas import ROUGE_METRICS

FloatArray = NDArray[np.float64]

# The column of ROUGE-L, the metric by which models are compared.
ROUGE_L = ROUGE_METRICS.index("rougeL")

# Fewer different pairs than this are scored here: starting other processes costs about as much time as they would save.
PAIRS_WORTH_PROCESSES = 20_000
_PAIRS_A_MESSAGE = 500


class RougeF1(NamedTuple):
    """F1 in [0, 1]: the values of ROUGE_METRICS in their order, under the names of their columns in `predictions`."""

    rouge1: float
    rouge2: float
    rouge_l: float
    rouge_lsum: float


def rouge_f1(prediction: str, reference: str) -> RougeF1:
    """Score one prediction against its reference. A text without any word scores 0."""
    words = _scorer(("rouge1", "rouge2", "rougeL")).score(reference, prediction)
    lines = _scorer(("rougeLsum",)).score(_sentence_lines(reference), _sentence_lines(prediction))
    scores = {**words, **lines}
    return RougeF1(*(float(scores[metric].fmeasure) for metric in ROUGE_METRICS))


def rouge_scores(pairs: Sequence[tuple[str, str]], workers: int = 1) -> FloatArray:
    """Score many (prediction, reference) pairs: an array (pairs, 4), columns as in `RougeF1`.

    Pairs that are equal are scored once. With `workers` > 1, many pairs are shared between that many processes; the
    result does not depend on it.
    """
    rows: dict[tuple[str, str], int] = {}
    row_of_pair = [rows.setdefault(pair, len(rows)) for pair in pairs]
    scored = np.array(list(_score_each(list(rows), workers)), dtype=np.float64).reshape(-1, len(RougeF1._fields))
    return scored[row_of_pair]


def _score_each(pairs: list[tuple[str, str]], workers: int) -> Iterator[RougeF1]:
    if workers == 1 or len(pairs) < PAIRS_WORTH_PROCESSES:
        yield from map(_score_pair, pairs)
        return
    # Not by fork: the numerical libraries of this process may have started threads, which a fork would lose.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_score_pair, pairs, chunksize=_PAIRS_A_MESSAGE)


def _score_pair(pair: tuple[str, str]) -> RougeF1:
    return rouge_f1(*pair)


@functools.lru_cache(maxsize=4096)
def _sentence_lines(text: str) -> str:
    return "\n".join(" ".join(sentence.split()) for sentence in sentences(text))


class _Tokenizer(tokenizers.Tokenizer):
    """`rouge-score`'s own tokenizer, remembering each word's stem: stemming is two thirds of the time otherwise."""

    def __init__(self) -> None:
        self.stem = functools.lru_cache(maxsize=200_000)(PorterStemmer().stem)

    def tokenize(self, text: str) -> list[str]:
        words: list[str] = tokenize.tokenize(text, self)
        return words


@functools.cache
def _tokenizer() -> _Tokenizer:
    return _Tokenizer()


@functools.cache
def _scorer(metrics: tuple[str, ...]) -> rouge_scorer.RougeScorer:
    return rouge_scorer.RougeScorer(list(metrics), tokenizer=_tokenizer())
