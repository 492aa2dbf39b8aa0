"""Requests for jobs: complete, of AWS's own shapes, and asking for nothing that this machine cannot give."""

import functools
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.job_log import compile_metrics

# Images that the one Python environment of this machine stands in for, by the last part of the repository's name.
KNOWN_IMAGES = (
    "huggingface-pytorch-training",
    "huggingface-pytorch-inference",
    "pytorch-training",
    "sagemaker-scikit-learn",
)
_SHAPES = {
    "Processing": "CreateProcessingJobRequest",
    "Training": "CreateTrainingJobRequest",
    "Tuning": "CreateHyperParameterTuningJobRequest",
    "RegisterModel": "CreateModelPackageInput",
}
# What would change how a job runs, and cannot be had here. What only describes where it runs on AWS (instance type,
# volume, keys, VPC, role, tags, spot instances, experiments) is recorded.
_REFUSED_TRAINING = (
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ProfilerRuleConfigurations",
    "RetryStrategy",
    "ServerlessJobConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "SessionChainingConfig",
)


def request_shape(step_type: str) -> Any:
    """The botocore shape of the request that a step of this type makes."""
    return _model().shape_for(_SHAPES[step_type])


def check_request(step_type: str, request: Mapping[str, Any]) -> None:
    """Raises StepFailed when `request` is not of AWS's shape."""
    report = ParamValidator().validate(dict(request), request_shape(step_type))
    if report.has_errors():
        raise StepFailed(f"ClientError: ValidationException: {report.generate_report()}")


def check_processing_request(request: Mapping[str, Any]) -> None:
    """Raises StepFailed, naming what is malformed or not supported."""
    check_request("Processing", request)
    _check_image(request["AppSpecification"]["ImageUri"])
    if not request["AppSpecification"].get("ContainerEntrypoint"):
        raise unsupported("a processing job without ContainerEntrypoint (the image's own is not known here)")
    if request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] != 1:
        raise unsupported("a processing job with more than one instance")
    for item in request.get("ProcessingInputs", []):
        what = f"processing input {item['InputName']} with"
        if "S3Input" not in item or item.get("AppManaged"):
            raise unsupported(f"{what} anything but S3Input")
        source = item["S3Input"]
        _check_value(source, "S3InputMode", ("File",), what)
        _check_value(source, "S3CompressionType", ("None",), what)
        if "LocalPath" not in source:
            raise StepFailed(f"ClientError: ValidationException: {what} S3Input needs a LocalPath")
    for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        what = f"processing output {item['OutputName']} with"
        if "S3Output" not in item or item.get("AppManaged") or "LocalPath" not in item["S3Output"]:
            raise unsupported(f"{what} anything but S3Output and its LocalPath")
        _check_value(item["S3Output"], "S3UploadMode", ("EndOfJob", "Continuous"), what)


def check_training_request(request: Mapping[str, Any]) -> None:
    """Raises StepFailed, naming what is malformed or not supported."""
    check_request("Training", request)
    algorithm = request.get("AlgorithmSpecification", {})
    if "TrainingImage" not in algorithm:
        raise unsupported("a training job without TrainingImage")
    _check_image(algorithm["TrainingImage"])
    try:
        compile_metrics(algorithm.get("MetricDefinitions", []))
    except ValueError as error:
        raise StepFailed(f"ClientError: ValidationException: MetricDefinitions: {error}") from error
    refused = [name for name in _REFUSED_TRAINING if request.get(name)]
    if refused:
        raise unsupported(f"a training job with {', '.join(refused)}")
    resources = request.get("ResourceConfig", {})
    if resources.get("InstanceCount") != 1 or resources.get("InstanceGroups"):
        raise unsupported("a training job with anything but one instance")
    _check_value(algorithm, "TrainingInputMode", ("File", "FastFile"), "a training job with")
    _check_value(request["OutputDataConfig"], "CompressionType", ("GZIP",), "a training job with")
    for channel in request.get("InputDataConfig", []):
        what = f"training channel {channel['ChannelName']} with"
        if "S3DataSource" not in channel["DataSource"]:
            raise unsupported(f"{what} anything but S3DataSource")
        _check_value(channel["DataSource"]["S3DataSource"], "S3DataType", ("S3Prefix", "ManifestFile"), what)
        # A file that is read as it is downloaded looks to the job like one that is there.
        _check_value(channel, "InputMode", ("File", "FastFile"), what)
        _check_value(channel, "CompressionType", ("None",), what)
        _check_value(channel, "RecordWrapperType", ("None",), what)
        if channel.get("ShuffleConfig"):
            raise unsupported(f"{what} ShuffleConfig")


def _check_image(uri: str) -> None:
    repository = uri.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0]
    if repository not in KNOWN_IMAGES:
        raise unsupported(f"image {uri} (known are {', '.join(KNOWN_IMAGES)})")


def _check_value(holder: Mapping[str, Any], name: str, supported: tuple[str, ...], what: str) -> None:
    value = holder.get(name)
    if value is not None and value not in supported:
        raise unsupported(f"{what} {name} {value}")


def unsupported(what: str) -> StepFailed:
    """The refusal of something that AWS has and this machine has not."""
    return StepFailed(f"ClientError: The local SageMaker does not support {what}")


@functools.cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")
