"""Removing what roll_out made: unused configurations and models, whole endpoints, and a task's model packages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from lambdas.errors import EndpointTimeoutError
from lambdas.model_packages import package_arns
from lambdas.roll_out.sagemaker_state import find_endpoint, is_busy, is_missing, our_configs, our_models, served_model

# Seconds between two looks at an endpoint that is going away.
_POLL_SECONDS = 5.0

# How far SageMaker's clock may be behind this function's.
_CLOCK_MARGIN = timedelta(seconds=5)


@dataclass(frozen=True)
class Waiting:
    """How to wait: `remaining_seconds` says how much time there still is, `sleep` takes seconds."""

    remaining_seconds: Callable[[], float]
    sleep: Callable[[float], None]


def remove_unused(sagemaker: Any, endpoint: str, keep_configs: set[str], began: datetime) -> int:
    """Delete our configurations for `endpoint` except `keep_configs`, and our models that no kept one uses.

    Call it only while the endpoint is in service: SageMaker needs the old configuration until an update has ended.
    What was made after this invocation `began` is left: another invocation may be about to use it.

    Returns:
        How many were deleted.
    """
    latest = began - _CLOCK_MARGIN
    keep_models = set()
    deleted = 0
    for config in list(our_configs(sagemaker, endpoint)):
        name = config["EndpointConfigName"]
        if name in keep_configs or config["CreationTime"] > latest:
            keep_models.add(served_model(sagemaker, name))
        else:
            deleted += _delete(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    for model in list(our_models(sagemaker, endpoint)):
        if model["ModelName"] not in keep_models and model["CreationTime"] <= latest:
            deleted += _delete(sagemaker.delete_model, ModelName=model["ModelName"])
    return deleted


def remove_endpoint(sagemaker: Any, name: str, waiting: Waiting) -> None:
    """Delete the endpoint if it is there, and return once it is gone.

    Raises:
        EndpointTimeoutError: it is still there when the time is up.
    """
    while (endpoint := find_endpoint(sagemaker, name)) is not None:
        if endpoint.status != "Deleting":
            try:
                sagemaker.delete_endpoint(EndpointName=name)
            except ClientError as error:
                # Being created or updated, it cannot be deleted yet; gone is what we want.
                if not is_busy(error) and not is_missing(error):
                    raise
        if waiting.remaining_seconds() < 2 * _POLL_SECONDS:
            raise EndpointTimeoutError(f"endpoint {name} is still {endpoint.status}; try again once it has settled")
        waiting.sleep(_POLL_SECONDS)


def remove_endpoint_with_models(sagemaker: Any, name: str, waiting: Waiting) -> None:
    """Delete the endpoint, then every configuration and model that was made here for it."""
    remove_endpoint(sagemaker, name, waiting)
    for config in list(our_configs(sagemaker, name)):
        _delete(sagemaker.delete_endpoint_config, EndpointConfigName=config["EndpointConfigName"])
    for model in list(our_models(sagemaker, name)):
        _delete(sagemaker.delete_model, ModelName=model["ModelName"])


def remove_model_packages(sagemaker: Any, group: str) -> int:
    """Delete every model package of the group, without which the group itself cannot be deleted; says how many."""
    try:
        arns = package_arns(sagemaker, group)
    except ClientError as error:
        if is_missing(error):
            return 0
        raise
    return sum(_delete(sagemaker.delete_model_package, ModelPackageName=arn) for arn in arns)


def _delete(operation: Callable[..., object], **name: str) -> int:
    """Delete and return 1, or 0 if somebody else did already."""
    try:
        operation(**name)
    except ClientError as error:
        if is_missing(error):
            return 0
        raise
    return 1
