"""How jobs share this machine's processors.

OpenMP's threads spin while they wait for one another. With a processor for each of them that is by far the fastest: on
two processors a small model trains twice as fast as with threads that sleep instead. With more threads than processors
it is the slowest: two such jobs side by side need more than twice the time of one after the other. So jobs that run at
the same time have processors of their own, and where there are too few for two jobs, steps take turns.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

THREADS = "OMP_NUM_THREADS"
_MOST_STEPS = 2
# A job on one processor loses more than two jobs at a time gain.
_FEWEST_THREADS = 2


@dataclass(frozen=True)
class Share:
    """`steps` of an execution run at the same time, the job of each with `threads` threads."""

    steps: int
    threads: int


def share(processors: int, environment: Mapping[str, str]) -> Share:
    """How a machine with so many processors is shared; OMP_NUM_THREADS, where somebody set it, is what a job gets.

    Raises:
        ValueError: OMP_NUM_THREADS is no whole number above 0.
    """
    wanted = environment.get(THREADS)
    if wanted is None:
        threads = min(processors, max(_FEWEST_THREADS, processors // _MOST_STEPS))
    elif wanted.isascii() and wanted.isdecimal() and int(wanted) > 0:
        threads = int(wanted)
    else:
        raise ValueError(f"{THREADS} must be a whole number above 0, got {wanted!r}")
    return Share(max(1, min(_MOST_STEPS, processors // threads)), threads)


def count() -> int:
    """Processors of this machine."""
    return os.cpu_count() or 1
