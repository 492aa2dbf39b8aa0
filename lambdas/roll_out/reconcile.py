"""Brings a task's endpoints to what they ought to serve.

The live endpoint ought to serve the newest approved model package ("newest" by version, so rejecting it goes back to
the one before); the pre-trained endpoint the model before fine-tuning that this package names. `reconcile` looks only
at what is, never at what an event says, so a repeated, late or reordered event is harmless. Each rule with its reason:

* **An endpoint that is changing is left alone.** SageMaker takes no second change; the end of this one is an event
  (Endpoint State Change) that wakes `reconcile` again, and what was approved meanwhile is rolled out then.
* **No approved package left:** the endpoint stays as it is and a warning is logged. Taking a live service away must be
  somebody's decision. Only an endpoint that failed to start is removed: it serves nobody.
* **A rolled-back update is not tried again.** A configuration is marked (tag `report-tuning:tried`) when an endpoint is
  told to take it. An endpoint that is in service without the configuration that it ought to have, although that one
  is marked, has been rolled back by SageMaker. The mark goes when a configuration has been in service (so one can go
  back to it), or with the configuration. To try again, reject the package, and approve it again once the endpoint is
  in service: the configuration goes with the rejection, as an unused one.
* **A redeploy never goes back to an older model.** If what is in service is newer than the newest approved package,
  a deploy keeps it, with the machines that the deploy asks for.
* **Events of an endpoint never create one**, so the last event of an endpoint that is being removed does not bring it
  back.
* **Unused configurations and models go** once the endpoint is in service.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from lambdas.errors import EndpointError
from lambdas.model_packages import newest_approved
from lambdas.names import parse_package_arn
from lambdas.roll_out.deployment import Deployment, live_deployment, pretrained_deployment
from lambdas.roll_out.removal import Waiting, remove_endpoint, remove_endpoint_with_models, remove_unused
from lambdas.roll_out.sagemaker_state import (
    Endpoint,
    ensure_model_and_config,
    find_endpoint,
    is_busy,
    mark_tried,
    served_package,
    unmark_tried,
    was_tried,
)
from lambdas.roll_out.serving import Serving
from lambdas.structured_log import log_event

_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")


class Origin(Enum):
    """What woke `reconcile`."""

    PACKAGE = "package"
    ENDPOINT = "endpoint"
    DEPLOY = "deploy"


class Outcome(Enum):
    """What was done to one endpoint."""

    ABSENT = "absent"
    CHANGING = "changing"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ROLLED_BACK = "rolled_back"
    FAILED_TO_START = "failed_to_start"
    NOTHING_APPROVED = "nothing_approved"


@dataclass(frozen=True)
class Session:
    """One invocation: the boto3 client, the key for disks, how to wait, when it `began`, what woke it, and the log."""

    sagemaker: Any
    kms_key: str
    waiting: Waiting
    began: datetime
    origin: Origin
    logger: logging.Logger


def reconcile(serving: Serving, session: Session) -> dict[str, Outcome]:
    """Bring both endpoints of a task to what they ought to serve; {endpoint: what was done}.

    Raises:
        EndpointError: an endpoint is in a state that a person must look at, or was not gone in time.
        botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: AWS refused or did not answer; it is safe
            to call again.
    """
    sagemaker = session.sagemaker
    newest = newest_approved(sagemaker, serving.model_package_group)
    live = find_endpoint(sagemaker, serving.live_endpoint)
    package = _live_package(session, serving.model_package_group, live, newest.arn if newest else None)
    wish = live_deployment(serving, session.kms_key, package) if package else None
    outcomes = {serving.live_endpoint: _reconcile_endpoint(session, serving.live_endpoint, live, wish)}

    pretrained = find_endpoint(sagemaker, serving.pretrained_endpoint)
    if serving.pretrained is None:
        if pretrained is not None:
            remove_endpoint_with_models(sagemaker, serving.pretrained_endpoint, session.waiting)
            outcomes[serving.pretrained_endpoint] = Outcome.REMOVED
    else:
        wish = pretrained_deployment(serving, serving.pretrained, session.kms_key, newest) if newest else None
        outcomes[serving.pretrained_endpoint] = _reconcile_endpoint(
            session, serving.pretrained_endpoint, pretrained, wish
        )
    return outcomes


def _live_package(session: Session, group: str, live: Endpoint | None, newest: str | None) -> str | None:
    """ARN of the package of `group` that the live endpoint ought to serve."""
    if session.origin is not Origin.DEPLOY or live is None:
        return newest
    in_service = served_package(session.sagemaker, live.config_name)
    candidates = [arn for arn in (newest, in_service) if arn is not None and parse_package_arn(arn)[0] == group]
    return max(candidates, key=lambda arn: parse_package_arn(arn)[1], default=None)


def _reconcile_endpoint(session: Session, name: str, endpoint: Endpoint | None, wish: Deployment | None) -> Outcome:
    outcome = _change(session, name, endpoint, wish)
    level = logging.INFO
    if outcome in (Outcome.ROLLED_BACK, Outcome.FAILED_TO_START, Outcome.NOTHING_APPROVED):
        level = logging.WARNING
    log_event(
        session.logger,
        "endpoint_reconciled",
        level=level,
        endpoint=name,
        outcome=outcome.value,
        status=endpoint.status if endpoint else None,
        config=endpoint.config_name if endpoint else None,
        wanted_config=wish.config_name if wish else None,
        origin=session.origin.value,
    )
    return outcome


def _change(session: Session, name: str, endpoint: Endpoint | None, wish: Deployment | None) -> Outcome:
    """Do the one change that is due, by the endpoint's state."""
    if endpoint is None:
        return _create(session, wish)
    if endpoint.status in _CHANGING:
        return Outcome.CHANGING
    if endpoint.status == "Deleting":
        if session.origin is Origin.ENDPOINT:
            return Outcome.CHANGING
        remove_endpoint(session.sagemaker, name, session.waiting)
        return _create(session, wish)
    if endpoint.status == "Failed":
        if wish is not None and wish.config_name == endpoint.config_name:
            return Outcome.FAILED_TO_START
        remove_endpoint_with_models(session.sagemaker, name, session.waiting)
        return Outcome.REMOVED if wish is None else _create_now(session, wish)
    if endpoint.status != "InService":
        raise EndpointError(f"endpoint {name} is {endpoint.status}: see its FailureReason; nothing was changed")
    return _change_in_service(session, endpoint, wish)


def _change_in_service(session: Session, endpoint: Endpoint, wish: Deployment | None) -> Outcome:
    sagemaker = session.sagemaker
    if wish is None:
        outcome = Outcome.NOTHING_APPROVED
    elif wish.config_name == endpoint.config_name:
        outcome = Outcome.UNCHANGED
    elif was_tried(sagemaker, wish.config_name):
        outcome = Outcome.ROLLED_BACK
    else:
        return _update(session, endpoint, wish)
    # The wished-for configuration is kept even if it was rolled back: it bears the mark.
    keep = {endpoint.config_name} | ({wish.config_name} if wish else set())
    deleted = remove_unused(sagemaker, endpoint.name, keep, session.began)
    if deleted:
        log_event(session.logger, "unused_removed", endpoint=endpoint.name, count=deleted)
    return outcome


def _create(session: Session, wish: Deployment | None) -> Outcome:
    if wish is None or session.origin is Origin.ENDPOINT:
        return Outcome.ABSENT
    return _create_now(session, wish)


def _create_now(session: Session, wish: Deployment) -> Outcome:
    ensure_model_and_config(session.sagemaker, wish)
    try:
        session.sagemaker.create_endpoint(
            EndpointName=wish.endpoint, EndpointConfigName=wish.config_name, Tags=wish.tags
        )
    except ClientError as error:
        if "already existing" not in error.response["Error"]["Message"].lower():
            raise
        # Another invocation was quicker; its endpoint's events wake us again.
        return Outcome.CHANGING
    return Outcome.CREATED


def _update(session: Session, endpoint: Endpoint, wish: Deployment) -> Outcome:
    ensure_model_and_config(session.sagemaker, wish)
    # What is in service now has proved itself: one may come back to it.
    unmark_tried(session.sagemaker, endpoint.config_name)
    try:
        session.sagemaker.update_endpoint(
            EndpointName=wish.endpoint, EndpointConfigName=wish.config_name, DeploymentConfig=wish.update_policy
        )
    except ClientError as error:
        if not is_busy(error):
            raise
        return Outcome.CHANGING
    mark_tried(session.sagemaker, wish.config_name)
    return Outcome.UPDATED
