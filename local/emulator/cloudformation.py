"""CloudFormation's view of SageMaker: resource types that act through the API, and what ministack leaves out of S3.

Ref and GetAtt are those of AWS's resource reference: a pipeline's Ref is its name, every other type's Ref its ARN.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from local.emulator.errors import EmulatorError, ResourceNotFound, ValidationError
from local.emulator.ministack_hooks import module
from local.emulator.sagemaker.names import name_of
from local.emulator.sagemaker.shapes import coerce_properties

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
Properties = dict[str, Any]
# CloudFormation gives up on a resource after hours; an endpoint here is ready in seconds or not at all.
SETTLE_SECONDS = 1200.0
_POLL_SECONDS = 0.1
_NAMESPACE = "AWS::SageMaker::"
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


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


def register(call: Call) -> None:
    """Make ministack's CloudFormation know SageMaker's types and a bucket's `BucketEncryption` and `Tags`."""
    provisioners = module("ministack.services.cloudformation.provisioners")
    for kind in TYPES:
        resource = _Resource(kind, call)
        name = _NAMESPACE + kind.noun
        provisioners._RESOURCE_HANDLERS[name] = {
            "create": resource.create,
            "update": resource.update,
            "delete": resource.delete,
        }
        provisioners._REPLACING_PROPERTIES[name] = tuple(
            member for member in kind.properties if member not in kind.updates
        )
    _run_off_the_loop()
    s3 = module("ministack.services.s3")
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        ("Tags", tagging_xml, s3._put_bucket_tagging, s3._delete_bucket_tagging),
    )


class _Resource:
    """The handlers of one type. They run on worker threads, since they wait for endpoints and read from S3."""

    def __init__(self, kind: ResourceType, call: Call) -> None:
        self._kind = kind
        self._call = call

    def create(self, logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, str]]:
        kind = self._kind
        name = properties.get(kind.name)
        if name is None:
            provisioners = module("ministack.services.cloudformation.provisioners")
            name = provisioners._physical_name(stack, logical_id, max_len=63)
        request = {**self._request(properties), kind.name: name}
        if properties.get("Tags"):
            request["Tags"] = properties["Tags"]
        if kind.noun == "Pipeline":
            request["ClientRequestToken"] = str(uuid.uuid4())
        arn = self._call(f"Create{kind.noun}", request)[kind.arn]
        if kind.noun == "Endpoint":
            self._await_created(name)
        return self._identity(name, arn)

    def update(self, physical_id: str, old: Properties, new: Properties, _stack: str) -> tuple[str, dict[str, str]]:
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
        self._update_tags(arn, old.get("Tags") or [], new.get("Tags") or [])
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
            _wait(lambda: not self._exists(name), f"endpoint {name} to be deleted")

    def _identity(self, name: str, arn: str) -> tuple[str, dict[str, str]]:
        described = self._call(f"Describe{self._kind.noun}", {self._kind.name: name})
        attributes = {attribute: _text(described[attribute]) for attribute in self._kind.attributes}
        return (name if self._kind.ref_is_name else arn), attributes

    def _request(self, properties: Properties) -> Properties:
        """The properties in the API's names and types.

        Raises:
            ValidationError: a property that the local AWS does not know.
        """
        kind = self._kind
        foreign = sorted(set(properties) - set(kind.properties) - {"Tags"})
        if foreign:
            raise ValidationError(f"{_NAMESPACE}{kind.noun}: the local AWS does not offer {', '.join(foreign)}")
        given = {member: value for member, value in properties.items() if member != "Tags"}
        if kind.noun == "Pipeline":
            _place_definition(given)
        return coerce_properties(f"Create{kind.noun}", given)

    def _await_created(self, name: str) -> None:
        try:
            self._await_in_service(name)
        except EmulatorError:
            # CloudFormation does not know the endpoint yet, so nobody else would delete it.
            self._call("DeleteEndpoint", {"EndpointName": name})
            _wait(lambda: not self._exists(name), f"endpoint {name} to be deleted")
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

        _wait(settled, f"endpoint {name} to settle")
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

    def _update_tags(self, arn: str, old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
        gone = sorted({tag["Key"] for tag in old} - {tag["Key"] for tag in new})
        if gone:
            self._call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        if new and new != old:
            self._call("AddTags", {"ResourceArn": arn, "Tags": new})


def encryption_xml(configuration: Mapping[str, Any]) -> bytes:
    """A bucket's `BucketEncryption` property as the body of PutBucketEncryption."""
    root = ElementTree.Element("ServerSideEncryptionConfiguration", xmlns=_S3_NAMESPACE)
    for given in configuration["ServerSideEncryptionConfiguration"]:
        rule = ElementTree.SubElement(root, "Rule")
        default = given.get("ServerSideEncryptionByDefault")
        if default is not None:
            applied = ElementTree.SubElement(rule, "ApplyServerSideEncryptionByDefault")
            ElementTree.SubElement(applied, "SSEAlgorithm").text = default["SSEAlgorithm"]
            if default.get("KMSMasterKeyID"):
                ElementTree.SubElement(applied, "KMSMasterKeyID").text = default["KMSMasterKeyID"]
        if "BucketKeyEnabled" in given:
            enabled = str(given["BucketKeyEnabled"]).lower()
            ElementTree.SubElement(rule, "BucketKeyEnabled").text = enabled
    return ElementTree.tostring(root)


def tagging_xml(tags: Sequence[Mapping[str, str]]) -> bytes:
    """A bucket's `Tags` property as the body of PutBucketTagging."""
    root = ElementTree.Element("Tagging", xmlns=_S3_NAMESPACE)
    tag_set = ElementTree.SubElement(root, "TagSet")
    for given in tags:
        tag = ElementTree.SubElement(tag_set, "Tag")
        ElementTree.SubElement(tag, "Key").text = given["Key"]
        ElementTree.SubElement(tag, "Value").text = given["Value"]
    return ElementTree.tostring(root)


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


def _run_off_the_loop() -> None:
    """Let ministack run SageMaker's handlers on worker threads: they wait for requests that its loop must answer."""
    stacks = module("ministack.services.cloudformation.stacks")
    others = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind.startswith(_NAMESPACE) or others(kind)


def _text(value: Any) -> str:
    """An attribute as GetAtt gives it: always a text, a time in ISO 8601."""
    return datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, float) else str(value)


def _wait(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise ValidationError(f"waited {SETTLE_SECONDS:.0f} s for {what}")
        time.sleep(_POLL_SECONDS)
