"""What of a tuning job is refused before any of its training jobs starts, each time naming what."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.tuning_requests import check_tuning_request
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import pipeline, tuning

RATE = {"Name": "rate", "MinValue": "0.1", "MaxValue": "1", "ScalingType": "Logarithmic"}
REQUEST = {
    "HyperParameterTuningJobName": "search",
    **tuning("Tune", ranges={"ContinuousParameterRanges": [RATE]}, hyperparameters={"epochs": "3"})["Arguments"],
}
CONFIG, DEFINITION = "HyperParameterTuningJobConfig", "TrainingJobDefinition"
Change = Callable[[dict[str, Any]], Any]


def setting(part: str | None, **members: Any) -> Change:
    """A change that sets members of the request, or of a part of it."""
    return lambda request: (request if part is None else request[part]).update(members)


def ranges(**kinds: Any) -> Change:
    return setting(CONFIG, ParameterRanges=kinds)


def continuous(**members: Any) -> Change:
    return ranges(ContinuousParameterRanges=[{**RATE, **members}])


def limits(**members: int) -> Change:
    return setting(CONFIG, ResourceLimits=members)


def test_the_request_that_the_others_differ_from_is_taken() -> None:
    check_tuning_request(REQUEST)


PARENT = {
    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "old"}],
    "WarmStartType": "TransferLearning",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (setting(None, WarmStartConfig=PARENT), "a tuning job with WarmStartConfig"),
        (setting(None, Autotune={"Mode": "Enabled"}), "a tuning job with Autotune"),
        (setting(None, TrainingJobDefinitions=[REQUEST[DEFINITION]]), "a tuning job with TrainingJobDefinitions"),
        (setting(CONFIG, Strategy="Hyperband"), "strategy Hyperband"),
        (setting(CONFIG, Strategy="Grid"), "strategy Grid"),
        (setting(CONFIG, StrategyConfig={"HyperbandStrategyConfig": {"MinResource": 1}}), "with StrategyConfig"),
        (setting(CONFIG, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 0.9}), "CompletionCriteria"),
        (setting(DEFINITION, CheckpointConfig={"S3Uri": "s3://data/c"}), "with CheckpointConfig"),
        (setting(DEFINITION, RetryStrategy={"MaximumRetryAttempts": 2}), "with RetryStrategy"),
        (limits(MaxNumberOfTrainingJobs=2, MaxParallelTrainingJobs=1, MaxRuntimeInSeconds=200), "MaxRuntimeInSeconds"),
        (limits(MaxNumberOfTrainingJobs=2, MaxParallelTrainingJobs=3), r"MaxNumberOfTrainingJobs \(2\), got 3"),
        (limits(MaxParallelTrainingJobs=1), r"MaxNumberOfTrainingJobs \(0\), got 1"),
        (lambda request: request.pop(DEFINITION), "TrainingJobDefinition is missing"),
        (setting(CONFIG, HyperParameterTuningJobObjective={"Type": "Maximize", "MetricName": "f1"}), r"\(score\)"),
        (lambda request: request[CONFIG].pop("ParameterRanges"), "ParameterRanges holds no range"),
        (ranges(AutoParameters=[{"Name": "rate", "ValueHint": "1"}]), "AutoParameters"),
        (ranges(CategoricalParameterRanges=[{"Name": "epochs", "Values": ["1"]}]), "given more than once: epochs"),
        (continuous(ScalingType="ReverseLogarithmic"), "range rate with ScalingType ReverseLogarithmic"),
        (continuous(MinValue="little"), "range rate: MinValue and MaxValue must be numbers"),
        (continuous(MinValue="1"), "MinValue must be below MaxValue, got 1.0 and 1.0"),
        (continuous(MaxValue="inf"), "MinValue must be below MaxValue"),
        (continuous(MinValue="0"), "Logarithmic needs a MinValue above 0, got 0.0"),
        (ranges(IntegerParameterRanges=[{"Name": "n", "MinValue": "1.5", "MaxValue": "2"}]), "range n: .* numbers"),
        (
            lambda request: request[DEFINITION]["AlgorithmSpecification"].update(TrainingImage="r/other:1"),
            "does not support image r/other:1",
        ),
        (lambda request: request[DEFINITION].pop("RoleArn"), "RoleArn"),
    ],
)
def test_what_is_refused(change: Change, reason: str) -> None:
    request = copy.deepcopy(REQUEST)
    change(request)
    with pytest.raises(StepFailed, match=reason):
        check_tuning_request(request)


def test_a_refused_search_fails_its_step_and_starts_nothing(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(tuning("Tune", ranges={}, config={"Strategy": "Random"})))
    assert "does not support a tuning job with strategy Random" in emulator.reason(arn, "Tune")
    assert emulator.engine.list_tuning_jobs() == emulator.engine.list_training_jobs() == []
