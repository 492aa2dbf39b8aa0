"""InvokeEndpoint: a request on its way to the endpoint's own server, and its answer on its way back."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local.emulator.errors import EmulatorError, UnknownOperation, ValidationError
from local.emulator.sagemaker.endpoints import Endpoints
from local.emulator.sagemaker.model_server import Answer, ServerUnavailable

# (status, headers, body)
Response = tuple[int, dict[str, str], bytes]
LARGEST_BODY = 25 * 1024 * 1024
_INVOCATIONS = re.compile(r"/endpoints/([^/]+)/invocations")
_PREFIX = "x-amzn-sagemaker-"
# What a container sees of the request's headers.
_FORWARDED = ("content-type", "accept", f"{_PREFIX}custom-attributes", f"{_PREFIX}inference-id")
_REFUSED = {
    f"{_PREFIX}target-model": "TargetModel",
    f"{_PREFIX}target-container-hostname": "TargetContainerHostname",
    f"{_PREFIX}inference-component": "InferenceComponentName",
    f"{_PREFIX}enable-explanations": "EnableExplanations",
    f"{_PREFIX}session-id": "SessionId",
    f"{_PREFIX}prefix-aware-id": "PrefixAwareId",
}


def is_runtime_path(path: str) -> bool:
    """Whether a path belongs to the runtime API, also where the local AWS does not offer it."""
    return path.startswith("/endpoints/")


def invoke(endpoints: Endpoints, path: str, headers: Mapping[str, str], body: bytes) -> Response:
    """Answer a request to the runtime API. Header names are in lower case.

    A 4xx or 5xx of the container becomes ModelError with its status and message, as on AWS.
    """
    try:
        found = _INVOCATIONS.fullmatch(path)
        if found is None:
            raise UnknownOperation(f"the local AWS does not offer {path.rsplit('/', 1)[-1]} of SageMaker's runtime")
        for header, member in _REFUSED.items():
            if header in headers:
                raise ValidationError(f"{member}: the local AWS does not offer this")
        if len(body) > LARGEST_BODY:
            raise ValidationError(f"the body has {len(body)} bytes; at most {LARGEST_BODY} are taken")
        server, variant = endpoints.serving(found[1])
        target = headers.get(f"{_PREFIX}target-variant", variant)
        if target != variant:
            raise ValidationError(f"Variant {target} is not found in endpoint {found[1]}")
        passed = {name: headers[name] for name in _FORWARDED if headers.get(name)}
        answer = server.invoke(passed, body)
    except ServerUnavailable as error:
        return _error(503, "ServiceUnavailable", {"Message": str(error)})
    except EmulatorError as error:
        code = "ValidationError" if isinstance(error, ValidationError) else error.code
        return _error(error.status, code, {"Message": error.message})
    if 200 <= answer.status < 300:
        return 200, _answer_headers(answer, variant), answer.body
    return _model_error(answer)


def _answer_headers(answer: Answer, variant: str) -> dict[str, str]:
    kept = ("content-type", f"{_PREFIX}custom-attributes")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    return {**headers, "x-amzn-invoked-production-variant": variant}


def _model_error(answer: Answer) -> Response:
    original = answer.body.decode("utf-8", "replace")
    side = "client" if answer.status < 500 else "server"
    return _error(
        424,
        "ModelError",
        {
            "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
            "Message": f'Received {side} error ({answer.status}) from primary with message "{original}".',
            "OriginalStatusCode": answer.status,
            "OriginalMessage": original,
        },
    )


def _error(status: int, code: str, content: Mapping[str, Any]) -> Response:
    headers = {"content-type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps(content).encode()
