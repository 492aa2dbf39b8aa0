"""Which hyperparameters a tuning job tries next: Bayesian optimisation by Optuna's tree-structured Parzen estimator.

SageMaker's own optimiser is a Gaussian process that nobody outside has; both begin with values drawn at random, then go
by what came of the jobs before. The same seed gives the same suggestions after the same results; with several jobs at
once, in which order they end is part of that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState

# Jobs that are drawn at random before there is anything to go by: a third, within these bounds.
_LEAST_RANDOM, _MOST_RANDOM = 3, 10


class Suggestions:
    """Suggests values and learns from results. For one thread."""

    def __init__(self, ranges: Mapping[str, Any], *, jobs: int, maximise: bool, seed: int | None) -> None:
        """`ranges` are checked ParameterRanges; `jobs` is how many will be asked for."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._distributions = dict(_distributions(ranges))
        random = min(_MOST_RANDOM, max(_LEAST_RANDOM, jobs // 3))
        self._study = optuna.create_study(
            direction="maximize" if maximise else "minimize",
            # With the liar, jobs that still run count as bad ones: two at once are then not asked to try the same.
            sampler=TPESampler(n_startup_trials=random, seed=seed, constant_liar=True),
        )
        self._asked: list[Trial] = []

    def ask(self) -> tuple[int, dict[str, str]]:
        """The next job's number, from 0, and its hyperparameters as SageMaker passes them: texts."""
        trial = self._study.ask(self._distributions)
        self._asked.append(trial)
        return trial.number, {name: str(trial.params[name]) for name in self._distributions}

    def tell(self, number: int, values: Sequence[float], *, completed: bool) -> None:
        """What came of a job: the objective's `values` in order. One that did not complete counts by how far it got."""
        trial = self._asked[number]
        if not values:
            self._study.tell(trial, state=TrialState.FAIL)
        elif completed:
            self._study.tell(trial, values[-1])
        else:
            for step, value in enumerate(values):
                trial.report(value, step)
            self._study.tell(trial, state=TrialState.PRUNED)


def _distributions(ranges: Mapping[str, Any]) -> list[tuple[str, BaseDistribution]]:
    found: list[tuple[str, BaseDistribution]] = []
    for one in ranges.get("ContinuousParameterRanges", []):
        low, high = float(one["MinValue"]), float(one["MaxValue"])
        found.append((one["Name"], FloatDistribution(low, high, log=_is_logarithmic(one))))
    for one in ranges.get("IntegerParameterRanges", []):
        low_whole, high_whole = int(one["MinValue"]), int(one["MaxValue"])
        found.append((one["Name"], IntDistribution(low_whole, high_whole, log=_is_logarithmic(one))))
    for one in ranges.get("CategoricalParameterRanges", []):
        found.append((one["Name"], CategoricalDistribution(one["Values"])))
    return found


def _is_logarithmic(one: Mapping[str, Any]) -> bool:
    """`Auto` is linear here: which scale SageMaker takes for it is not documented."""
    return bool(one.get("ScalingType") == "Logarithmic")
