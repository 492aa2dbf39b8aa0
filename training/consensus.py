"""An answer without any model: of the targets of similar training records, the one that agrees best with the others.

It is a floor that every model stands beside. The choice is by minimum Bayes risk, with the targets both as candidates
and as references, and the more similar records counting more.
"""

from collections.abc import Sequence

from training.minimum_bayes_risk import choose
from training.retrieval import Similar

# Chosen by cross-validation within training reports (docs/quality-log.md).
NEIGHBOURS = 15
POWER = 3


def weights(similar: Sequence[Similar]) -> list[float]:
    """How much each neighbour's target counts: its similarity to the power of POWER; they add up to 1."""
    raw = [neighbour.similarity**POWER for neighbour in similar]
    return [weight / sum(raw) for weight in raw]


def consensus(similar: Sequence[Similar]) -> str:
    """The target of that neighbour which agrees best with the others, the more similar ones counting more.

    Raises:
        ValueError: there is no neighbour.
    """
    return similar[consensus_place(similar)].target


def consensus_place(similar: Sequence[Similar]) -> int:
    """Which neighbour that is, the first being 0.

    Raises:
        ValueError: there is no neighbour.
    """
    targets = [neighbour.target for neighbour in similar]
    return choose(targets, targets, weights(similar))
