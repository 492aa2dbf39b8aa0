"""What an endpoint ought to serve, as the requests that make it so.

A model and an endpoint configuration cannot be changed once made. Their names are therefore made of their contents:
the same wish gives the same names, so making them again is harmless, and an endpoint serves what it ought to exactly
if it has the configuration of that name.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from lambdas.model_packages import ModelPackage
from lambdas.names import parse_package_arn
from lambdas.roll_out.serving import Serving, Variant

VARIANT_NAME = "main"
TASK_TAG = "report-tuning:task"
ENDPOINT_TAG = "report-tuning:endpoint"

# Read by training/inference.py in the container: whether answers may hold impressions of training reports.
SIMILAR_TEXT = "SIMILAR_TEXT"
# Read there too: what a classifier signs its answers with.
MODEL_VERSION = "MODEL_VERSION"

# A model of 11 GB (FLAN-T5 XL in fp32) must be fetched, unpacked and loaded; SageMaker's own limits are for less.
_START_SECONDS = 1800

# Families whose disks are part of the machine, encrypted by its hardware: SageMaker refuses a key for them.
# The rule is that of the SageMaker SDK (sagemaker.core.common_utils.instance_supports_kms, 3.27.0).
_LOCAL_DISK_FAMILIES = ("g5", "g6", "g7e", "p5", "p6-b200", "trn1", "trn2")


@dataclass(frozen=True)
class Deployment:
    """Requests of CreateModel and CreateEndpointConfig for `endpoint`, and `update_policy` for UpdateEndpoint."""

    endpoint: str
    model: dict[str, Any]
    config: dict[str, Any]
    update_policy: dict[str, Any]
    tags: list[dict[str, str]]

    @property
    def model_name(self) -> str:
        name: str = self.model["ModelName"]
        return name

    @property
    def config_name(self) -> str:
        name: str = self.config["EndpointConfigName"]
        return name


def live_deployment(serving: Serving, kms_key: str, package_arn: str) -> Deployment:
    """The live endpoint with this model package. `kms_key` encrypts the machines' disks where they can be."""
    version = parse_package_arn(package_arn)[1]
    # Always said, so that no package's own variables decide either; they stay beside them.
    environment = {SIMILAR_TEXT: "true" if serving.similar_text else "false", MODEL_VERSION: str(version)}
    container = {"ModelPackageName": package_arn, "Environment": environment}
    return _deployment(
        serving, serving.live_endpoint, serving.live, kms_key, container, f"-v{version}", alarms=serving.alarms
    )


def pretrained_deployment(serving: Serving, variant: Variant, kms_key: str, package: ModelPackage) -> Deployment | None:
    """The model before fine-tuning, as the run of `package` staged it, in the container of `package`.

    None if the package does not say where that model lies (one that was registered by hand).
    """
    prefix = package.metadata.get("pretrained_model")
    if not prefix:
        return None
    container = {
        "Image": package.image,
        "Environment": package.environment,
        "ModelDataSource": {
            "S3DataSource": {
                # SageMaker wants the slash: without it, a prefix would match other folders too.
                "S3Uri": f"{prefix.rstrip('/')}/",
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        },
    }
    return _deployment(serving, serving.pretrained_endpoint, variant, kms_key, container, "", alarms=())


def is_name_for(endpoint: str, name: str) -> bool:
    """`name` is that of a model or configuration that was made here for `endpoint`."""
    return re.fullmatch(re.escape(endpoint) + r"(-v\d+)?-[0-9a-f]{8}", name) is not None


def has_local_disk(instance_type: str) -> bool:
    family = instance_type.removeprefix("ml.").partition(".")[0]
    return "d" in family or family.startswith(_LOCAL_DISK_FAMILIES)


def _deployment(
    serving: Serving,
    endpoint: str,
    variant: Variant,
    kms_key: str,
    container: dict[str, Any],
    version: str,
    alarms: tuple[str, ...],
) -> Deployment:
    tags = [{"Key": TASK_TAG, "Value": serving.task}, {"Key": ENDPOINT_TAG, "Value": endpoint}]
    model = {
        "PrimaryContainer": container,
        "ExecutionRoleArn": serving.role,
        "EnableNetworkIsolation": True,
        "Tags": tags,
    }
    model_name = f"{endpoint}{version}-{_digest(model)}"
    config = {
        "ProductionVariants": [
            {
                "VariantName": VARIANT_NAME,
                "ModelName": model_name,
                "InstanceType": variant.instance_type,
                "InitialInstanceCount": variant.instance_count,
                "ModelDataDownloadTimeoutInSeconds": _START_SECONDS,
                "ContainerStartupHealthCheckTimeoutInSeconds": _START_SECONDS,
            }
        ],
        **({} if has_local_disk(variant.instance_type) else {"KmsKeyId": kms_key}),
        "Tags": tags,
    }
    return Deployment(
        endpoint=endpoint,
        model={"ModelName": model_name, **model},
        config={"EndpointConfigName": f"{endpoint}{version}-{_digest(config)}", **config},
        update_policy=_update_policy(serving.bake_seconds if alarms else 0, alarms),
        tags=tags,
    )


def _update_policy(bake_seconds: int, alarms: tuple[str, ...]) -> dict[str, Any]:
    """Blue/green, all traffic at once; back to the old machines if an alarm goes off while they are still there."""
    policy: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake_seconds}
        }
    }
    if alarms:
        policy["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return policy


def _digest(request: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:8]
