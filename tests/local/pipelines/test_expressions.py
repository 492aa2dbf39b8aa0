"""Expressions, conditions and parameters: what they come to, and what is refused before anything runs."""

from typing import Any

import pytest

from local.emulator.errors import ValidationError
from local.emulator.pipelines.conditions import all_hold, check_condition
from local.emulator.pipelines.expressions import Scope, evaluate, parse_path
from local.emulator.pipelines.failures import ExpressionError
from local.emulator.pipelines.job_requests import request_shape
from local.emulator.pipelines.parameters import resolve_parameters
from tests.local.pipelines.definitions import get, join

SCOPE = Scope(
    parameters={"Epochs": 3, "Rate": 0.0003, "Quick": True, "Name": "x"},
    execution={"PipelineExecutionId": lambda: "abc123"},
    properties={
        "Prepare": {
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
                    {"OutputName": "re port", "S3Output": {"S3Uri": "s3://b/report/"}},
                ]
            }
        },
        "Fine-Tune_1": {"FinalMetricDataList": [{"MetricName": "eval:loss", "Value": 2.1}], "Tags": {"a.b": "c"}},
    },
    property_files={("Prepare", "Report"): ("re port", "report.json")},
    read_json={"s3://b/report/report.json": {"a": {"b.c": [1, {"d": "deep"}]}, "list": []}}.__getitem__,
)


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.Report"), "Path": path}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (get("Parameters.Epochs"), 3),
        (get("Execution.PipelineExecutionId"), "abc123"),
        (get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "s3://b/train"),
        (get("Steps.Prepare.ProcessingOutputConfig.Outputs[1].S3Output.S3Uri"), "s3://b/report/"),
        (get("Steps.Fine-Tune_1.FinalMetricDataList['eval:loss'].Value"), 2.1),
        (get('Steps.Fine-Tune_1.Tags["a.b"]'), "c"),
        (join("/", "s3://b", get("Execution.PipelineExecutionId"), get("Parameters.Epochs")), "s3://b/abc123/3"),
        (join("", get("Parameters.Quick"), join("-", get("Parameters.Rate"), "z")), "true0.0003-z"),
        (json_get("a['b.c'][1].d"), "deep"),
        (json_get("$.a['b.c'][0]"), 1),
        ({"Std:JsonGet": {"S3Uri": join("/", "s3://b/report", "report.json"), "Path": "a['b.c'][0]"}}, 1),
        ({"Get": "Parameters.Name", "Other": 1}, {"Get": "Parameters.Name", "Other": 1}),
        ([{"deep": get("Parameters.Name")}, "plain"], [{"deep": "x"}, "plain"]),
    ],
)
def test_what_an_expression_comes_to(expression: Any, value: Any) -> None:
    assert evaluate(expression, SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (get("Steps.Prepare.ProcessingOutputConfig.Outputs['gone'].S3Output.S3Uri"), "there is no 'gone'"),
        (get("Steps.Prepare.ProcessingOutputConfig.Outputs[2].S3Output.S3Uri"), "there is no 2"),
        (get("Steps.Never.X"), "step Never has not run"),
        (get("Execution.TrainingJobName"), "has no value in this step"),
        (json_get("a.gone"), "there is no 'gone'"),
        (json_get("list"), "is no text, number or truth value"),
        (join("/", get("Steps.Prepare.ProcessingOutputConfig")), "cannot become text"),
    ],
)
def test_an_expression_without_value_fails_its_step(expression: Any, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason.replace("[", "\\[")):
        evaluate(expression, SCOPE)


def test_a_number_becomes_text_only_where_the_request_wants_text() -> None:
    arguments = {
        "HyperParameters": {"epochs": get("Parameters.Epochs"), "quick": get("Parameters.Quick"), "literal": 3},
        "ResourceConfig": {"InstanceCount": get("Parameters.Epochs")},
        "AlgorithmSpecification": {"ContainerArguments": ["--rate", get("Parameters.Rate")]},
    }
    assert evaluate(arguments, SCOPE, request_shape("Training")) == {
        # The literal stays as it is: the request's validation refuses it, as AWS does.
        "HyperParameters": {"epochs": "3", "quick": "true", "literal": 3},
        "ResourceConfig": {"InstanceCount": 3},
        "AlgorithmSpecification": {"ContainerArguments": ["--rate", "0.0003"]},
    }


@pytest.mark.parametrize("path", ["a..b", "a[", "a['b]", "a b", ".['"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValidationError, match="Not a path"):
        parse_path(path)


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (compare("Equals", get("Parameters.Epochs"), 3.0), True),
        (compare("Equals", get("Parameters.Name"), "y"), False),
        (compare("Equals", get("Parameters.Quick"), True), True),
        (compare("GreaterThan", 3, 3), False),
        (compare("GreaterThanOrEqualTo", 3, 3), True),
        (compare("LessThan", "a", "b"), True),
        (compare("LessThanOrEqualTo", 4, get("Parameters.Epochs")), False),
        ({"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["y", get("Parameters.Name")]}, True),
        ({"Type": "In", "QueryValue": 1, "Values": [True, "1"]}, False),
        ({"Type": "Not", "Condition": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "Or", "Conditions": [{"Type": "Not", "Condition": compare("Equals", 1, 1)}]}, False),
    ],
)
def test_what_a_condition_comes_to(condition: dict[str, Any], outcome: bool) -> None:
    check_condition(condition, "Gate")
    assert all_hold([condition], SCOPE) is outcome
    assert all_hold([compare("Equals", 1, 1), condition], SCOPE) is outcome


@pytest.mark.parametrize(
    "condition", [compare("Equals", "1", 1), compare("Equals", True, 1), compare("LessThan", True, False)]
)
def test_what_cannot_be_compared_fails_the_step(condition: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="cannot compare"):
        all_hold([condition], SCOPE)


@pytest.mark.parametrize(
    "condition",
    [
        {"Type": "Contains", "LeftValue": 1, "RightValue": 1},
        {"Type": "Equals", "LeftValue": 1},
        {"Type": "Not", "Expression": compare("Equals", 1, 1)},
        {"Type": "Or", "Conditions": [{"Type": "Nothing"}]},
        {"Type": "Or", "Conditions": {}},
        {"Type": "In", "QueryValue": 1, "Values": 1},
        "Equals",
    ],
)
def test_malformed_conditions_are_refused(condition: Any) -> None:
    with pytest.raises(ValidationError, match="Step Gate"):
        check_condition(condition, "Gate")


DECLARED = [
    {"Name": "Text", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Rate", "Type": "Float", "DefaultValue": 1},
    {"Name": "Quick", "Type": "Boolean", "DefaultValue": False},
]


def test_parameters_have_their_defaults_and_types() -> None:
    assert resolve_parameters(DECLARED, {}) == {"Text": "a", "Count": 1, "Rate": 1.0, "Quick": False}
    given = {"Text": "b", "Count": "-2", "Rate": "3e-4", "Quick": "True"}
    assert resolve_parameters(DECLARED, given) == {"Text": "b", "Count": -2, "Rate": 0.0003, "Quick": True}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Other": "1"}, "Unknown pipeline parameters: Other"),
        ({"Text": "c"}, "Text must be one of a, b, got 'c'"),
        ({"Count": "1.5"}, "Count must be of type Integer"),
        ({"Count": "1_000"}, "Count must be of type Integer"),
        ({"Count": 1}, "Count must be of type Integer"),
        ({"Rate": "nan"}, "Rate must be of type Float"),
        ({"Rate": "fast"}, "Rate must be of type Float"),
        ({"Quick": "yes"}, "Quick must be of type Boolean"),
    ],
)
def test_a_wrong_parameter_is_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        resolve_parameters(DECLARED, given)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"Name": "Needed", "Type": "String"}, "need a value: Needed"),
        ({"Name": "Odd", "Type": "List"}, "Type must be one of"),
        ({"Name": "Count", "Type": "Integer", "DefaultValue": "1"}, "DefaultValue '1' is not of type Integer"),
        ({"Name": "Count", "Type": "Integer", "DefaultValue": True}, "DefaultValue True is not of type Integer"),
        ({"Name": "Text", "Type": "String", "DefaultValue": "c", "EnumValues": ["a"]}, "must be one of a"),
        ({"Type": "String"}, "needs a Name"),
        ({"Name": "Text", "Type": "String", "Unknown": 1}, "unknown members Unknown"),
    ],
)
def test_a_wrong_declaration_is_refused(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        resolve_parameters([declared], {})
