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
from stacks.config import TASKS_FOLDER
from tests.jumpstart_content import NEW, write_lock_file, write_task

REPOSITORY = Path(__file__).resolve().parents[2]
RADIOLOGY, ADVERSE_EVENTS, CLINICAL_NOTES = "RadiologyImpressions", "AdverseEvents", "ClinicalNotes"
STAGES = ("local", "dev", "prod")
# The stage dev, with the radiology task fine-tuned by JumpStart's script.
JUMPSTART = "jumpstart"
VARIANTS = (*STAGES, JUMPSTART)
# The pipeline that classifies adverse events, in these stages.
EVENTS = {f"events {stage}": stage for stage in STAGES}
# The one that summarises clinical notes, with candidates.
NOTES = {f"notes {stage}": stage for stage in STAGES}
PIPELINES = (*VARIANTS, *EVENTS, *NOTES)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Template]]:
    """Stage or JUMPSTART -> stack (Storage, Training, Serving, Analytics) -> its template."""
    os.environ["PATH"] = f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    folder = tmp_path_factory.mktemp("jumpstart")
    write_task(TASKS_FOLDER / "radiology_impressions.yaml", folder / "tasks")
    write_lock_file(folder, NEW)
    by_stage = {stage: synthesised(stage=stage) for stage in STAGES}
    return {**by_stage, JUMPSTART: synthesised(stage="dev", tasks=str(folder / "tasks"))}


@pytest.fixture(scope="session")
def definitions(templates: Mapping[str, Mapping[str, Template]]) -> Mapping[str, dict[str, Any]]:
    """Stage or JUMPSTART -> the radiology pipeline's definition as deployed, EVENTS and NOTES -> those of the others;
    every token replaced by its name."""
    radiology = {stage: pipeline_definition(stacks["Training"], RADIOLOGY) for stage, stacks in templates.items()}
    events = {name: pipeline_definition(templates[stage]["Training"], ADVERSE_EVENTS) for name, stage in EVENTS.items()}
    notes = {name: pipeline_definition(templates[stage]["Training"], CLINICAL_NOTES) for name, stage in NOTES.items()}
    return {**radiology, **events, **notes}


def pipeline_definition(template: Template, task: str) -> dict[str, Any]:
    """The definition of the pipeline in a template whose construct's id is `task`."""
    found = template.find_resources("AWS::SageMaker::Pipeline")
    (pipeline,) = (resource for name, resource in found.items() if name.startswith(task))
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


def synthesised(**context: str) -> dict[str, Template]:
    """Stack -> its template, of the app with this context."""
    shipped = json.loads((REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    stacks = build_app(App(context={**shipped, **context}))
    return {stack.stack_name.rsplit("-", 1)[-1]: Template.from_stack(stack) for stack in stacks}
