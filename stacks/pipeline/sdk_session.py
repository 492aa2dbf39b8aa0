"""A SageMaker SDK session that builds requests and never sends one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.workflow.pipeline_context import PipelineSession

from stacks.errors import ConfigurationError

# The SDK reports every use of itself over the network unless it is told not to.
SDK_CONFIG = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


@contextmanager
def settings_checked_once() -> Iterator[None]:
    """The SDK checks its settings, and their schema, at each use: ninety times a pipeline, a quarter second each."""
    check = SageMakerConfig.validate_sagemaker_config
    check(SDK_CONFIG)
    SageMakerConfig.validate_sagemaker_config = staticmethod(lambda sagemaker_config=None: None)  # noqa: ARG005  # theirs
    try:
        yield
    finally:
        SageMakerConfig.validate_sagemaker_config = staticmethod(check)


class OfflineSession(PipelineSession):
    """Collects the arguments of calls. Refuses to upload: code and data are CDK assets, never the SDK's business."""

    def __init__(self, region: str, bucket: str) -> None:
        session = boto3.Session(region_name=region)
        super().__init__(boto_session=session, default_bucket=bucket, sagemaker_config=SDK_CONFIG)
        self._bucket = bucket

    def default_bucket(self) -> str:
        return self._bucket

    def upload_data(self, *_: Any, **__: Any) -> str:
        raise ConfigurationError("the pipeline's definition must not upload anything: give S3 URIs of CDK assets")
