"""Rolls approved models out.

Woken by EventBridge (SageMaker Model Package State Change, SageMaker Endpoint State Change) and by CloudFormation (one
custom resource a task, custom_resource.py). Environment:

    TASKS    JSON object: task -> how it is served (serving.py)
    KMS_KEY  ARN of the key for the machines' disks
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from lambdas.cloudformation import answer
from lambdas.errors import EventError, LambdaError
from lambdas.roll_out.custom_resource import Names, physical_id
from lambdas.roll_out.reconcile import Origin, Session, reconcile
from lambdas.roll_out.removal import Waiting, remove_endpoint_with_models, remove_model_packages
from lambdas.roll_out.serving import Serving
from lambdas.settings import required, required_object
from lambdas.structured_log import log_event, structured_logger

_logger = structured_logger("roll_out")

PACKAGE_CHANGED = "SageMaker Model Package State Change"
ENDPOINT_CHANGED = "SageMaker Endpoint State Change"

# Kept of Lambda's own time limit for the answer to CloudFormation.
_RESERVED_SECONDS = 45.0


@dataclass(frozen=True)
class Settings:
    """The environment."""

    kms_key: str
    tasks: dict[str, Serving]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Raises SettingsError, naming the variable."""
        tasks = required_object(environment, "TASKS")
        return cls(
            kms_key=required(environment, "KMS_KEY"),
            tasks={name: Serving.from_json(name, value) for name, value in tasks.items()},
        )


@dataclass(frozen=True)
class Clients:
    """boto3 clients of SageMaker and CloudFormation."""

    sagemaker: Any
    cloudformation: Any


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


@cache
def _clients() -> Clients:
    return Clients(sagemaker=boto3.client("sagemaker"), cloudformation=boto3.client("cloudformation"))


def handler(event: dict[str, Any], context: Any) -> None:
    """Handle an event, or a request of CloudFormation.

    What an event fails with is raised: Lambda tries again, then the dead-letter queue has it. A request of
    CloudFormation always gets an answer.
    """
    waiting = Waiting(lambda: context.get_remaining_time_in_millis() / 1000 - _RESERVED_SECONDS, time.sleep)
    if "ResponseURL" not in event:
        handle_event(event, _settings(), _clients(), waiting)
        return
    identifier, failure = event.get("PhysicalResourceId", event["LogicalResourceId"]), None
    try:
        if event["RequestType"] == "Delete":
            handle_delete(event, _clients(), waiting)
        else:
            names = Names.from_properties(event["ResourceProperties"])
            identifier = physical_id(names)
            handle_deploy(event, names, _settings(), _clients(), waiting)
    except LambdaError as error:
        failure = f"{type(error).__name__}: {error}"
        log_event(_logger, "request_failed", request=event["RequestType"], reason=failure)
    except Exception as error:
        # CloudFormation must not wait for an hour, whatever it was; the log has the rest.
        failure = f"{type(error).__name__}: {error}"
        _logger.exception("request_failed_unexpectedly")
    answer(event, identifier, failure, time.sleep)


def handle_event(event: dict[str, Any], settings: Settings, clients: Clients, waiting: Waiting) -> None:
    """Reconcile the task that an EventBridge event is about.

    Raises:
        EventError: the event is of another kind or names nothing.
        EndpointError: see `reconcile`.
    """
    try:
        kind, detail = event["detail-type"], event["detail"]
        if kind == PACKAGE_CHANGED:
            origin, name = Origin.PACKAGE, detail["ModelPackageGroupName"]
        elif kind == ENDPOINT_CHANGED:
            origin, name = Origin.ENDPOINT, detail["EndpointName"]
        else:
            raise EventError(f"an event of kind {kind!r} is not for this function")
    except (KeyError, TypeError) as error:
        raise EventError("the event names no model package group and no endpoint") from error
    for serving in settings.tasks.values():
        if name in (serving.model_package_group, serving.live_endpoint, serving.pretrained_endpoint):
            reconcile(serving, _session(origin, settings, clients, waiting))
            return
    # Rules cannot always be narrowed to our endpoints, whose names may be others' too.
    log_event(_logger, "event_ignored", kind=kind, name=name)


def handle_deploy(event: dict[str, Any], names: Names, settings: Settings, clients: Clients, waiting: Waiting) -> None:
    """Do what CloudFormation's Create or Update asks for.

    Raises:
        EventError: the request does not fit the environment.
        EndpointError: see `reconcile`.
    """
    serving = settings.tasks.get(names.task)
    if serving is None or names != _names(serving):
        raise EventError(f"the custom resource of task {names.task} and the variable TASKS do not agree")
    if event["RequestType"] == "Update":
        before = Names.from_properties(event["OldResourceProperties"])
        for endpoint in set(before.endpoints) - set(names.endpoints):
            remove_endpoint_with_models(clients.sagemaker, endpoint, waiting)
    reconcile(serving, _session(Origin.DEPLOY, settings, clients, waiting))


def handle_delete(event: dict[str, Any], clients: Clients, waiting: Waiting) -> None:
    """Remove what the custom resource stands for. It goes by the request alone, so it works whatever TASKS says.

    Raises:
        EndpointTimeoutError: an endpoint is not gone in time; CloudFormation can be told to delete again.
    """
    if event["PhysicalResourceId"] == event["LogicalResourceId"]:
        return  # its Create failed before it had a name (see `handler`), so it made nothing
    names = Names.from_properties(event["ResourceProperties"])
    for endpoint in names.endpoints:
        remove_endpoint_with_models(clients.sagemaker, endpoint, waiting)
    packages = 0
    if not _rolling_back(clients.cloudformation, event["StackId"]):
        packages = remove_model_packages(clients.sagemaker, names.model_package_group)
    log_event(_logger, "removed", task=names.task, model_packages=packages)


def _rolling_back(cloudformation: Any, stack: str) -> bool:
    """The stack's deployment failed and is undone. That must not cost the models that were trained before it."""
    status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return "ROLLBACK" in status


def _names(serving: Serving) -> Names:
    return Names(
        task=serving.task,
        model_package_group=serving.model_package_group,
        live_endpoint=serving.live_endpoint,
        pretrained_endpoint=serving.pretrained_endpoint,
    )


def _session(origin: Origin, settings: Settings, clients: Clients, waiting: Waiting) -> Session:
    return Session(
        sagemaker=clients.sagemaker,
        kms_key=settings.kms_key,
        waiting=waiting,
        began=datetime.now(UTC),
        origin=origin,
        logger=_logger,
    )
