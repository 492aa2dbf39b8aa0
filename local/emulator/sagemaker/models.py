"""Models and endpoint configurations: what an endpoint serves, written down."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.listing import Listing, now
from local.emulator.sagemaker.model_registry import APPROVED, ModelRegistry
from local.emulator.sagemaker.names import arn
from local.emulator.sagemaker.tags import Tags

MODELS = Listing(
    result="Models",
    identity="ModelName",
    descending=True,
    sort_members={"Name": "ModelName", "CreationTime": "CreationTime"},
)
CONFIGS = Listing(
    result="EndpointConfigs",
    identity="EndpointConfigName",
    descending=True,
    sort_members={"Name": "EndpointConfigName", "CreationTime": "CreationTime"},
)
# Repositories of the images whose contract the model server keeps (handler functions of the Hugging Face inference
# toolkit); the job interpreter stands for all of their versions.
SERVED_IMAGES = ("huggingface-pytorch-inference",)
_CONTAINER_MEMBERS = {
    "ContainerHostname",
    "Image",
    "Mode",
    "ModelDataUrl",
    "ModelDataSource",
    "Environment",
    "ModelPackageName",
}
_NOT_OFFERED = ("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "DataCaptureConfig")
Operation = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Container:
    """What one variant runs: an S3 URI of a `model.tar.gz`, or of a prefix (`is_archive` false), or nothing."""

    image: str
    model_uri: str | None
    is_archive: bool
    environment: Mapping[str, str]


class Models:
    """Models and endpoint configurations by name. Both never change once created, as on AWS."""

    def __init__(self, *, registry: ModelRegistry, tags: Tags) -> None:
        self._registry = registry
        self._tags = tags
        self._lock = threading.RLock()
        self._models: dict[str, dict[str, Any]] = {}
        self._configs: dict[str, dict[str, Any]] = {}
        tags.know(lambda resource: any(m["ModelArn"] == resource for m in self._models.values()))
        tags.know(lambda resource: any(c["EndpointConfigArn"] == resource for c in self._configs.values()))

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateModel": self._create_model,
            "DescribeModel": lambda request: dict(self.model(request["ModelName"])),
            "DeleteModel": self._delete_model,
            "ListModels": lambda request: MODELS.page(
                [_members(model, "ModelName", "ModelArn", "CreationTime") for model in list(self._models.values())],
                request,
            ),
            "CreateEndpointConfig": self._create_config,
            "DescribeEndpointConfig": lambda request: dict(self.config(request["EndpointConfigName"])),
            "DeleteEndpointConfig": self._delete_config,
            "ListEndpointConfigs": lambda request: CONFIGS.page(
                [
                    _members(config, "EndpointConfigName", "EndpointConfigArn", "CreationTime")
                    for config in list(self._configs.values())
                ],
                request,
            ),
        }

    def model(self, name: str) -> dict[str, Any]:
        """The model of this name.

        Raises:
            ValidationError: there is none; that is AWS's code for it.
        """
        if name not in self._models:
            raise ValidationError(f'Could not find model "{arn("model", name)}".')
        return self._models[name]

    def config(self, name: str) -> dict[str, Any]:
        """The endpoint configuration of this name.

        Raises:
            ValidationError: there is none; that is AWS's code for it.
        """
        if name not in self._configs:
            raise ValidationError(f'Could not find endpoint configuration "{arn("endpoint-config", name)}".')
        return self._configs[name]

    def container(self, model_name: str) -> Container:
        """What a model's container runs, with a model package looked up.

        Raises:
            ValidationError: the model or its package is gone.
        """
        given = self.model(model_name)["PrimaryContainer"]
        environment = given.get("Environment", {})
        if "ModelPackageName" in given:
            package = self._registry.package(given["ModelPackageName"])
            given = package["InferenceSpecification"]["Containers"][0]
            environment = {**given.get("Environment", {}), **environment}
        source = given.get("ModelDataSource", {}).get("S3DataSource")
        if source is None:
            return Container(given["Image"], given.get("ModelDataUrl"), True, environment)
        return Container(given["Image"], source["S3Uri"], source["CompressionType"] == "Gzip", environment)

    def _create_model(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["ModelName"]
        containers = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
        containers += request.get("Containers", [])
        if len(containers) != 1 or "InferenceExecutionConfig" in request:
            raise ValidationError(
                f"a model has exactly one container here, in PrimaryContainer or Containers; got {len(containers)}"
            )
        self._check_container(containers[0])
        with self._lock:
            if name in self._models:
                raise ValidationError(f'Cannot create already existing model "{arn("model", name)}".')
            self._models[name] = {
                **_members(request, "ExecutionRoleArn", "VpcConfig"),
                "ModelName": name,
                "ModelArn": arn("model", name),
                "PrimaryContainer": containers[0],
                "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
                "CreationTime": now(),
            }
            self._tags.set(arn("model", name), request.get("Tags", []))
        return {"ModelArn": arn("model", name)}

    def _check_container(self, container: dict[str, Any]) -> None:
        foreign = sorted(set(container) - _CONTAINER_MEMBERS)
        if foreign:
            raise ValidationError(f"PrimaryContainer: the local AWS does not offer {', '.join(foreign)}")
        if container.get("Mode", "SingleModel") != "SingleModel":
            raise ValidationError("PrimaryContainer.Mode: the local AWS offers SingleModel only")
        if "ModelPackageName" not in container:
            _check_model_data(container)
            return
        if {"Image", "ModelDataUrl", "ModelDataSource"} & set(container):
            raise ValidationError("PrimaryContainer: ModelPackageName stands alone, without Image and model data")
        package = self._registry.package(container["ModelPackageName"])
        if package["ModelApprovalStatus"] != APPROVED:
            raise ValidationError(
                f"{package['ModelPackageArn']} is {package['ModelApprovalStatus']};"
                " only an Approved model package can be deployed"
            )
        containers = package["InferenceSpecification"]["Containers"]
        if len(containers) != 1:
            raise ValidationError(f"InferenceSpecification has {len(containers)} containers; 1 is offered here")
        _check_model_data(containers[0])

    def _delete_model(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            model = self.model(request["ModelName"])
            del self._models[model["ModelName"]]
            self._tags.forget(model["ModelArn"])
        return {}

    def _create_config(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EndpointConfigName"]
        for member in _NOT_OFFERED:
            if member in request:
                raise ValidationError(f"{member}: the local AWS does not offer this")
        variants = request["ProductionVariants"]
        if len(variants) != 1:
            raise ValidationError(f"ProductionVariants: the local AWS serves exactly 1, got {len(variants)}")
        if "ModelName" not in variants[0]:
            raise ValidationError("ProductionVariants[0].ModelName is required; there are no inference components")
        self.model(variants[0]["ModelName"])
        with self._lock:
            if name in self._configs:
                raise ValidationError(
                    f'Cannot create already existing endpoint configuration "{arn("endpoint-config", name)}".'
                )
            kept = {k: v for k, v in request.items() if k != "Tags"}
            self._configs[name] = {
                **kept,
                "EndpointConfigArn": arn("endpoint-config", name),
                "CreationTime": now(),
            }
            self._tags.set(arn("endpoint-config", name), request.get("Tags", []))
        return {"EndpointConfigArn": arn("endpoint-config", name)}

    def _delete_config(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            config = self.config(request["EndpointConfigName"])
            del self._configs[config["EndpointConfigName"]]
            self._tags.forget(config["EndpointConfigArn"])
        return {}


def _check_model_data(container: dict[str, Any]) -> None:
    if "Image" not in container:
        raise ValidationError("PrimaryContainer.Image is required")
    repository = re.sub(r"[:@].*", "", container["Image"].rpartition("/")[2])
    if repository not in SERVED_IMAGES:
        raise ValidationError(
            f"PrimaryContainer.Image: the local AWS serves images of {', '.join(SERVED_IMAGES)}, not of {repository}"
        )
    source = container.get("ModelDataSource")
    if source is not None and "ModelDataUrl" in container:
        raise ValidationError("PrimaryContainer: give one of ModelDataUrl and ModelDataSource")
    if "ModelDataUrl" in container and not container["ModelDataUrl"].startswith("s3://"):
        raise ValidationError("PrimaryContainer.ModelDataUrl must begin with s3://")
    if source is None:
        return
    s3 = source.get("S3DataSource", {})
    kind = (s3.get("S3DataType"), s3.get("CompressionType"))
    if kind not in (("S3Prefix", "None"), ("S3Object", "Gzip")):
        raise ValidationError(
            "ModelDataSource.S3DataSource: the local AWS offers S3Prefix with CompressionType None,"
            " and S3Object with Gzip"
        )
    if kind[0] == "S3Prefix" and not s3["S3Uri"].endswith("/"):
        raise ValidationError("ModelDataSource.S3DataSource.S3Uri of an S3Prefix must end with /")


def _members(item: dict[str, Any], *members: str) -> dict[str, Any]:
    return {member: item[member] for member in members if member in item}
