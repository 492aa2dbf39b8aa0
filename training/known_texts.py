"""Which texts are nearly a copy of a known one: by the sequences of five words that both hold.

The measure is the share of the shorter text's sequences that stand in the other one too, in [0, 1]; letter case, white
space and punctuation do not count. Five words, since shorter sequences are common to texts that only are of one kind.
Of 1,500 real sentences about drugs, 2.1 % reach 0.3 with one of 4,500 others, and 0.9 % reach 0.5. Of sentences in
which one word is another one 91 % and 83 % do, of halves that go on with something else 63 % and 17 %.
"""

import hashlib
import re
from array import array
from collections.abc import Iterable

import numpy as np

SEQUENCE = 5
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def sequences_of(text: str) -> frozenset[int]:
    """Hashes of 64 bits of the text's sequences of five words, or of all its words where it has fewer."""
    words = words_of(text)
    starts = range(max(1, len(words) - SEQUENCE + 1))
    return frozenset(_hash(words[start : start + SEQUENCE]) for start in starts)


def shared(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of the shorter one's sequences that the other has too."""
    return len(one & other) / min(len(one), len(other))


class KnownTexts:
    """Texts that others are compared with. Takes 12 bytes a word, three times that while it is made; no text is kept.

    A look-up takes as long as the texts are many that hold one of its sequences.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        wholes, hashes, sizes = array("Q"), array("Q"), array("I")
        for text in texts:
            wholes.append(_hash(words_of(text)))
            found = sequences_of(text)
            hashes.extend(found)
            sizes.append(len(found))
        self._wholes = np.unique(np.frombuffer(wholes, np.uint64))
        self._sizes = np.frombuffer(sizes, np.uint32)
        unordered = np.frombuffer(hashes, np.uint64)
        order = np.argsort(unordered)
        self._hashes = unordered[order]
        self._owners = np.repeat(np.arange(len(sizes), dtype=np.uint32), self._sizes)[order]

    def __len__(self) -> int:
        return len(self._sizes)

    def holds(self, text: str) -> bool:
        """Whether one of them has the same words in the same order."""
        whole = np.uint64(_hash(words_of(text)))
        place = np.searchsorted(self._wholes, whole)
        return bool(place < len(self._wholes) and self._wholes[place] == whole)

    def largest_share(self, sequences: frozenset[int]) -> float:
        """The largest share of sequences that a text with these `sequences` has in common with any of them."""
        sought = np.fromiter(sequences, np.uint64, len(sequences))
        begins, ends = (np.searchsorted(self._hashes, sought, side) for side in ("left", "right"))
        owners = np.concatenate([self._owners[begin:end] for begin, end in zip(begins, ends, strict=True)])
        if not len(owners):
            return 0.0
        texts, counts = np.unique(owners, return_counts=True)
        return float((counts / np.minimum(self._sizes[texts], len(sequences))).max())


def _hash(words: list[str]) -> int:
    # Python's own hash of a text differs from process to process.
    return int.from_bytes(hashlib.blake2b(" ".join(words).encode(), digest_size=8).digest(), "little")
