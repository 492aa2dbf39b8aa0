"""Says in one line what the account lacks for a dashboard, before CloudFormation tries to make one.

Woken by CloudFormation: a custom resource that everything of QuickSight waits for. Its properties are in check.py.
"""

import time
from typing import Any

import boto3

from lambdas.cloudformation import answer
from lambdas.dashboard_ready.check import Needs, check
from lambdas.errors import LambdaError
from lambdas.structured_log import log_event, structured_logger

_logger = structured_logger("dashboard_ready")
_IDENTIFIER = "dashboard-ready"


def handler(event: dict[str, Any], context: object) -> None:  # noqa: ARG001  # Lambda's signature
    """Check on Create and Update; a Delete has nothing to do. CloudFormation always gets an answer."""
    failure = None
    try:
        if event["RequestType"] != "Delete":
            needs = Needs.from_properties(event["ResourceProperties"])
            check(needs, boto3.client("quicksight", region_name=needs.identity_region))
    except LambdaError as error:
        failure = str(error)
        log_event(_logger, "not_ready", reason=failure)
    except Exception as error:
        # CloudFormation must not wait for an hour, whatever it was; the log has the rest.
        failure = f"{type(error).__name__}: {error}"
        _logger.exception("check_failed_unexpectedly")
    answer(event, _IDENTIFIER, failure, time.sleep)
