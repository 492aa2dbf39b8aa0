"""Which labelled texts are tested on, and how much of the test stands in training.

Two kinds of split, each of which must be named beside its scores:

- grouped: no text (but for letter case and white space) and no source article is on both sides. What a model scores
  there may be expected of it on text that it has never met.
- random: every record for itself, as most publications on this data split it. A sentence that is in the data several
  times is then trained on and tested, and so are sentences of one article: the scores are higher, and say less.

Both are decided by hashes of seed and text, so the order of the records changes nothing, and both keep the share of
each label.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.errors import UploadError
from training.records import normalise

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, its label, and the article that it is from (None where that is not known)."""

    text: str
    label: str
    article: str | None = None


@dataclass(frozen=True)
class Split:
    """The places of the records on each side, in the order in which they came; `counts` is side -> label -> records."""

    train: list[int]
    test: list[int]
    counts: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Overlap:
    """How much of the test stands in training, as shares of the test records of one label, or of all."""

    records: int
    texts: float
    articles: float


def grouped_split(records: Sequence[LabelledText], *, test_fraction: float, seed: int) -> Split:
    """Split whole groups: the records that hang together by a text or an article.

    Raises:
        UploadError: one label is missing, or has too few groups for both sides to have one.
    """
    groups = _groups(records, seed)
    return _stratified(records, groups, test_fraction)


def random_split(records: Sequence[LabelledText], *, test_fraction: float, seed: int) -> Split:
    """Split record by record.

    Raises:
        UploadError: as of `grouped_split`.
    """
    copies: Counter[bytes] = Counter()
    order = []
    for place, record in enumerate(records):
        key = _text_key(record)
        # Equal records must not all go the same way: that would be a grouped split again.
        order.append((_hash(seed, key + record.label.encode() + str(copies[key]).encode()), [place]))
        copies[key] += 1
    return _stratified(records, [group for _, group in sorted(order)], test_fraction)


def overlap(records: Sequence[LabelledText], split: Split, label: str | None = None) -> Overlap:
    """Which share of the test records (of one label, if given) has its text, or its article, in training too."""
    texts = {_text_key(records[place]) for place in split.train}
    articles = {records[place].article for place in split.train if records[place].article is not None}
    asked = [records[place] for place in split.test if label is None or records[place].label == label]
    if not asked:
        return Overlap(0, 0.0, 0.0)
    return Overlap(
        len(asked),
        sum(_text_key(record) in texts for record in asked) / len(asked),
        sum(record.article in articles for record in asked) / len(asked),
    )


def _text_key(record: LabelledText) -> bytes:
    return hashlib.sha256(normalise(record.text).encode()).digest()[:16]


def _hash(seed: int, key: bytes) -> bytes:
    return hashlib.sha256(f"{seed}:".encode() + key).digest()


def _groups(records: Sequence[LabelledText], seed: int) -> list[list[int]]:
    """Places that hang together, in an order that seed and content decide.

    Union-find over texts and articles; a group is known by the smallest hash of its texts.
    """
    parent: dict[bytes, bytes] = {}

    def root(node: bytes) -> bytes:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    keys = [_text_key(record) for record in records]
    for record, key in zip(records, keys, strict=True):
        if record.article is not None:
            article = hashlib.sha256(b"article:" + record.article.encode()).digest()
            parent[root(key)] = root(article)
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[root(key)].append(place)
    return sorted(places.values(), key=lambda group: min(_hash(seed, keys[place]) for place in group))


def _stratified(records: Sequence[LabelledText], groups: list[list[int]], test_fraction: float) -> Split:
    """Give each next group to the test if the test is then closer to holding `test_fraction` of each label."""
    labels = sorted({record.label for record in records})
    if len(labels) < 2:
        what = f"all {len(records)} texts are labelled {labels[0]}" if labels else "there are no texts"
        raise UploadError(f"{what}: a classifier learns from texts of two labels")
    # Share of each label's records that each group has (groups, labels).
    shares = np.array([[sum(records[place].label == label for place in group) for label in labels] for group in groups])
    shares = shares / shares.sum(axis=0)
    missing = np.full(len(labels), test_fraction)
    tested = np.zeros(len(groups), dtype=bool)
    for number, share in enumerate(shares):
        if ((missing - share) ** 2).sum() < (missing**2).sum():
            tested[number] = True
            missing -= share
    for column, label in enumerate(labels):
        _put_on_both_sides(shares[:, column] > 0, tested, [len(group) for group in groups], label)
    sides = {
        side: sorted(place for group, there in zip(groups, tested == is_test, strict=True) if there for place in group)
        for side, is_test in ((TRAIN, False), (TEST, True))
    }
    counts = {side: dict(Counter(records[place].label for place in places)) for side, places in sides.items()}
    return Split(sides[TRAIN], sides[TEST], counts)


def _put_on_both_sides(holds: NDArray[np.bool_], tested: NDArray[np.bool_], sizes: list[int], label: str) -> None:
    """Where no group with `label` is on one side, move the smallest one there.

    Raises:
        UploadError: there is only one such group.
    """
    for side in (True, False):
        there, elsewhere = np.flatnonzero(holds & (tested == side)), np.flatnonzero(holds & (tested != side))
        if len(there) == 0:
            if len(elsewhere) < 2:
                raise UploadError(
                    f"the texts labelled {label} are too few, or all of them hang together by a text or an article: "
                    "training and test need at least one each; upload more of them"
                )
            tested[min(elsewhere, key=lambda number: sizes[number])] = side
