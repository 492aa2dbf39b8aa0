"""Requests for tuning jobs: complete, of AWS's own shapes, asking for nothing that this machine cannot give."""

import math
from collections.abc import Mapping
from typing import Any

from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.job_requests import check_request, check_training_request, unsupported
from local.emulator.pipelines.script_mode import TUNING_OBJECTIVE

_REFUSED = ("WarmStartConfig", "Autotune", "TrainingJobDefinitions")
_REFUSED_CONFIG = ("StrategyConfig", "TuningJobCompletionCriteria")
# Where SageMaker keeps the checkpoints of each of several jobs apart is not documented.
_REFUSED_DEFINITION = (
    "DefinitionName",
    "TuningObjective",
    "HyperParameterRanges",
    "HyperParameterTuningResourceConfig",
    "RetryStrategy",
    "CheckpointConfig",
)
_STRATEGIES = ("Bayesian",)
_SCALES = ("Auto", "Linear", "Logarithmic")
_NUMBERS = {"ContinuousParameterRanges": float, "IntegerParameterRanges": int}
_KINDS = (*_NUMBERS, "CategoricalParameterRanges")


def check_tuning_request(request: Mapping[str, Any]) -> None:
    """Raises StepFailed, naming what is malformed, missing or not supported."""
    check_request("Tuning", request)
    config = request["HyperParameterTuningJobConfig"]
    definition = request.get("TrainingJobDefinition", {})
    limits, ranges = config["ResourceLimits"], config.get("ParameterRanges", {})
    for holder, names in ((request, _REFUSED), (config, _REFUSED_CONFIG), (definition, _REFUSED_DEFINITION)):
        refused = [name for name in names if holder.get(name)]
        if refused:
            raise unsupported(f"a tuning job with {', '.join(refused)}")
    if config["Strategy"] not in _STRATEGIES:
        raise unsupported(f"a tuning job with strategy {config['Strategy']} (supported: {', '.join(_STRATEGIES)})")
    if "MaxRuntimeInSeconds" in limits or ranges.get("AutoParameters"):
        raise unsupported("a tuning job with MaxRuntimeInSeconds in ResourceLimits, or AutoParameters")
    if not definition:
        raise _invalid("TrainingJobDefinition is missing")
    jobs, parallel = limits.get("MaxNumberOfTrainingJobs", 0), limits["MaxParallelTrainingJobs"]
    if not 1 <= parallel <= jobs:
        raise _invalid(
            f"MaxParallelTrainingJobs must be between 1 and MaxNumberOfTrainingJobs ({jobs}), got {parallel}"
        )
    _check_objective(config, definition)
    _check_ranges(ranges, definition.get("StaticHyperParameters", {}))
    check_training_request(training_request(request, "job", {}))


def training_request(request: Mapping[str, Any], name: str, tuned: Mapping[str, str]) -> dict[str, Any]:
    """The request for one training job `name` of a tuning job, with the hyperparameters that were chosen for it."""
    definition = dict(request["TrainingJobDefinition"])
    static = definition.pop("StaticHyperParameters", {})
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    return {**definition, "TrainingJobName": name, "HyperParameters": {**static, **tuned, TUNING_OBJECTIVE: objective}}


def _check_objective(config: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    objective = config.get("HyperParameterTuningJobObjective", {}).get("MetricName")
    metrics = [one["Name"] for one in definition["AlgorithmSpecification"].get("MetricDefinitions", [])]
    if objective not in metrics:
        raise _invalid(
            f"HyperParameterTuningJobObjective {objective!r} must be one of MetricDefinitions "
            f"({', '.join(metrics) or 'none'})"
        )


def _check_ranges(ranges: Mapping[str, Any], static: Mapping[str, str]) -> None:
    names = [one["Name"] for kind in _KINDS for one in ranges.get(kind, [])]
    if not names:
        raise _invalid("ParameterRanges holds no range")
    repeated = sorted({name for name in names if names.count(name) > 1 or name in static})
    if repeated:
        raise _invalid(f"hyperparameters given more than once: {', '.join(repeated)}")
    for kind, number in _NUMBERS.items():
        for one in ranges.get(kind, []):
            _check_numbers(one, number)


def _check_numbers(one: Mapping[str, str], number: type[float] | type[int]) -> None:
    name, scale = one["Name"], one.get("ScalingType", "Auto")
    if scale not in _SCALES:
        raise unsupported(f"range {name} with ScalingType {scale}")
    try:
        low, high = number(one["MinValue"]), number(one["MaxValue"])
    except ValueError as error:
        raise _invalid(f"range {name}: MinValue and MaxValue must be numbers") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise _invalid(f"range {name}: MinValue must be below MaxValue, got {low} and {high}")
    if scale == "Logarithmic" and low <= 0:
        raise _invalid(f"range {name}: ScalingType Logarithmic needs a MinValue above 0, got {low}")


def _invalid(what: str) -> StepFailed:
    return StepFailed(f"ClientError: ValidationException: {what}")
