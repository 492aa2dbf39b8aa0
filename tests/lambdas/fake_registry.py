"""A model package group in memory."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lambdas.aws_in_memory import Refused

IMAGE = "763104351884.dkr.ecr.eu-central-1.amazonaws.com/huggingface-pytorch-inference:1"
ENVIRONMENT = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "TS_DEFAULT_WORKERS_PER_MODEL": "1"}


class FakeRegistry:
    """Versions 1, 2, ... of one group; a page lists two of them."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.packages: dict[str, dict[str, Any]] = {}
        self._registered = 0

    def register(self, status: str = "PendingManualApproval", **metadata: str) -> str:
        self._registered += 1
        version = self._registered
        arn = f"arn:aws:sagemaker:eu-central-1:123456789012:model-package/{self.group}/{version}"
        self.packages[arn] = {
            "ModelPackageArn": arn,
            "ModelPackageGroupName": self.group,
            "ModelPackageVersion": version,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": status,
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=version),
            "CustomerMetadataProperties": metadata,
            "InferenceSpecification": {"Containers": [{"Image": IMAGE, "Environment": ENVIRONMENT}]},
        }
        return arn

    def decide(self, arn: str, status: str) -> None:
        self.packages[arn]["ModelApprovalStatus"] = status

    def list_model_packages(
        self,
        ModelPackageGroupName: str,
        ModelApprovalStatus: str | None = None,
        SortBy: str = "CreationTime",
        SortOrder: str = "Ascending",
        NextToken: str = "0",
    ) -> dict[str, Any]:
        assert ModelPackageGroupName == self.group
        found = [
            package
            for package in self.packages.values()
            if ModelApprovalStatus in (None, package["ModelApprovalStatus"])
        ]
        found.sort(key=lambda package: package["CreationTime"], reverse=SortOrder == "Descending")
        start = int(NextToken)
        listed = ("ModelPackageArn", "ModelPackageStatus", "ModelApprovalStatus", "CreationTime", "ModelPackageVersion")
        answer: dict[str, Any] = {
            "ModelPackageSummaryList": [
                {name: package[name] for name in listed} for package in found[start : start + 2]
            ]
        }
        if found[start + 2 :]:
            answer["NextToken"] = str(start + 2)
        return answer

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        if ModelPackageName not in self.packages:
            raise Refused("ValidationException", f"ModelPackage {ModelPackageName} does not exist.")
        return self.packages[ModelPackageName]

    def delete_model_package(self, ModelPackageName: str) -> None:
        del self.packages[ModelPackageName]
