"""A SageMaker SDK session that builds requests and never sends one."""

from typing import Any

import boto3
from sagemaker.core.workflow.pipeline_context import PipelineSession

from stacks.errors import ConfigurationError

# The SDK reports every use of itself over the network unless it is told not to.
_SDK_CONFIG = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


class OfflineSession(PipelineSession):
    """Collects the arguments of calls. Refuses to upload: code and data are CDK assets, never the SDK's business."""

    def __init__(self, region: str, bucket: str) -> None:
        session = boto3.Session(region_name=region)
        super().__init__(boto_session=session, default_bucket=bucket, sagemaker_config=_SDK_CONFIG)
        self._bucket = bucket

    def default_bucket(self) -> str:
        return self._bucket

    def upload_data(self, *_: Any, **__: Any) -> str:
        raise ConfigurationError("the pipeline's definition must not upload anything: give S3 URIs of CDK assets")
