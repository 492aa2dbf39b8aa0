"""Endpoints: their states, their blue/green updates, and the servers behind them."""

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.emulator.clients import Clients
from local.emulator.errors import EmulatorError, ValidationError
from local.emulator.listing import Listing, now
from local.emulator.sagemaker.events import Events, milliseconds
from local.emulator.sagemaker.model_server import ModelServer, ServerFailed, ServingSettings
from local.emulator.sagemaker.models import Models
from local.emulator.sagemaker.names import arn
from local.emulator.sagemaker.tags import Tags

ENDPOINTS = Listing(
    result="Endpoints",
    identity="EndpointName",
    descending=True,
    sort_members={"Name": "EndpointName", "CreationTime": "CreationTime", "Status": "EndpointStatus"},
    filters={"StatusEquals": "EndpointStatus"},
)
STARTUP_SECONDS = 600.0
_EVENT_STATUS = {
    "Creating": "CREATING",
    "InService": "IN_SERVICE",
    "Updating": "UPDATING",
    "RollingBack": "ROLLING_BACK",
    "Failed": "FAILED",
    "Deleting": "DELETING",
}
# What UpdateEndpoint says about weights and counts of the old variant has no meaning with one variant and one process.
_NOT_ON_UPDATE = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties")
logger = logging.getLogger(__name__)
Operation = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(eq=False)
class Endpoint:
    """One endpoint. `server` takes the traffic; `pending` is the one that an update starts."""

    name: str
    config: dict[str, Any]
    deployment: dict[str, Any] | None = None
    status: str = "Creating"
    failure_reason: str | None = None
    server: ModelServer | None = None
    pending: ModelServer | None = None
    worker: threading.Thread | None = None
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("endpoint", self.name)

    @property
    def variant(self) -> dict[str, Any]:
        variant: dict[str, Any] = self.config["ProductionVariants"][0]
        return variant


class Endpoints:
    """Every endpoint by name. All changes of state happen under one lock, all waiting outside of it."""

    def __init__(
        self, *, models: Models, tags: Tags, events: Events, settings: ServingSettings, clients: Clients
    ) -> None:
        self._models = models
        self._tags = tags
        self._events = events
        self._settings = settings
        self._clients = clients
        self._lock = threading.RLock()
        self._endpoints: dict[str, Endpoint] = {}
        tags.know(lambda resource: any(e.arn == resource for e in self._endpoints.values()))

    def operations(self) -> dict[str, Operation]:
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "DescribeEndpoint": lambda request: self._describe(self._endpoint(request["EndpointName"])),
            "DeleteEndpoint": self._delete,
            "ListEndpoints": self._list,
        }

    def serving(self, name: str) -> tuple[ModelServer, str]:
        """The server that takes an endpoint's traffic, and its variant's name.

        Raises:
            ValidationError: there is no such endpoint, or it is not in service.
        """
        with self._lock:
            endpoint = self._endpoints.get(name)
            if endpoint is None or endpoint.server is None or endpoint.status == "Deleting":
                raise ValidationError(f"Endpoint {name} of account is not found or not in service.")
            return endpoint.server, endpoint.variant["VariantName"]

    def close(self) -> None:
        """End every server."""
        with self._lock:
            endpoints = list(self._endpoints.values())
            for endpoint in endpoints:
                endpoint.status = "Deleting"
        for endpoint in endpoints:
            self._tear_down(endpoint)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["EndpointName"]
        config = self._models.config(request["EndpointConfigName"])
        with self._lock:
            if name in self._endpoints:
                raise ValidationError(f'Cannot create already existing endpoint "{arn("endpoint", name)}".')
            endpoint = Endpoint(name, config, request.get("DeploymentConfig"))
            self._endpoints[name] = endpoint
            self._tags.set(endpoint.arn, request.get("Tags", []))
            self._deploy_in_background(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        for member in _NOT_ON_UPDATE:
            if request.get(member):
                raise ValidationError(f"{member}: the local AWS does not offer this")
        config = self._models.config(request["EndpointConfigName"])
        with self._lock:
            endpoint = self._endpoint(request["EndpointName"])
            if endpoint.status == "Failed":
                raise ValidationError(f'Endpoint "{endpoint.arn}" is Failed; it can only be deleted.')
            if endpoint.status != "InService":
                raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
            old = endpoint.variant["VariantName"]
            new = config["ProductionVariants"][0]["VariantName"]
            if endpoint.server is not None and "DeploymentConfig" in request and old != new:
                raise ValidationError(f"a blue/green update keeps the variant's name; it is {old}, got {new}")
            if not request.get("RetainDeploymentConfig", False):
                endpoint.deployment = request.get("DeploymentConfig")
            endpoint.status = "Updating"
            endpoint.modified = now()
            self._deploy_in_background(endpoint, config)
        return {"EndpointArn": endpoint.arn}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            endpoint = self._endpoint(request["EndpointName"])
            if endpoint.status == "Deleting":
                raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
            endpoint.status = "Deleting"
            endpoint.modified = now()
        self._announce(endpoint)
        threading.Thread(target=self._remove, args=(endpoint,), name=f"delete-{endpoint.name}").start()
        return {}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        summaries = [
            {
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "CreationTime": endpoint.created,
                "LastModifiedTime": endpoint.modified,
                "EndpointStatus": endpoint.status,
            }
            for endpoint in list(self._endpoints.values())
        ]
        return ENDPOINTS.page(summaries, request)

    def _describe(self, endpoint: Endpoint) -> dict[str, Any]:
        with self._lock:
            weight = float(endpoint.variant.get("InitialVariantWeight", 1.0))
            count = endpoint.variant.get("InitialInstanceCount", 1)
            running = 0 if endpoint.server is None else count
            described: dict[str, Any] = {
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "EndpointConfigName": endpoint.config["EndpointConfigName"],
                "EndpointStatus": endpoint.status,
                "CreationTime": endpoint.created,
                "LastModifiedTime": endpoint.modified,
                "ProductionVariants": [
                    {
                        "VariantName": endpoint.variant["VariantName"],
                        "CurrentWeight": weight,
                        "DesiredWeight": weight,
                        "CurrentInstanceCount": running,
                        "DesiredInstanceCount": count,
                    }
                ],
            }
            if endpoint.failure_reason is not None:
                described["FailureReason"] = endpoint.failure_reason
            if endpoint.deployment is not None:
                described["LastDeploymentConfig"] = endpoint.deployment
            return described

    def _deploy_in_background(self, endpoint: Endpoint, config: dict[str, Any]) -> None:
        endpoint.worker = threading.Thread(
            target=self._deploy, args=(endpoint, config), name=f"deploy-{endpoint.name}", daemon=True
        )
        endpoint.worker.start()

    def _deploy(self, endpoint: Endpoint, config: dict[str, Any]) -> None:
        """Start the new server beside the old one; traffic moves when it answers, and stays where it is otherwise."""
        self._announce(endpoint)
        reason: str | None = None
        try:
            self._start_pending(endpoint, config)
        except (ServerFailed, EmulatorError) as error:
            reason = str(error)
        except Exception as error:
            # Whatever it was, an endpoint must not stay in Creating or Updating for ever.
            logger.exception("deployment of endpoint %s", endpoint.name)
            reason = f"The local AWS failed to deploy the endpoint ({type(error).__name__}); see its own log."
        with self._lock:
            if endpoint.status == "Deleting":
                return  # _tear_down stops the pending server.
            endpoint.failure_reason = reason
            endpoint.modified = now()
            retired = endpoint.server if reason is None else endpoint.pending
            if reason is None:
                endpoint.server, endpoint.config = endpoint.pending, config
            endpoint.pending = None
            endpoint.status = "Failed" if endpoint.server is None else "InService"
        self._announce(endpoint)
        if retired is not None:
            retired.drain()
            retired.stop()

    def _start_pending(self, endpoint: Endpoint, config: dict[str, Any]) -> None:
        variant = config["ProductionVariants"][0]
        server = ModelServer(
            name=f"{endpoint.name}/{variant['VariantName']}/{uuid.uuid4().hex[:12]}",
            container=self._models.container(variant["ModelName"]),
            settings=self._settings,
            clients=self._clients,
        )
        with self._lock:
            if endpoint.status == "Deleting":
                return
            endpoint.pending = server
        server.start(timeout_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS))

    def _remove(self, endpoint: Endpoint) -> None:
        self._tear_down(endpoint)
        with self._lock:
            self._endpoints.pop(endpoint.name, None)
            self._tags.forget(endpoint.arn)

    def _tear_down(self, endpoint: Endpoint) -> None:
        # Twice: a deployment under way may have made its server between the first look and its own end.
        for server in (endpoint.pending, endpoint.server):
            if server is not None:
                server.stop()
        if endpoint.worker is not None:
            endpoint.worker.join()
        for server in (endpoint.pending, endpoint.server):
            if server is not None:
                server.stop()

    def _endpoint(self, name: str) -> Endpoint:
        with self._lock:
            if name not in self._endpoints:
                raise ValidationError(f'Could not find endpoint "{arn("endpoint", name)}".')
            return self._endpoints[name]

    def _announce(self, endpoint: Endpoint) -> None:
        with self._lock:
            variant = endpoint.variant
            detail: dict[str, Any] = {
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "EndpointConfigName": endpoint.config["EndpointConfigName"],
                "ProductionVariants": [
                    {
                        "VariantName": variant["VariantName"],
                        "DesiredWeight": float(variant.get("InitialVariantWeight", 1.0)),
                        "DesiredInstanceCount": variant.get("InitialInstanceCount", 1),
                    }
                ],
                "EndpointStatus": _EVENT_STATUS[endpoint.status],
                "CreationTime": milliseconds(endpoint.created),
                "LastModifiedTime": milliseconds(endpoint.modified),
                "Tags": {tag["Key"]: tag["Value"] for tag in self._tags.of(endpoint.arn)},
            }
            if endpoint.failure_reason is not None:
                detail["FailureReason"] = endpoint.failure_reason
        self._events.send("SageMaker Endpoint State Change", detail, [endpoint.arn])
