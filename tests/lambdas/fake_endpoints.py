"""Endpoints, configurations, models and model packages in memory, with SageMaker's own rules for changing them."""

from datetime import UTC, datetime
from typing import Any

from tests.lambdas.aws_in_memory import Refused
from tests.lambdas.fake_registry import FakeRegistry

GROUP = "dev-radiology-impressions"
_ARN = "arn:aws:sagemaker:eu-central-1:123456789012"


class FakeEndpoints(FakeRegistry):
    """An endpoint changes only when the test calls `finish`. `now` is SageMaker's clock; the test moves it.

    `deletions`: how many looks at an endpoint that is being deleted still find it.
    """

    def __init__(self) -> None:
        super().__init__(GROUP)
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.updates: list[dict[str, Any]] = []
        self.creations: list[str] = []
        self.deletions = 1

    def finish(self, name: str, good: bool = True) -> None:
        """What the endpoint is doing ends; `good=False`: it fails to start, or the update is rolled back."""
        endpoint = self.endpoints[name]
        if endpoint["status"] == "Creating":
            endpoint["status"] = "InService" if good else "Failed"
        else:
            assert endpoint["status"] == "Updating"
            endpoint["status"] = "InService"
            pending = endpoint.pop("pending")
            if good:
                assert endpoint["config"] in self.configs, "the old configuration went before the update had ended"
                endpoint["config"] = pending

    def serves(self, name: str) -> str:
        """The model package behind the endpoint, or its model data."""
        model = self.models[self._variant(self.endpoints[name]["config"])["ModelName"]]
        container = model["PrimaryContainer"]
        package: str | None = container.get("ModelPackageName")
        return package or container["ModelDataSource"]["S3DataSource"]["S3Uri"]

    def machines(self, name: str) -> tuple[str, int]:
        variant = self._variant(self.endpoints[name]["config"])
        return variant["InstanceType"], variant["InitialInstanceCount"]

    def _variant(self, config: str) -> dict[str, Any]:
        (variant,) = self.configs[config]["ProductionVariants"]
        return variant

    def create_model(self, ModelName: str, **request: Any) -> dict[str, Any]:
        if ModelName in self.models:
            raise Refused("ValidationException", f'Cannot create already existing model "{_ARN}:model/{ModelName}".')
        package = request["PrimaryContainer"].get("ModelPackageName")
        if package and self.packages[package]["ModelApprovalStatus"] != "Approved":
            raise Refused("ValidationException", f"{package} is not approved.")
        self.models[ModelName] = {**request, "created": self.now}
        return {"ModelArn": f"{_ARN}:model/{ModelName}"}

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        self._find("model", self.models, ModelName)
        return {"ModelName": ModelName, "PrimaryContainer": self.models[ModelName]["PrimaryContainer"]}

    def delete_model(self, ModelName: str) -> None:
        self._find("model", self.models, ModelName)
        del self.models[ModelName]

    def list_models(self, NameContains: str, NextToken: str = "0") -> dict[str, Any]:
        return self._page(self.models, NameContains, NextToken, "Models", "ModelName")

    def create_endpoint_config(self, EndpointConfigName: str, **request: Any) -> dict[str, Any]:
        if EndpointConfigName in self.configs:
            raise Refused(
                "ValidationException",
                f'Cannot create already existing endpoint configuration "{self._config_arn(EndpointConfigName)}".',
            )
        for variant in request["ProductionVariants"]:
            self._find("model", self.models, variant["ModelName"])
        self.configs[EndpointConfigName] = {**request, "created": self.now}
        return {"EndpointConfigArn": self._config_arn(EndpointConfigName)}

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        self._find("endpoint configuration", self.configs, EndpointConfigName)
        return {
            "EndpointConfigArn": self._config_arn(EndpointConfigName),
            "ProductionVariants": self.configs[EndpointConfigName]["ProductionVariants"],
        }

    def delete_endpoint_config(self, EndpointConfigName: str) -> None:
        self._find("endpoint configuration", self.configs, EndpointConfigName)
        del self.configs[EndpointConfigName]
        self.tags.pop(self._config_arn(EndpointConfigName), None)

    def list_endpoint_configs(self, NameContains: str, NextToken: str = "0") -> dict[str, Any]:
        return self._page(self.configs, NameContains, NextToken, "EndpointConfigs", "EndpointConfigName")

    def create_endpoint(self, EndpointName: str, EndpointConfigName: str, Tags: Any) -> dict[str, Any]:
        if EndpointName in self.endpoints:
            raise Refused("ValidationException", f'Cannot create already existing endpoint "{EndpointName}".')
        self._find("endpoint configuration", self.configs, EndpointConfigName)
        self.endpoints[EndpointName] = {"status": "Creating", "config": EndpointConfigName}
        self.creations.append(EndpointName)
        return {"EndpointArn": f"{_ARN}:endpoint/{EndpointName}"}

    def update_endpoint(
        self, EndpointName: str, EndpointConfigName: str, DeploymentConfig: dict[str, Any]
    ) -> dict[str, Any]:
        endpoint = self.endpoints[EndpointName]
        if endpoint["status"] != "InService":
            raise Refused("ValidationException", f'Cannot update in-progress endpoint "{EndpointName}".')
        self._find("endpoint configuration", self.configs, EndpointConfigName)
        endpoint |= {"status": "Updating", "pending": EndpointConfigName}
        self.updates.append(DeploymentConfig)
        return {"EndpointArn": f"{_ARN}:endpoint/{EndpointName}"}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        endpoint = self._find("endpoint", self.endpoints, EndpointName)
        answer = {"EndpointStatus": endpoint["status"], "EndpointConfigName": endpoint["config"]}
        if endpoint["status"] == "Deleting":
            endpoint["left"] -= 1
            if endpoint["left"] <= 0:
                del self.endpoints[EndpointName]
        return answer

    def delete_endpoint(self, EndpointName: str) -> None:
        endpoint = self._find("endpoint", self.endpoints, EndpointName)
        if endpoint["status"] in ("Creating", "Updating"):
            raise Refused("ValidationException", f'Cannot delete in-progress endpoint "{EndpointName}".')
        endpoint |= {"status": "Deleting", "left": self.deletions}

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.get(ResourceArn, {}).items()]}

    def add_tags(self, ResourceArn: str, Tags: list[dict[str, str]]) -> dict[str, Any]:
        self.tags.setdefault(ResourceArn, {}).update({tag["Key"]: tag["Value"] for tag in Tags})
        return {"Tags": Tags}

    def delete_tags(self, ResourceArn: str, TagKeys: list[str]) -> None:
        for key in TagKeys:
            self.tags.get(ResourceArn, {}).pop(key, None)

    @staticmethod
    def _config_arn(name: str) -> str:
        return f"{_ARN}:endpoint-config/{name}"

    @staticmethod
    def _find(kind: str, found: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        if name not in found:
            raise Refused("ValidationException", f'Could not find {kind} "{_ARN}:{kind}/{name}".')
        return found[name]

    @staticmethod
    def _page(items: dict[str, Any], part: str, token: str, listed: str, name: str) -> dict[str, Any]:
        found = [(key, item["created"]) for key, item in items.items() if part in key]
        start = int(token)
        answer: dict[str, Any] = {
            listed: [{name: key, "CreationTime": created} for key, created in found[start : start + 2]]
        }
        return answer | ({"NextToken": str(start + 2)} if found[start + 2 :] else {})
