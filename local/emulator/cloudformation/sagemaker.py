"""SageMaker's resource types.

Ref and GetAtt are those of AWS's resource reference: a pipeline's Ref is its name, every other type's Ref its ARN.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.cloudformation.resources import (
    Call,
    Identity,
    Properties,
    Resource,
    attribute_text,
    check_offered,
    physical_name,
    removed_tags,
    wait,
)
from local.emulator.errors import EmulatorError, ResourceNotFound, ValidationError
from local.emulator.sagemaker.names import name_of
from local.emulator.sagemaker.shapes import SHAPES


@dataclass(frozen=True)
class ResourceType:
    """How a CloudFormation type maps to SageMaker's operations `Create<noun>`, `Describe<noun>`, ...

    `name` is the property with the resource's name, `kind` the word in its ARN, `arn` the member of Create's answer
    that holds it. `attributes` are what GetAtt knows. `updates` are the properties that change in place; `Tags`
    always do; any other changed property replaces the resource.
    """

    noun: str
    name: str
    kind: str
    arn: str
    attributes: tuple[str, ...]
    properties: tuple[str, ...]
    updates: tuple[str, ...] = ()
    ref_is_name: bool = False


TYPES = (
    ResourceType(
        noun="Pipeline",
        name="PipelineName",
        kind="pipeline",
        arn="PipelineArn",
        attributes=(),
        properties=(
            "PipelineName",
            "PipelineDisplayName",
            "PipelineDescription",
            "PipelineDefinition",
            "RoleArn",
            "ParallelismConfiguration",
        ),
        updates=(
            "PipelineDisplayName",
            "PipelineDescription",
            "PipelineDefinition",
            "RoleArn",
            "ParallelismConfiguration",
        ),
        ref_is_name=True,
    ),
    ResourceType(
        noun="ModelPackageGroup",
        name="ModelPackageGroupName",
        kind="model-package-group",
        arn="ModelPackageGroupArn",
        attributes=("ModelPackageGroupArn", "CreationTime", "ModelPackageGroupStatus"),
        properties=("ModelPackageGroupName", "ModelPackageGroupDescription"),
    ),
    ResourceType(
        noun="Model",
        name="ModelName",
        kind="model",
        arn="ModelArn",
        attributes=("ModelName",),
        properties=(
            "ModelName",
            "PrimaryContainer",
            "Containers",
            "ExecutionRoleArn",
            "VpcConfig",
            "EnableNetworkIsolation",
            "InferenceExecutionConfig",
        ),
    ),
    ResourceType(
        noun="EndpointConfig",
        name="EndpointConfigName",
        kind="endpoint-config",
        arn="EndpointConfigArn",
        attributes=("EndpointConfigName",),
        properties=(
            "EndpointConfigName",
            "ProductionVariants",
            "KmsKeyId",
            "ExecutionRoleArn",
            "VpcConfig",
            "EnableNetworkIsolation",
            "DataCaptureConfig",
            "AsyncInferenceConfig",
            "ExplainerConfig",
            "ShadowProductionVariants",
        ),
    ),
    ResourceType(
        noun="Endpoint",
        name="EndpointName",
        kind="endpoint",
        arn="EndpointArn",
        attributes=("EndpointName",),
        properties=("EndpointName", "EndpointConfigName", "DeploymentConfig"),
        updates=("EndpointConfigName", "DeploymentConfig"),
    ),
)


def sagemaker_resources(call: Call) -> list[Resource]:
    """SageMaker's types; `call` does an operation of its API."""
    return [_SageMakerResource(kind, call) for kind in TYPES]


class _SageMakerResource:
    """The handlers of one type."""

    def __init__(self, kind: ResourceType, call: Call) -> None:
        self._kind = kind
        self._call = call

    @property
    def type_name(self) -> str:
        return f"AWS::SageMaker::{self._kind.noun}"

    @property
    def replacing(self) -> Sequence[str]:
        return [member for member in self._kind.properties if member not in self._kind.updates]

    def create(self, logical_id: str, properties: Properties, stack: str) -> Identity:
        kind = self._kind
        name = properties.get(kind.name)
        if name is None:
            name = physical_name(stack, logical_id)
        request = {**self._request(properties), kind.name: name}
        if properties.get("Tags"):
            request["Tags"] = properties["Tags"]
        if kind.noun == "Pipeline":
            request["ClientRequestToken"] = str(uuid.uuid4())
        arn = self._call(f"Create{kind.noun}", request)[kind.arn]
        if kind.noun == "Endpoint":
            self._await_created(name)
        return self._identity(name, arn)

    def update(self, physical_id: str, old: Properties, new: Properties, _stack: str) -> Identity:
        """Properties that replace the resource never come here: ministack creates a new one for them."""
        kind = self._kind
        name = name_of(kind.kind, physical_id)
        described = self._call(f"Describe{kind.noun}", {kind.name: name})
        arn = described[kind.arn]
        before, after = self._request(old), self._request(new)
        if any(before.get(member) != after.get(member) for member in kind.updates):
            request = {member: after[member] for member in kind.updates if member in after}
            if kind.noun == "Endpoint":
                self._update_endpoint(name, request)
            else:
                self._call(f"Update{kind.noun}", {kind.name: name, **request})
        self._update_tags(arn, old, new)
        return self._identity(name, arn)

    def delete(self, physical_id: str, _properties: Properties) -> None:
        kind = self._kind
        name = name_of(kind.kind, physical_id)
        if not self._exists(name):
            return  # Somebody else deleted it: CloudFormation counts that as deleted.
        request = {kind.name: name}
        if kind.noun == "Pipeline":
            request["ClientRequestToken"] = str(uuid.uuid4())
        self._call(f"Delete{kind.noun}", request)
        if kind.noun == "Endpoint":
            wait(lambda: not self._exists(name), f"endpoint {name} to be deleted")

    def _identity(self, name: str, arn: str) -> Identity:
        described = self._call(f"Describe{self._kind.noun}", {self._kind.name: name})
        attributes = {attribute: attribute_text(described[attribute]) for attribute in self._kind.attributes}
        return (name if self._kind.ref_is_name else arn), attributes

    def _request(self, properties: Properties) -> Properties:
        """The properties in the API's names and types.

        Raises:
            ValidationError: a property that the local AWS does not know.
        """
        kind = self._kind
        check_offered(self.type_name, properties, (*kind.properties, "Tags"))
        given = {member: value for member, value in properties.items() if member != "Tags"}
        if kind.noun == "Pipeline":
            _place_definition(given)
        return SHAPES.coerce_properties(f"Create{kind.noun}", given)

    def _await_created(self, name: str) -> None:
        try:
            self._await_in_service(name)
        except EmulatorError:
            # CloudFormation does not know the endpoint yet, so nobody else would delete it.
            self._call("DeleteEndpoint", {"EndpointName": name})
            wait(lambda: not self._exists(name), f"endpoint {name} to be deleted")
            raise

    def _update_endpoint(self, name: str, request: Properties) -> None:
        self._call("UpdateEndpoint", {"EndpointName": name, **request})
        self._await_in_service(name)

    def _await_in_service(self, name: str) -> None:
        """Wait for the end of a deployment.

        Raises:
            ValidationError: it failed, also when the old server is still in service.
        """

        def settled() -> bool:
            return self._endpoint(name)["EndpointStatus"] not in ("Creating", "Updating", "RollingBack")

        wait(settled, f"endpoint {name} to settle")
        endpoint = self._endpoint(name)
        if endpoint["EndpointStatus"] != "InService" or "FailureReason" in endpoint:
            reason = endpoint.get("FailureReason", endpoint["EndpointStatus"])
            raise ValidationError(f"endpoint {name}: {reason}")

    def _endpoint(self, name: str) -> dict[str, Any]:
        return self._call("DescribeEndpoint", {"EndpointName": name})

    def _exists(self, name: str) -> bool:
        try:
            self._call(f"Describe{self._kind.noun}", {self._kind.name: name})
        except (ResourceNotFound, ValidationError):
            return False
        return True

    def _update_tags(self, arn: str, old: Properties, new: Properties) -> None:
        gone = removed_tags(old, new)
        if gone:
            self._call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        if new.get("Tags") and new["Tags"] != old.get("Tags"):
            self._call("AddTags", {"ResourceArn": arn, "Tags": new["Tags"]})


def _place_definition(given: Properties) -> None:
    """CloudFormation's `PipelineDefinition` holds the body or its place in S3; the API has a member for each."""
    definition = given.pop("PipelineDefinition", {})
    if "PipelineDefinitionBody" in definition:
        given["PipelineDefinition"] = definition["PipelineDefinitionBody"]
    if "PipelineDefinitionS3Location" in definition:
        location = dict(definition["PipelineDefinitionS3Location"])
        location["ObjectKey"] = location.pop("Key")
        if "Version" in location:
            location["VersionId"] = location.pop("Version")
        location.pop("ETag", None)
        given["PipelineDefinitionS3Location"] = location
