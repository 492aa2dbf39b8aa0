"""Steps that are no jobs: Fail, RegisterModel, Lambda."""

import pytest

from local.emulator.errors import ResourceNotFound
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import condition, fail, get, join, pipeline
from tests.local.pipelines.doubles import client_error


def test_a_fail_step_fails_the_execution_with_its_message(emulator: Emulator) -> None:
    message = join(" ", "below", get("Parameters.Least"))
    parameters = [{"Name": "Least", "Type": "Float", "DefaultValue": 0.3}]
    arn = emulator.run(
        pipeline(
            condition("Gate", [{"Type": "Equals", "LeftValue": 1, "RightValue": 2}], [], [fail("TooBad", message)]),
            parameters=parameters,
        )
    )
    assert emulator.status(arn) == "Failed"
    assert emulator.steps(arn)["TooBad"]["FailureReason"] == "below 0.3"
    assert emulator.steps(arn)["TooBad"]["Metadata"] == {"Fail": {"ErrorMessage": "below 0.3"}}


def register(**arguments: object) -> dict:
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": "group", "ModelApprovalStatus": "Approved", **arguments},
    }


def test_a_model_is_registered_with_evaluated_arguments(emulator: Emulator) -> None:
    metadata = {"run_id": get("Execution.PipelineExecutionId"), "epochs": get("Parameters.Epochs")}
    parameters = [{"Name": "Epochs", "Type": "Integer", "DefaultValue": 3}]
    after = fail("Stop", get("Steps.Register.ModelPackageArn"))
    arn = emulator.run(pipeline(register(CustomerMetadataProperties=metadata), after, parameters=parameters))
    (package,) = emulator.packages
    # The parameter is a number, the member a map of texts.
    assert package["CustomerMetadataProperties"] == {"run_id": arn.rsplit("/", 1)[1], "epochs": "3"}
    package_arn = emulator.steps(arn)["Register"]["Metadata"]["RegisterModel"]["Arn"]
    assert emulator.reason(arn, "Stop") == package_arn


def test_a_registration_that_is_malformed_or_refused_fails_the_step(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(register(ModelApprovalStatus=["x"])))
    assert "ModelApprovalStatus" in emulator.reason(arn, "Register")

    def refuse() -> str:
        raise ResourceNotFound("there is no such group")

    emulator.registry_answer = refuse
    arn = emulator.run(pipeline(register()))
    assert emulator.reason(arn, "Register").endswith("ResourceNotFound: there is no such group")


def lambda_step(**more: object) -> dict:
    return {
        "Name": "Call",
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
        "Arguments": {"id": get("Execution.PipelineExecutionId"), "n": 2},
        "OutputParameters": [
            {"OutputName": "version", "OutputType": "String"},
            {"OutputName": "count", "OutputType": "Integer"},
        ],
        **more,
    }


def test_a_lambda_function_is_called_and_its_answer_can_be_used(emulator: Emulator) -> None:
    emulator.lambdas.answers = [({"version": "v7", "count": 2, "more": "x"}, None)]
    after = fail(
        "Stop", join("-", get("Steps.Call.OutputParameters['version']"), get("Steps.Call.OutputParameters['count']"))
    )
    arn = emulator.run(pipeline(lambda_step(), after))
    ((function, payload),) = emulator.lambdas.payloads
    assert function.endswith(":function:f")
    assert payload == {"id": arn.rsplit("/", 1)[1], "n": 2}
    assert emulator.reason(arn, "Stop") == "v7-2"
    assert emulator.steps(arn)["Call"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "version", "Value": "v7"},
        {"Name": "count", "Value": "2"},
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (({"errorType": "ValueError", "errorMessage": "no"}, "Unhandled"), "failed with ValueError: no"),
        (({"version": "v7"}, None), "lacks count of type Integer"),
        (({"version": "v7", "count": "2"}, None), "lacks count of type Integer"),
        (client_error("Invoke", "ResourceNotFoundException", 404), "Invoke failed with ResourceNotFoundException"),
    ],
)
def test_a_lambda_function_that_fails_fails_its_step(emulator: Emulator, answer: object, reason: str) -> None:
    emulator.lambdas.answers = [answer]
    assert reason in emulator.reason(emulator.run(pipeline(lambda_step())), "Call")


def test_a_defect_of_the_engine_ends_the_execution(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    def break_down() -> str:
        raise KeyError("a defect")

    emulator.registry_answer = break_down
    arn = emulator.run(pipeline(register()))
    assert "the local SageMaker failed with KeyError" in emulator.reason(arn, "Register")
    assert "a defect" in caplog.text
