"""Calls to services: what passes is tried again, what does not is one record's failure or the end of the candidate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, ReadTimeoutError

from training.candidates.outcomes import UnansweredError
from training.errors import GenerationError, RefusedCallError

_PASSING_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_PASSING_OF_CONTAINER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_PASSING_CODES = ("ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded")
# No such model or endpoint, no right to ask it, a quota that is used up: wrong with every call.
_HOPELESS_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_HOPELESS_CODES = ("AccessDeniedException", "ServiceQuotaExceededException")

Given = TypeVar("Given")


@dataclass(frozen=True)
class Backoff:
    """Pauses in seconds between tries of a call, when botocore's own were not enough; `sleep` pauses."""

    pauses: tuple[float, ...] = (5.0, 15.0, 45.0)
    sleep: Callable[[float], None] = time.sleep


def tried(call: Callable[[], Given], backoff: Backoff) -> Given:
    """What `call` gives, tried again after each pause as long as the refusal is one that passes.

    Raises:
        RefusedCallError: the last try was refused, or one that does not pass.
    """
    for pause in backoff.pauses:
        try:
            return call()
        except RefusedCallError as error:
            # What takes too long takes so again, and may be paid for each time.
            if not _passes(error.error) or isinstance(error.error, ReadTimeoutError):
                raise
        backoff.sleep(pause)
    return call()


def without_answer(refusal: RefusedCallError) -> GenerationError:
    """What a refusal means: that this text has no answer, or, as itself, that no text will have one."""
    error = refusal.error
    if _passes(error):
        return UnansweredError(f"{refusal.model}: {refusal.kind}, however often it was tried", lasting=True)
    hopeless = _status(error) in _HOPELESS_STATUSES or refusal.kind in _HOPELESS_CODES
    if hopeless or not isinstance(error, ClientError):  # no credentials, no region
        return refusal
    return UnansweredError(f"{refusal.model} refused the text: {refusal.kind}", lasting=True)


def status_of_container(error: ClientError) -> int:
    """The status with which an endpoint's container answered, 0 if that is not said."""
    return int(error.response.get("OriginalStatusCode", 0))


def _passes(error: Exception) -> bool:
    if isinstance(error, ConnectionError | HTTPClientError):
        return True
    if isinstance(error, ClientError) and status_of_container(error) in _PASSING_OF_CONTAINER:
        return True
    status = _status(error)
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING_STATUSES or code in _PASSING_CODES


def _status(error: Exception) -> int:
    response = error.response if isinstance(error, ClientError) else {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
