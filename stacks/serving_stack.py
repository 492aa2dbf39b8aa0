"""Serving: endpoints that follow the registry."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.encrypted_queue import DeadLetterQueue
from stacks.foundation import Foundation
from stacks.glue_function import GlueFunction
from stacks.live_endpoint import LiveEndpoint


class ServingStack(Stack):
    """Approval of a model package → EventBridge → roll_out → the live endpoint moves to it, blue/green."""

    def __init__(self, scope: Construct, construct_id: str, *, foundation: Foundation) -> None:
        stage, tasks, key = foundation.stage, foundation.tasks, foundation.key
        super().__init__(scope, construct_id, env={"region": stage.region}, description="Report tuning: endpoints")
        endpoints = [LiveEndpoint(self, task.construct_id, task=task, foundation=foundation) for task in tasks]
        self._roots = f"arn:{self.partition}:sagemaker:{self.region}:{self.account}"
        settings = {task.name: endpoint.settings() for task, endpoint in zip(tasks, endpoints, strict=True)}
        dead_letters = DeadLetterQueue(self, "DeadLetters", key=key, alarms=foundation.alarms)
        function = GlueFunction(
            self,
            "RollOut",
            name="roll_out",
            description="Moves live endpoints to the newest approved model package",
            environment={"TASKS": self.to_json_string(settings), "KMS_KEY": key.key_arn},
            key=key,
            # Waits for endpoints to be gone when the stack is destroyed.
            timeout=Duration.minutes(15),
            dead_letters=dead_letters,
        )
        target = targets.LambdaFunction(
            function, dead_letter_queue=dead_letters, retry_attempts=10, max_event_age=Duration.hours(6)
        )
        self._grant(function, endpoints)
        function.allow(["kms:CreateGrant", "kms:DescribeKey"], [key.key_arn])
        rules = self._rules(target, endpoints)
        for endpoint in endpoints:
            roll_out = endpoint.follow_registry(function.function_arn)
            # Its policy must be there before it is called.
            roll_out.node.add_dependency(function.role)
            # On destroy the rules go first, so that no late event makes an endpoint anew.
            for rule in rules:
                rule.node.add_dependency(roll_out)

    def _rules(self, target: events.IRuleTarget, endpoints: list[LiveEndpoint]) -> list[events.Rule]:
        package_changed = events.Rule(
            self,
            "PackageChanged",
            description="A model package was approved or rejected",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={
                    "ModelPackageGroupName": [endpoint.name for endpoint in endpoints],
                    "ModelApprovalStatus": ["Approved", "Rejected"],
                },
            ),
            targets=[target],
        )
        names = [name for endpoint in endpoints for name in (endpoint.name, endpoint.pretrained_name)]
        endpoint_changed = events.Rule(
            self,
            "EndpointChanged",
            description="An endpoint came into service or failed",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Endpoint State Change"],
                detail={"EndpointName": names},
            ),
            targets=[target],
        )
        return [package_changed, endpoint_changed]

    def _grant(self, function: GlueFunction, endpoints: list[LiveEndpoint]) -> None:
        names = [endpoint.name for endpoint in endpoints]
        # Models and configurations are named after their endpoint.
        owned = [f"{self._roots}:{kind}/{name}*" for kind in ("endpoint", "endpoint-config", "model") for name in names]
        actions = [
            f"sagemaker:{verb}{kind}"
            for verb in ("Create", "Describe", "Delete")
            for kind in ("Model", "EndpointConfig", "Endpoint")
        ]
        function.allow(
            [*actions, "sagemaker:UpdateEndpoint", "sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:DeleteTags"],
            owned,
        )
        # Lists cannot be restricted to names.
        function.allow(["sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"], ["*"])
        packages = [f"{self._roots}:model-package-group/{name}" for name in names]
        function.allow(
            ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "sagemaker:DeleteModelPackage",
             "sagemaker:UpdateModelPackage"],
            [*packages, *(f"{self._roots}:model-package/{name}/*" for name in names)],
        )  # fmt: skip
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[endpoint.role.role_arn for endpoint in endpoints],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        # An update that rolls back on alarms is refused unless its caller may read them.
        function.allow(["cloudwatch:DescribeAlarms"], ["*"])
        function.allow(["cloudformation:DescribeStacks"], [self.stack_id])
