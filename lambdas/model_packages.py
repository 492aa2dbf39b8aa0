"""The newest approved model package of a group: the champion, and what the live endpoint serves.

"Newest" is by creation, not by approval: to go back to an older model, reject the newer one.
"""

from dataclasses import dataclass
from typing import Any

from lambdas.names import parse_package_arn


@dataclass(frozen=True)
class ModelPackage:
    """An approved version of a model package group.

    `metadata` are its CustomerMetadataProperties (`run_id`, `task`, `evaluation`, `pretrained_model`, `predictions`),
    `image` and `environment` those of its one container.
    """

    arn: str
    version: int
    metadata: dict[str, str]
    image: str
    environment: dict[str, str]


def newest_approved(sagemaker: Any, group: str) -> ModelPackage | None:
    """The newest package of `group` that is approved and complete; None if there is none."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        # SageMaker sorts ascending by default.
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            if summary["ModelPackageStatus"] == "Completed":
                return describe_package(sagemaker, summary["ModelPackageArn"])
    return None


def describe_package(sagemaker: Any, arn: str) -> ModelPackage:
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    container = described["InferenceSpecification"]["Containers"][0]
    return ModelPackage(
        arn=arn,
        version=parse_package_arn(arn)[1],
        metadata=described.get("CustomerMetadataProperties", {}),
        image=container["Image"],
        environment=container.get("Environment", {}),
    )


def package_arns(sagemaker: Any, group: str) -> list[str]:
    """ARNs of every package of `group`, whatever its status."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    return [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
