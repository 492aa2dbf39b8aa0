"""What of a definition is refused before anything of it runs, each time naming what."""

from typing import Any

import pytest

from local.emulator.errors import ValidationError
from local.emulator.pipelines.definition import parse_definition
from tests.local.pipelines.definitions import condition, fail, get, join, output_of, pipeline, processing


def one(**members: Any) -> dict[str, Any]:
    return pipeline({**processing("One", "pass"), **members})


def loop(*others: str) -> list[dict[str, Any]]:
    return [processing(f"Step{n}", "pass", step={"DependsOn": [other]}) for n, other in enumerate(others)]


POLICY = {"ExceptionType": ["Step.THROTTLING"]}
INPUT = {"ProcessingInputs": None}


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ([], "must be an object"),
        ({"Version": "2020-12-01"}, "list of Steps"),
        ({**pipeline(), "Version": "2019-01-01"}, "must be 2020-12-01, got '2019-01-01'"),
        ({**pipeline(), "Extra": 1}, "not supported by the local SageMaker: Extra"),
        ({**pipeline(), "MlflowConfig": {"x": 1}}, "MlflowConfig"),
        ({**pipeline(), "ParallelismConfiguration": {"MaxParallelExecutionSteps": 0}}, "MaxParallelExecutionSteps"),
        (pipeline(PipelineExperimentConfig={"ExperimentName": get("Steps.X.Y")}), "execution variables only"),
        (one(Name=""), "Every step needs a Name"),
        (one(Type="Transform"), "Step One: step type 'Transform' is not supported"),
        (one(EMRConfig={}), "Step One of type Processing: not supported by the local SageMaker: EMRConfig"),
        (one(Arguments=[]), "Arguments must be an object"),
        (one(DependsOn="Two"), "DependsOn must be a list"),
        (one(DependsOn=["Two"]), "steps that are not there: Two"),
        (one(PropertyFiles=[{"PropertyFileName": "x"}]), "a property file needs"),
        (one(CacheConfig={"Enabled": True}), "CacheConfig needs ExpireAfter"),
        (one(CacheConfig={"Enabled": True, "ExpireAfter": "soon"}), "must be an ISO 8601 duration"),
        (one(CacheConfig={"Enabled": True, "ExpireAfter": "PT"}), "must be an ISO 8601 duration"),
        (one(RetryPolicies=[{"ExceptionType": ["Other"]}]), "ExceptionType of a retry policy"),
        (one(RetryPolicies=[{**POLICY, "MaxAttempts": 21}]), "MaxAttempts of a retry policy must be in 1..20"),
        (one(RetryPolicies=[{**POLICY, "Often": 1}]), "a retry policy may have"),
        (pipeline({**fail("Stop", "x"), "RetryPolicies": [POLICY]}), "type Fail: not supported"),
        (pipeline(processing("One"), processing("One")), "must be unique; repeated: \\['One'\\]"),
        (pipeline(processing("One"), condition("Gate", [], [])), "at least one condition"),
        (pipeline(condition("Gate", [{"Type": "Odd"}])), "condition type 'Odd'"),
        (pipeline(fail("Stop", get("Parameters.Gone"))), "parameter that is not declared: Parameters.Gone"),
        (pipeline(fail("Stop", get("Execution.Gone"))), "unknown execution variable: Execution.Gone"),
        (pipeline(fail("Stop", get("Secrets.Gone"))), "must refer to Parameters, Execution or Steps"),
        (pipeline(fail("Stop", join("", output_of("Gone", "x")))), "steps that are not there: Gone"),
        (pipeline(fail("Stop", {"Std:Split": {}})), "Function Std:Split is not supported"),
        (pipeline(fail("Stop", {"Std:Join": {"On": ""}})), "Std:Join needs the members"),
        (pipeline(fail("Stop", {"Std:JsonGet": {"Path": "x"}})), "Std:JsonGet needs the members"),
        (
            pipeline(
                processing("One"),
                fail("Stop", {"Std:JsonGet": {"PropertyFile": get("Steps.One.PropertyFiles.Gone"), "Path": "x"}}),
            ),
            "property file that is not there",
        ),
        (
            pipeline(
                processing("One"), fail("Stop", {"Std:JsonGet": {"PropertyFile": get("Steps.One.X"), "Path": "x"}})
            ),
            "PropertyFile must be",
        ),
        (pipeline(*loop("Step1", "Step0")), "in a circle: Step[01] -> Step[01] -> Step[01]"),
        (
            pipeline(
                condition(
                    "Gate", [{"Type": "Equals", "LeftValue": get("Steps.In.X"), "RightValue": 1}], [processing("In")]
                )
            ),
            "in a circle",
        ),
        (pipeline({"Name": "Call", "Type": "Lambda", "Arguments": {}}), "FunctionArn is missing"),
        (
            pipeline(
                {
                    "Name": "Call",
                    "Type": "Lambda",
                    "Arguments": {},
                    "FunctionArn": "f",
                    "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"},
                }
            ),
            "type Lambda cannot be cached",
        ),
    ],
)
def test_what_is_refused(definition: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        parse_definition(definition)


def test_nested_steps_wait_for_their_condition_and_their_own_references() -> None:
    gate = condition(
        "Gate",
        [{"Type": "Equals", "LeftValue": output_of("One", "x"), "RightValue": 1}],
        [fail("Stop", output_of("Two", "x"))],
    )
    steps = parse_definition(pipeline(gate, processing("One"), processing("Two"))).steps
    assert steps["Gate"].after == {"One"}
    assert steps["Stop"].after == {"Two"}
    assert (steps["Stop"].branch.condition, steps["Stop"].branch.outcome) == ("Gate", True)  # type: ignore[union-attr]
