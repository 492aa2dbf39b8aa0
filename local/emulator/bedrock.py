"""Amazon Bedrock on one machine: there are no models, so every call is refused as where an account has no access.

ministack answers with invented text instead, which would stand among real answers in a comparison.
"""

import json
from collections.abc import Mapping

from local.emulator import ministack_hooks

_MESSAGE = "The local AWS has no model of Amazon Bedrock. Ask it in a stage on AWS, or take it out of the local one."


def register() -> None:
    """Refuse Bedrock's calls from now on."""
    ministack_hooks.replace_service("bedrock-runtime", _refuse)


async def _refuse(
    _method: str, _path: str, _headers: Mapping[str, str], _body: bytes, _query: Mapping[str, list[str]]
) -> tuple[int, dict[str, str], bytes]:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
    return 403, headers, json.dumps({"message": _MESSAGE}).encode()
