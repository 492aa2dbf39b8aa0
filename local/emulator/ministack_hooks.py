"""Every place where the emulator reaches into ministack, checked before any of them is used.

ministack has no interface for extensions. What is used here is private to it, so its exact version is required, and
each name is looked up by `check_ministack` first: a changed ministack is one clear error at start-up.
"""

import asyncio
import importlib
import importlib.metadata
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

VERSION = "1.5.33"
# Module -> names used. The other modules of this package take theirs from here too.
USED: Mapping[str, tuple[str, ...]] = {
    "ministack.app": ("app", "SERVICE_HANDLERS"),
    "ministack.core.router": ("SERVICE_PATTERNS",),
    "ministack.core.responses": ("get_account_id", "get_region", "error_response_json"),
    "ministack.core.lambda_runtime": ("reset",),
    "ministack.services.eventbridge": ("_put_events",),
    "ministack.services.cloudformation.provisioners": (
        "_RESOURCE_HANDLERS",
        "_REPLACING_PROPERTIES",
        "_S3_BUCKET_CONFIGURATIONS",
        "_physical_name",
        "_s3",
    ),
    "ministack.services.cloudformation.stacks": ("_runs_on_worker_thread",),
    "ministack.services.s3": (
        "_put_bucket_encryption",
        "_delete_bucket_encryption",
        "_put_bucket_tagging",
        "_delete_bucket_tagging",
        "_put_object",
        "_resolve_sse_write_headers",
    ),
    "ministack.services.athena": (
        "_start_query_execution",
        "_save_query_results",
        "_rewrite_data_paths",
        "_table_relation",
        "_empty_relation",
        "_data_format",
        "_table_references",
        "_sql_tokens",
        "_datum_text",
        "_executions",
        "_run_duckdb",
        "_rewrite_s3_paths",
        "_DUCKDB_TYPE_MAP",
        "_workgroups",
    ),
    "ministack.services.glue": ("_tables", "_partitions"),
}
# (method, path, headers in lower case, body, query) -> (status, headers, body)
Handler = Callable[
    [str, str, Mapping[str, str], bytes, Mapping[str, list[str]]], Awaitable[tuple[int, dict[str, str], bytes]]
]
logger = logging.getLogger(__name__)


class MinistackMismatch(Exception):
    """The installed ministack is not the one that this emulator was written against."""


def check_ministack() -> None:
    """Check the version and every private name.

    Raises:
        MinistackMismatch: says which version or name is wrong, and what to do.
    """
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise MinistackMismatch(
            f"ministack {installed} is installed, {VERSION} is needed: install local/requirements.txt"
        )
    missing = []
    for module_name, names in USED.items():
        module = importlib.import_module(module_name)
        missing += [f"{module_name}.{name}" for name in names if not hasattr(module, name)]
    if missing:
        raise MinistackMismatch(f"ministack {VERSION} lacks {', '.join(missing)}; reinstall local/requirements.txt")


def module(name: str) -> Any:
    """A ministack module that `USED` names."""
    if name not in USED:
        raise KeyError(f"{name} is not in USED, so check_ministack would not have seen it")
    return importlib.import_module(name)


def add_service(name: str, handler: Handler, *, target_prefix: str | None = None) -> None:
    """Route requests that are signed for service `name`, or whose X-Amz-Target has this prefix, to `handler`."""
    module("ministack.app").SERVICE_HANDLERS[name] = handler
    prefixes = [] if target_prefix is None else [target_prefix]
    module("ministack.core.router").SERVICE_PATTERNS[name] = {"target_prefixes": prefixes}


def replace_service(name: str, handler: Handler) -> None:
    """Let `handler` answer what ministack takes for requests to its own service `name`."""
    handlers = module("ministack.app").SERVICE_HANDLERS
    if name not in handlers:
        raise KeyError(f"ministack has no service {name}")
    handlers[name] = handler


def request_scope() -> tuple[str, str]:
    """(account, region) that the request being handled is signed for."""
    responses = module("ministack.core.responses")
    return responses.get_account_id(), responses.get_region()


def event_sender(loop: asyncio.AbstractEventLoop) -> Callable[[str, str, Mapping[str, Any], Sequence[str]], None]:
    """A function, callable from any thread, that puts an event of an AWS service on the default bus.

    PutEvents over HTTP refuses sources that begin with `aws.`, as AWS does.
    """

    def put(source: str, detail_type: str, detail: str, resources: list[str]) -> None:
        entry = {"Source": source, "DetailType": detail_type, "Detail": detail, "Resources": resources}
        _, _, body = module("ministack.services.eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)
        if json.loads(body)["FailedEntryCount"]:
            logger.error("event %s was not taken", detail_type)

    def send(source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
        # ministack changes its state on its loop only.
        loop.call_soon_threadsafe(put, source, detail_type, json.dumps(detail), list(resources))

    return send


def end_lambda_workers() -> None:
    """End the processes that ministack keeps warm for Lambda functions."""
    module("ministack.core.lambda_runtime").reset()
