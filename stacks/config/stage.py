"""Where and how everything is deployed."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.config.task import Task
from stacks.config.values import InstanceType, Region
from stacks.errors import ConfigurationError
from stacks.settings import Settings

# SageMaker allows 63 characters for an endpoint; models and configurations add a version and a digest to them.
_ENDPOINT_NAME_LIMIT = 47


class Readers(Settings):
    """Who may look at the dashboard: a QuickSight group, in the region where QuickSight keeps users and groups."""

    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    identity_region: Region
    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "default"


class Stage(Settings):
    """One deployment of everything. Without `dashboard` nothing of QuickSight is deployed."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,11}$")]
    region: Region
    keep_data: bool
    settle_seconds: Annotated[int, Field(ge=0, le=900)]
    approval: Literal["PendingManualApproval", "Approved"]
    bake_seconds: Annotated[int, Field(ge=0, le=3600)]
    athena_scan_limit_gb: Annotated[float, Field(gt=0)]
    pandas_layer_version: Annotated[int, Field(ge=1)]
    prices: dict[InstanceType, Annotated[float, Field(gt=0)]]
    dashboard: Readers | None = None

    def name_for(self, task: Task) -> str:
        """The name that a task's pipeline, model package group and live endpoint share in this stage."""
        name = f"{self.name}-{task.resource_name}"
        if len(f"{name}-pretrained") > _ENDPOINT_NAME_LIMIT:
            raise ConfigurationError(
                f"{task.name}.yaml: endpoint {name}-pretrained has more than {_ENDPOINT_NAME_LIMIT} characters; "
                "give the task file a shorter name"
            )
        return name
