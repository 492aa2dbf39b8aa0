"""Early stopping of a tuning job's training jobs, by the rule of the developer guide ("Stop Training Jobs Early").

After each value of the objective, the running average of every earlier job up to as many values is taken; a job whose
value is worse than the median of those averages is stopped. The n-th value that a job prints is that of its n-th epoch.
"""

from collections.abc import Sequence
from statistics import fmean, median

# One job alone would be a median that every second job fails.
_LEAST_EARLIER = 2


def is_hopeless(values: Sequence[float], earlier: Sequence[Sequence[float]], *, maximise: bool) -> bool:
    """Whether a job with these `values` so far (at least one) is to be stopped; `earlier` are those of jobs that
    completed."""
    count = len(values)
    averages = [fmean(others[:count]) for others in earlier if len(others) >= count]
    if len(averages) < _LEAST_EARLIER:
        return False
    middle = median(averages)
    return values[-1] < middle if maximise else values[-1] > middle
