"""CloudFormation's view of what the local AWS adds to ministack: resource types that act through the API."""

from local.emulator.cloudformation.quicksight import quicksight_resources
from local.emulator.cloudformation.resources import Call, register_resources
from local.emulator.cloudformation.s3 import register_bucket_properties
from local.emulator.cloudformation.sagemaker import sagemaker_resources


def register(*, sagemaker: Call, quicksight: Call) -> None:
    """Make ministack's CloudFormation know these types, and a bucket's `BucketEncryption` and `Tags`."""
    register_resources([*sagemaker_resources(sagemaker), *quicksight_resources(quicksight)])
    register_bucket_properties()
