"""Answering CloudFormation, which waits for what it asked a custom resource to do."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

_REASON_LIMIT = 1000  # the whole answer may have 4096 bytes
_ATTEMPTS = 3
_ATTEMPT_SECONDS = 10.0


def answer(
    event: dict[str, Any],
    identifier: str,
    failure: str | None,
    sleep: Callable[[float], None],
) -> None:
    """Tell CloudFormation that the request succeeded, or why it failed (`failure`).

    Without an answer CloudFormation waits for an hour, so it is tried three times.

    Raises:
        OSError: CloudFormation could not be reached.
    """
    body = {
        "Status": "SUCCESS" if failure is None else "FAILED",
        "Reason": (failure or "See the function's log.")[:_REASON_LIMIT],
        "PhysicalResourceId": identifier,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        # The URL is signed for an empty content type.
        headers={"Content-Type": ""},
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=_ATTEMPT_SECONDS):
                return
        except OSError:  # urllib's errors and timeouts
            if attempt == _ATTEMPTS:
                raise
            sleep(float(attempt))
