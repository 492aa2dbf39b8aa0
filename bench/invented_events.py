"""How hard the invented adverse events are, for models that see words only and for those that see more.

    python3 -m bench.invented_events                        # 12,000 texts, about three minutes on one core
    python3 -m bench.invented_events --count 4000 --seed 3

Each model is a logistic regression on TF-IDF features, its threshold the best on a fifth of the training texts. Five
folds at random, by source (no article on two sides) and by family of templates (no situation on two sides, told or
denied). Prints figures only: F1 of `Adverse_Event` in [0, 1], mean and range of the folds, what single words and the
form of a text give away, and how many texts differ.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from local.invented.adverse_events import EVENT, EventText, drawn_events, invented_events

_FOLDS = 5
_MODELS: dict[str, list[dict[str, object]]] = {
    "words": [{"analyzer": "word", "ngram_range": (1, 1)}],
    "words up to 3": [{"analyzer": "word", "ngram_range": (1, 3), "token_pattern": r"(?u)\b\w+\b"}],
    "words and characters": [
        {"analyzer": "word", "ngram_range": (1, 2)},
        {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2},
    ],
}
_SPLITS = ("random", "source", "family")
_FORM = ("words", "characters", "commas", "stops", "colons", "capitals", "digits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    texts = invented_events(arguments.count, arguments.seed)
    describe(texts)
    drawn = [text.text.lower() for text in drawn_events(arguments.count, arguments.seed)]
    print(f"distinct among drawn: {len(set(drawn)) / len(drawn):.4f}")
    for line in (*single_words(texts), *form(texts)):
        print(line)
    for split in _SPLITS:
        for model, features in _MODELS.items():
            scores = f1(texts, split, features)
            print(f"F1, {split}, {model}: {mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})")


def describe(texts: Sequence[EventText]) -> None:
    """Print counts, lengths in words and the size of the vocabulary."""
    labels = [text.label == EVENT for text in texts]
    sources: dict[str, set[str]] = {}
    for text in texts:
        sources.setdefault(text.source, set()).add(text.label)
    both = mean(len(found) == 2 for found in sources.values())
    words = Counter(word for text in texts for word in re.findall(r"[a-z']+", text.text.lower()))
    deciles = np.quantile([len(text.text.split()) for text in texts], np.arange(0.1, 1, 0.2)).round().astype(int)
    print(f"{len(texts)} texts, {mean(labels):.3f} events, {len(sources)} sources, {both:.2f} of them with both labels")
    print(f"{len(words)} words, {len({text.template for text in texts})} templates; lengths {deciles.tolist()} words")
    hard = [bool(text.drugs and text.effects) for text in texts if text.label != EVENT]
    print(f"texts without event that name a drug and an effect: {mean(hard):.3f}")


def single_words(texts: Sequence[EventText]) -> Iterator[str]:
    """The best F1 of a rule "holds this word", over all words, and always saying yes, for comparison."""
    with_word: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for text in texts:
        words = set(re.findall(r"\w+", text.text.lower()))
        with_word.update(words)
        if text.label == EVENT:
            events.update(words)
    total = sum(text.label == EVENT for text in texts)
    scores = {word: 2 * events[word] / (count + total) for word, count in with_word.items()}
    best = max(scores, key=lambda word: scores[word])
    always = 2 * total / (len(texts) + total)
    yield f"F1 of the best single word ({best}): {scores[best]:.3f}; of always yes: {always:.3f}"


def form(texts: Sequence[EventText]) -> Iterator[str]:
    """Area under the ROC curve of what is no word: 0.5 gives nothing away. Also the worst register."""
    registers = sorted({text.register for text in texts})
    for number, form_name in enumerate(_FORM):
        areas = {
            register: _area([text for text in texts if text.register == register], number) for register in registers
        }
        worst = max(registers, key=lambda register: abs(areas[register] - 0.5))
        yield f"AUC of the number of {form_name}: {_area(texts, number):.3f}, at worst {areas[worst]:.3f} ({worst})"


def _area(texts: Sequence[EventText], number: int) -> float:
    return float(roc_auc_score([text.label == EVENT for text in texts], [_form(text.text)[number] for text in texts]))


def _form(text: str) -> tuple[int, ...]:
    counts = (sum(map(text.count, marks)) for marks in (",", ".!?", ":;"))
    return (len(text.split()), len(text), *counts, sum(map(str.isupper, text)), sum(map(str.isdigit, text)))


def f1(texts: Sequence[EventText], split: str, features: Sequence[dict[str, object]]) -> list[float]:
    """F1 on each fold of a logistic regression on these features that was trained on the others."""
    groups = np.array([_group(text, number, split) for number, text in enumerate(texts)])
    labels = np.array([text.label == EVENT for text in texts])
    strings = np.array([text.text for text in texts], dtype=object)
    scores = []
    for train, test in _folds(groups):
        # The threshold is chosen on groups that the model was not trained on either.
        fitted, held = (train[side] for side in next(_folds(groups[train])))
        vectorizers = [TfidfVectorizer(sublinear_tf=True, **options) for options in features]
        seen = hstack([vectorizer.fit_transform(strings[fitted]) for vectorizer in vectorizers]).tocsr()
        model = LogisticRegression(C=10, max_iter=300, class_weight="balanced").fit(seen, labels[fitted])
        certainty = [
            model.decision_function(hstack([vectorizer.transform(strings[side]) for vectorizer in vectorizers]).tocsr())
            for side in (held, test)
        ]
        thresholds = np.quantile(certainty[0], np.arange(0.3, 0.95, 0.01))
        threshold = max(thresholds, key=lambda at: f1_score(labels[held], certainty[0] > at))
        scores.append(float(f1_score(labels[test], certainty[1] > threshold)))
    return scores


def _folds(groups: NDArray[np.str_]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Indices of training and of test, no group on two sides."""
    folds: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]] = GroupKFold(
        _FOLDS, shuffle=True, random_state=0
    ).split(groups, groups=groups)
    return folds


def _group(text: EventText, number: int, split: str) -> str:
    """What must not stand on two sides. A family is register and situation: the template's name without its end."""
    return {"random": str(number), "source": text.source, "family": text.template.rsplit("/", 2)[0]}[split]


if __name__ == "__main__":
    main()
