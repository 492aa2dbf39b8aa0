"""How hard the invented adverse events are, for models that see words only and for those that see more.

    python3 -m bench.invented_events                        # 12,000 texts, about three minutes on one core
    python3 -m bench.invented_events --count 4000 --seed 3

Each model is a logistic regression on TF-IDF features, its threshold the best on a tenth of the training texts. Texts
are split at random, by source (no article on two sides) and by family of templates (no situation on two sides, told or
denied). Prints figures only: F1 of `Adverse_Event` in [0, 1] on the test fifth, what single words and the form of a
text give away, and how many texts differ.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

from local.invented.adverse_events import EVENT, EventText, drawn_events, invented_events

_TEST_SHARE, _VALIDATION_SHARE = 0.2, 0.1
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
            print(f"F1, split by {split}, {model}: {f1(texts, split, features, arguments.seed):.3f}")


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


def f1(texts: Sequence[EventText], split: str, features: Sequence[dict[str, object]], seed: int) -> float:
    """F1 of a logistic regression on these features, trained on one side of the split and tested on the other."""
    labels = np.array([text.label == EVENT for text in texts])
    train, test = _sides(texts, split, _TEST_SHARE, seed)
    inner = [texts[index] for index in train]
    fitted, held = (train[side] for side in _sides(inner, split, _VALIDATION_SHARE, seed))
    vectorizers = [TfidfVectorizer(sublinear_tf=True, lowercase=True, **options) for options in features]
    strings = np.array([text.text for text in texts], dtype=object)
    seen = hstack([vectorizer.fit_transform(strings[fitted]) for vectorizer in vectorizers]).tocsr()

    def look(indices: NDArray[np.int64]) -> csr_matrix:
        return hstack([vectorizer.transform(strings[indices]) for vectorizer in vectorizers]).tocsr()

    model = LogisticRegression(C=10, max_iter=300, class_weight="balanced").fit(seen, labels[fitted])
    validation = model.decision_function(look(held))
    thresholds = np.quantile(validation, np.arange(0.3, 0.95, 0.01))
    threshold = max(thresholds, key=lambda at: f1_score(labels[held], validation > at))
    return float(f1_score(labels[test], model.decision_function(look(test)) > threshold))


def _sides(
    texts: Sequence[EventText], split: str, test_share: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of either side."""
    if split == "random":
        train, test = next(ShuffleSplit(1, test_size=test_share, random_state=seed).split(texts))
        return train, test
    groups = [text.source if split == "source" else _family(text) for text in texts]
    train, test = next(GroupShuffleSplit(1, test_size=test_share, random_state=seed).split(texts, groups=groups))
    return train, test


def _family(text: EventText) -> str:
    """Register and situation: the template's name without label and number."""
    return text.template.rsplit("/", 2)[0]


if __name__ == "__main__":
    main()
