"""What a task's endpoints need around them: a role, alarms, and a custom resource that follows the registry.

The endpoints themselves are made by `lambdas/roll_out` and not by CloudFormation: they serve what was approved last,
which no template knows. So a redeploy can never move a live endpoint back to an older model.
"""

from typing import Any

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from constructs import Construct

from stacks.config import Task, Variant
from stacks.foundation import Foundation
from stacks.job_role import Access, JobRole

VARIANT_NAME = "main"


class LiveEndpoint(Construct):
    """Role and alarms of a task's live endpoint (and of the one with the model before fine-tuning)."""

    def __init__(self, scope: Construct, construct_id: str, *, task: Task, foundation: Foundation) -> None:
        super().__init__(scope, construct_id)
        self._task = task
        self._stage = foundation.stage
        self._alarm_topic = foundation.alarms
        self.name = self._stage.name_for(task)
        self.pretrained_name = f"{self.name}-pretrained"
        self.role = JobRole(
            self,
            "Role",
            description=f"{task.title}: endpoints",
            bucket=foundation.bucket,
            key=foundation.key,
            access=Access(reads=(f"runs/{task.name}/*/{task.model_folder}/*", f"runs/{task.name}/*/staged/*")),
        )
        self._alarms: dict[str, cloudwatch.Alarm] = {}
        self._add_alarm("server-errors", "Invocation5XXErrors", "Sum", threshold=5)
        # Microseconds; SageMaker ends a request after 60 s, and a reader has given up long before.
        self._add_alarm("latency", "ModelLatency", "p90", threshold=20_000_000)

    def settings(self) -> dict[str, Any]:
        """This task's value in the variable TASKS of `lambdas/roll_out`."""
        pretrained = self._task.pretrained
        return {
            "model_package_group": self.name,
            "live_endpoint": self.name,
            "pretrained_endpoint": self.pretrained_name,
            "role": self.role.role_arn,
            "live": _variant(self._task.serving.live),
            "pretrained": _variant(pretrained) if pretrained else None,
            "alarms": list(self._alarms),
            "bake_seconds": self._stage.bake_seconds,
            "similar_text": self._task.similar_text,
        }

    def follow_registry(self, service_token: str) -> CustomResource:
        """Reconcile on every deployment that changes how the task is served; remove the endpoints on destroy."""
        stack = Stack.of(self)
        resource = CustomResource(
            self,
            "RollOut",
            service_token=service_token,
            resource_type="Custom::RollOut",
            properties={
                "Task": self._task.name,
                "ModelPackageGroup": self.name,
                "LiveEndpoint": self.name,
                "PretrainedEndpoint": self.pretrained_name,
                "Settings": stack.to_json_string(self.settings()),
            },
        )
        for alarm in self._alarms.values():
            resource.node.add_dependency(alarm)
        # A model that is made before its role has its rights fails.
        resource.node.add_dependency(self.role)
        return resource

    def _add_alarm(self, suffix: str, metric: str, statistic: str, *, threshold: float) -> None:
        # SageMaker rolls back by an alarm's name.
        name = f"{self.name}-{suffix}"
        alarm = cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=metric,
            statistic=statistic,
            period=Duration.minutes(1),
            dimensions_map={"EndpointName": self.name, "VariantName": VARIANT_NAME},
        ).create_alarm(
            self,
            f"Alarm-{suffix}",
            alarm_name=name,
            alarm_description=f"{self._task.title}: {metric} of the live endpoint",
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(cloudwatch_actions.SnsAction(self._alarm_topic))
        self._alarms[name] = alarm


def _variant(variant: Variant) -> dict[str, Any]:
    return {"instance_type": variant.instance_type, "instance_count": variant.instance_count}
