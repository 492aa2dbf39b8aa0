"""The real app, synthesised once for all tests of this folder: the SDK and the CDK take their time."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from app import build_app

REPOSITORY = Path(__file__).resolve().parents[2]
STAGES = ("local", "dev", "prod")


@pytest.fixture(scope="session")
def templates() -> Mapping[str, Mapping[str, Template]]:
    """Stage -> stack (Storage, Training, Serving, Analytics) -> its template."""
    os.environ["PATH"] = f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {stage: _templates(stage) for stage in STAGES}


@pytest.fixture(scope="session")
def definitions(templates: Mapping[str, Mapping[str, Template]]) -> Mapping[str, dict[str, Any]]:
    """Stage -> the definition of the radiology pipeline as deployed, with every token replaced by its name."""
    return {stage: pipeline_definition(stacks["Training"]) for stage, stacks in templates.items()}


def pipeline_definition(template: Template) -> dict[str, Any]:
    """The definition of the one pipeline in a template."""
    (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
    definition: dict[str, Any] = json.loads(
        resolve(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])
    )
    return definition


def resolve(value: Any) -> str:
    """The text of a CloudFormation value, a stand-in for each reference: what it would be once deployed."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(resolve(part) for part in argument[1])
    if function == "Fn::Sub":
        return str(argument).replace("${AWS::AccountId}", "111111111111")
    if function == "Fn::GetAtt" and argument[1] == "Arn":
        return f"arn:aws:iam::111111111111:role/{argument[0]}"
    if function == "Fn::ImportValue":
        export = str(argument)
        return "arn:aws:kms:us-east-1:111111111111:key/key" if "Key" in export else "data-bucket"
    return str(argument).replace("AWS::Partition", "aws").replace("AWS::AccountId", "111111111111")


def _templates(stage: str) -> dict[str, Template]:
    context = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    stacks = build_app(App(context={**context, "stage": stage}))
    return {stack.stack_name.rsplit("-", 1)[-1]: Template.from_stack(stack) for stack in stacks}
