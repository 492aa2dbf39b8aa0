"""A CloudFormation stack as a thing to deploy and delete in tests."""

import json
from typing import Any

from local.aws import LocalAws
from tests.local.aws_helpers import unique

WAITER = {"Delay": 1, "MaxAttempts": 60}
Resources = dict[str, dict[str, Any]]


class Stack:
    """One stack. `deploy` creates or updates it."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.name = unique("stack")
        self.cloudformation = aws.client("cloudformation")
        self._created = False

    def deploy(self, resources: Resources, outputs: dict[str, Any] | None = None, **more: Any) -> dict[str, str]:
        template = {
            "Parameters": {name: {"Type": "String"} for name in more},
            "Resources": resources,
            "Outputs": {name: {"Value": value} for name, value in (outputs or {}).items()},
        }
        verb = "update" if self._created else "create"
        getattr(self.cloudformation, f"{verb}_stack")(
            StackName=self.name,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in more.items()],
        )
        self.cloudformation.get_waiter(f"stack_{verb}_complete").wait(StackName=self.name, WaiterConfig=WAITER)
        self._created = True
        (described,) = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def delete(self) -> None:
        self.cloudformation.delete_stack(StackName=self.name)
        self.cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig=WAITER)

    def reasons(self) -> str:
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)
