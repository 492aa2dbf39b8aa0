"""What the commands about a task's event stream share: which AWS they talk to, and what things are called there."""

import json
from collections.abc import Callable
from typing import Any

import boto3

from local.stage import running_stage

LOCAL = "local"


class OperationError(Exception):
    """A command cannot do what it was asked to; says why and what to do."""


def clients_of(stage: str) -> Callable[[str], Any]:
    """Makes boto3 clients by the service's name: for the stage `local` those of the local AWS that is running here.

    For every other stage those of the AWS account of your credentials.

    Raises:
        LocalError: no local AWS is running.
    """
    return running_stage().aws.client if stage == LOCAL else boto3.client


def output_of(cloudformation: Any, stage: str, task: str, output: str) -> str:
    """What the stage's stack of events says of one task in one of its outputs, such as `TextQueues`.

    Raises:
        OperationError: the task has no stream in this stage.
    """
    (stack,) = cloudformation.describe_stacks(StackName=f"ReportTuning-{stage}-Events")["Stacks"]
    outputs = {found["OutputKey"]: found["OutputValue"] for found in stack["Outputs"]}
    named: dict[str, str] = json.loads(outputs[output])
    if task not in named:
        raise OperationError(f"task {task} has no stream in stage {stage}; there are: {', '.join(sorted(named))}")
    return named[task]
