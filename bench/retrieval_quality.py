"""How good the nearest report's impression and the consensus are on real reports, by way of searching and settings.

    python3 -m bench.retrieval_quality --data .local/data                       # nine folds within the training reports
    python3 -m bench.retrieval_quality --data .local/data --test                # the test reports, to report at the end
    python3 -m bench.retrieval_quality --data .local/data --encoder DIR         # with a MiniLM in DIR, and mixtures

Reads the Open-i reports through local/open_i.py, downloading them if they are not in `--data`. A report is of the fold
that MD5 of its normalised findings gives it, modulo 10: fold 0 is the test split (355 reports), the others are training
(3,064). Settings are chosen on folds 1 to 9, each answered by the eight others. Prints figures only:
ROUGE-L x 100 of all and of abnormal reports, the share of abnormal reports answered as normal, and different answers.
"""

import argparse
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from local.open_i import read_reports
from training.minimum_bayes_risk import choose
from training.records import Record, normalise
from training.report_text import reads_as_normal
from training.retrieval import SimilarReports
from training.rouge_l import rouge_l
from training.splits import Record as Pair

FOLDS = 10
COUNTS, POWERS = (15, 20), (3, 4, 5)
_MOST = max(COUNTS)

# Training pairs and texts -> similarity (texts, pairs) in [0, 1].
Search = Callable[[Sequence[Pair], Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True)
class Question:
    """A report and what was found for it: targets of the most similar reports, with their similarity."""

    report: Record
    targets: list[str]
    similarity: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--encoder", type=Path)
    arguments = parser.parse_args()
    reports = read_reports(arguments.data)
    searches: dict[str, Search] = {"BM25": bm25, "TF-IDF": tfidf()}
    if not arguments.test:
        searches |= {
            "TF-IDF, words only": tfidf(ngram_range=(1, 1)),
            "TF-IDF, up to 3 words": tfidf(ngram_range=(1, 3)),
            "TF-IDF, no term in over half": tfidf(max_df=0.5),
            "TF-IDF, plain counts": tfidf(sublinear_tf=False),
            "0.5 BM25 + 0.5 TF-IDF": mixture((0.5, bm25), (0.5, tfidf())),
        }
    if arguments.encoder:
        encoder = Encoder(arguments.encoder)
        searches |= {"MiniLM": encoder.search, "0.8 BM25 + 0.2 MiniLM": mixture((0.8, bm25), (0.2, encoder.search))}
    for name, search in searches.items():
        started = time.perf_counter()
        folds = [0] if arguments.test else range(1, FOLDS)
        questions = [question for fold in folds for question in ask(reports, fold, search)]
        print(f"{name} ({time.perf_counter() - started:.0f} s to search)")
        report("nearest", questions, [question.targets[0] for question in questions])
        for count, power in itertools.product(COUNTS, POWERS):
            answers = [consensus(question, count, power) for question in questions]
            report(f"consensus of {count}, power {power}", questions, answers)


def ask(reports: Sequence[Record], fold: int, search: Search) -> Iterator[Question]:
    """The reports of a fold with what the training reports of all other folds say; fold 0 is only ever asked."""
    asked = [report for report in reports if fold_of(report) == fold]
    others = [report for report in reports if fold_of(report) not in (0, fold)]
    training = [Pair(str(number), report.input, report.target) for number, report in enumerate(others)]
    for record, similarity in zip(asked, search(training, [record.input for record in asked]), strict=True):
        order = np.argsort(-similarity, kind="stable")[:_MOST]
        yield Question(record, [training[i].target for i in order], similarity[order].tolist())


def fold_of(report: Record) -> int:
    return int(hashlib.md5(normalise(report.input).encode()).hexdigest(), 16) % FOLDS


def consensus(question: Question, count: int, power: int) -> str:
    targets = question.targets[:count]
    weights = [max(similarity, 1e-6) ** power for similarity in question.similarity[:count]]
    return targets[choose(targets, targets, weights)]


def report(name: str, questions: Sequence[Question], answers: Sequence[str]) -> None:
    references = [question.report.target for question in questions]
    scores = np.array([rouge_l(answer, reference) for answer, reference in zip(answers, references, strict=True)])
    normal = [question.report.normal for question in questions]
    says_normal = np.array([reads_as_normal(reference) for reference in references])
    abnormal = np.array(
        [not says if label is None else not label for label, says in zip(normal, says_normal, strict=True)]
    )
    answered_normal = np.array([reads_as_normal(answer) for answer in answers])
    print(
        f"  {name:28} {100 * scores.mean():.2f} / {100 * scores[abnormal].mean():.2f}, as normal "
        f"{100 * answered_normal[abnormal & ~says_normal].mean():.1f} %, {len(set(answers))} different answers",
        flush=True,
    )


def bm25(training: Sequence[Pair], texts: Sequence[str]) -> NDArray[np.float64]:
    """What the project uses."""
    similarity = np.zeros((len(texts), len(training)))
    for row, similar in zip(similarity, SimilarReports.build(training).similar(texts, len(training)), strict=True):
        row[[int(found.id) for found in similar]] = [found.similarity for found in similar]
    return similarity


def tfidf(**changed: object) -> Search:
    """Cosine of TF-IDF of words and word pairs, by default."""
    settings = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": r"(?u)\b\w+\b"} | changed

    def search(training: Sequence[Pair], texts: Sequence[str]) -> NDArray[np.float64]:
        vectorizer = TfidfVectorizer(**settings)
        matrix = vectorizer.fit_transform([pair.input for pair in training])
        return (vectorizer.transform(texts) @ matrix.T).toarray()

    return search


def mixture(*parts: tuple[float, Search]) -> Search:
    def search(training: Sequence[Pair], texts: Sequence[str]) -> NDArray[np.float64]:
        return np.sum([share * part(training, texts) for share, part in parts], axis=0)

    return search


class Encoder:
    """Cosine of mean-pooled embeddings of a sentence encoder such as all-MiniLM-L6-v2, each text encoded once."""

    def __init__(self, folder: Path) -> None:
        # Only this trial needs them.
        import torch
        from transformers import AutoModel, AutoTokenizer

        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder).eval()
        self._known: dict[str, NDArray[np.float32]] = {}

    def search(self, training: Sequence[Pair], texts: Sequence[str]) -> NDArray[np.float64]:
        ours, theirs = ([self._embed(text) for text in side] for side in (texts, [pair.input for pair in training]))
        return np.clip(np.array(ours) @ np.array(theirs).T, 0, 1).astype(np.float64)

    def _embed(self, text: str) -> NDArray[np.float32]:
        if text not in self._known:
            with self._torch.inference_mode():
                words = self._tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
                mean = self._model(**words).last_hidden_state[0].mean(dim=0)
                self._known[text] = (mean / mean.norm()).numpy()
        return self._known[text]


if __name__ == "__main__":
    main()
