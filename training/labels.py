"""The two classes that a classifier tells apart: what the task calls them, and how data sets write them."""

from dataclasses import dataclass

from training.errors import ArgumentError

# The numbers that data sets of two classes use, and a trained model's own order of its classes.
NEGATIVE, POSITIVE = 0, 1


@dataclass(frozen=True)
class Labels:
    """`positive` is what is looked for (Adverse_Event), `negative` everything else (Not_AE).

    Raises:
        ArgumentError: a name is empty, or both are the same but for letter case.
    """

    positive: str
    negative: str

    def __post_init__(self) -> None:
        names = {name.strip().lower() for name in self.names}
        if "" in names or len(names) != len(self.names):
            raise ArgumentError(f"a task needs two labels of different names, got {self.positive!r}, {self.negative!r}")

    @property
    def names(self) -> tuple[str, str]:
        """By class number."""
        return self.negative, self.positive

    def find(self, written: str) -> str | None:
        """The label that is meant by its name in any letter case, or by 0 and 1; None if it is no label."""
        known = {str(number): name for number, name in enumerate(self.names)}
        known |= {name.lower(): name for name in self.names}
        return known.get(written.strip().lower())

    def number(self, label: str) -> int:
        """NEGATIVE or POSITIVE.

        Raises:
            ValueError: it is not one of `names`.
        """
        return self.names.index(label)

    def __str__(self) -> str:
        return f"{self.positive} or {self.negative}"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How a classifier's probability of the positive label becomes a label: from `threshold` in (0, 1] on it is that.

    Raises:
        ArgumentError: the labels are not two, or the threshold is out of its range.
    """

    positive: str
    negative: str
    threshold: float = 0.5

    def __post_init__(self) -> None:
        _ = self.labels
        if not 0 < self.threshold <= 1:
            raise ArgumentError(f"threshold must be above 0 and at most 1, got {self.threshold}")

    @property
    def labels(self) -> Labels:
        return Labels(self.positive, self.negative)

    def label(self, probability: float) -> str:
        return self.positive if probability >= self.threshold else self.negative
