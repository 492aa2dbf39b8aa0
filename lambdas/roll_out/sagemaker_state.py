"""Reading and changing endpoints, configurations and models, where "there is none" is an answer and not an error."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.roll_out.deployment import Deployment, is_name_for

# On a configuration: an endpoint was told to take it, and has not been seen in service with it.
TRIED_TAG = "report-tuning:tried"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is. `config_name` is what it serves, or tries to serve while it is being created."""

    name: str
    status: str
    config_name: str


def find_endpoint(sagemaker: Any, name: str) -> Endpoint | None:
    try:
        described = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return Endpoint(name, described["EndpointStatus"], described["EndpointConfigName"])


def served_package(sagemaker: Any, config_name: str) -> str | None:
    """ARN of the model package behind a configuration; None if it, or its model, was removed by hand."""
    model_name = served_model(sagemaker, config_name)
    if model_name is None:
        return None
    try:
        model = sagemaker.describe_model(ModelName=model_name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    package: str | None = model["PrimaryContainer"].get("ModelPackageName")
    return package


def served_model(sagemaker: Any, config_name: str) -> str | None:
    """Name of the model behind a configuration; None if the configuration was removed by hand."""
    try:
        config = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    name: str = config["ProductionVariants"][0]["ModelName"]
    return name


def ensure_model_and_config(sagemaker: Any, deployment: Deployment) -> None:
    """Create both unless they are there: their names are made of their contents, so what is there is right."""
    for create, request in (
        (sagemaker.create_model, deployment.model),
        (sagemaker.create_endpoint_config, deployment.config),
    ):
        try:
            create(**request)
        except ClientError as error:
            if not _says(error, "already existing"):
                raise


def was_tried(sagemaker: Any, config_name: str) -> bool:
    arn = _config_arn(sagemaker, config_name)
    return arn is not None and any(
        tag["Key"] == TRIED_TAG
        for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        for tag in page["Tags"]
    )


def mark_tried(sagemaker: Any, config_name: str) -> None:
    arn = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)["EndpointConfigArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": TRIED_TAG, "Value": "true"}])


def unmark_tried(sagemaker: Any, config_name: str) -> None:
    """Take the mark off a configuration that has been in service (it may have been removed by hand since)."""
    if (arn := _config_arn(sagemaker, config_name)) is not None:
        sagemaker.delete_tags(ResourceArn=arn, TagKeys=[TRIED_TAG])


def our_configs(sagemaker: Any, endpoint: str) -> Iterator[dict[str, Any]]:
    """Summaries of the configurations that were made here for `endpoint`."""
    for page in sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains=endpoint):
        yield from (item for item in page["EndpointConfigs"] if is_name_for(endpoint, item["EndpointConfigName"]))


def our_models(sagemaker: Any, endpoint: str) -> Iterator[dict[str, Any]]:
    """Summaries of the models that were made here for `endpoint`."""
    for page in sagemaker.get_paginator("list_models").paginate(NameContains=endpoint):
        yield from (item for item in page["Models"] if is_name_for(endpoint, item["ModelName"]))


def is_missing(error: ClientError) -> bool:
    """SageMaker has no code of its own for "not found": it says so in the text of a ValidationException."""
    return _says(error, "could not find") or _says(error, "does not exist")


def is_busy(error: ClientError) -> bool:
    """An endpoint that is being created, updated or deleted takes no other change."""
    return _says(error, "in-progress")


def _says(error: ClientError, text: str) -> bool:
    told = error.response["Error"]
    return told["Code"] == "ValidationException" and text in told["Message"].lower()


def _config_arn(sagemaker: Any, config_name: str) -> str | None:
    try:
        arn: str = sagemaker.describe_endpoint_config(EndpointConfigName=config_name)["EndpointConfigArn"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return arn
