"""Puts the local AWS together: ministack, SageMaker, QuickSight, what is mended of ministack. Imports ministack."""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from hypercorn.asyncio import serve
from hypercorn.config import Config as HypercornConfig

from local.emulator import bedrock, cloudformation, ministack_hooks, s3_encryption
from local.emulator.athena.registration import register_athena
from local.emulator.clients import Clients, LocalClients
from local.emulator.environment import ACCOUNT, REGION, aws_environment
from local.emulator.pipelines import EngineSettings, PipelineEngine, processors
from local.emulator.pipelines.definition import parse_definition
from local.emulator.quicksight.api import QuickSight
from local.emulator.sagemaker.api import TARGET, Engine, SageMaker, refuse_elsewhere
from local.emulator.sagemaker.events import Events
from local.emulator.sagemaker.model_server import ServingSettings
from local.emulator.settings import HOST, REPOSITORY, Settings

HEALTH_PATH = "/_local/health"
# ministack would forget everything, or change its settings, at one unsigned request.
_REFUSED_PATHS = ("/_ministack/reset", "/_ministack/config")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# The path of the request being handled, still percent-encoded; ministack hands on the decoded one only.
_raw_path: ContextVar[str] = ContextVar("_raw_path")
logger = logging.getLogger(__name__)


def run(settings: Settings, *, listener: socket.socket, identity: str, ready: Callable[[], None]) -> None:
    """Serve on `listener` until SIGTERM or SIGINT; `ready` is called when the first request can be answered.

    Raises:
        MinistackMismatch: another ministack is installed than this was written against.
    """
    ministack_hooks.check_ministack()
    loop = asyncio.new_event_loop()
    # Not asyncio.run: it would wait for worker threads that may never end.
    loop.run_until_complete(_serve(settings, listener, identity, ready))


async def _serve(settings: Settings, listener: socket.socket, identity: str, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    endpoint_url = f"http://{HOST}:{listener.getsockname()[1]}"
    clients = LocalClients(endpoint_url)
    sagemaker = _sagemaker(settings, endpoint_url, clients, loop)
    quicksight = QuickSight(subscribed=settings.quicksight, clients=clients)
    ministack_hooks.add_service("sagemaker", _sagemaker_handler(sagemaker), target_prefix=TARGET)
    ministack_hooks.add_service("quicksight", _quicksight_handler(quicksight))
    cloudformation.register(sagemaker=sagemaker.call, quicksight=quicksight.call)
    register_athena()
    s3_encryption.register()
    bedrock.register()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def stopped() -> None:
        await stop.wait()
        # While the server still answers: jobs and servers end with their logs written.
        await asyncio.to_thread(sagemaker.close)
        await asyncio.to_thread(ministack_hooks.end_lambda_workers)

    config = HypercornConfig()
    config.bind = [f"fd://{listener.fileno()}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 1.0
    config.keep_alive_timeout = 75.0
    application = Application(ministack_hooks.module("ministack.app").app, identity, ready)
    await serve(application, config, shutdown_trigger=stopped)
    ministack_hooks.end_lambda_workers()


class Application:
    """ASGI: ministack's application behind a guard.

    The guard answers the health path, and refuses what a web page in this machine's browser could send: a foreign
    Origin, or a foreign Host (DNS rebinding).
    """

    def __init__(self, inner: Callable[..., Awaitable[None]], identity: str, ready: Callable[[], None]) -> None:
        self._inner = inner
        self._identity = identity
        self._ready = ready

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, self._announcing(send))
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"]
        if not (_is_local(headers.get("host", "")) and _is_local_origin(headers.get("origin"))):
            await _answer(send, 403, {"message": "the local AWS answers this machine's own programs only"})
        elif path == HEALTH_PATH:
            await _answer(send, 200, {"identity": self._identity})
        elif path in _REFUSED_PATHS:
            await _answer(send, 403, {"message": f"the local AWS does not offer {path}"})
        else:
            _raw_path.set(scope["raw_path"].decode("ascii"))
            await self._inner(scope, receive, send)

    def _announcing(self, send: Send) -> Send:
        async def announcing(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                # The listener takes connections since it was made; they are answered from here on.
                self._ready()

        return announcing


def _sagemaker(settings: Settings, endpoint_url: str, clients: Clients, loop: asyncio.AbstractEventLoop) -> SageMaker:
    shared = processors.share(processors.count(), os.environ)

    def make_engine(
        register_model: Callable[[dict[str, Any]], str], on_event: Callable[[str, dict[str, Any]], None]
    ) -> Engine:
        return PipelineEngine(
            settings=EngineSettings(
                root=settings.state / "jobs",
                python=settings.job_python,
                region=REGION,
                account=ACCOUNT,
                parallel_steps=shared.steps,
                job_environment={processors.THREADS: str(shared.threads)},
                network_environment=aws_environment(endpoint_url),
            ),
            clients=clients,
            register_model=register_model,
            on_event=on_event,
        )

    return SageMaker(
        make_engine=make_engine,
        check_definition=parse_definition,
        events=Events(ministack_hooks.event_sender(loop)),
        serving=ServingSettings(
            root=settings.state / "endpoints",
            command=settings.model_server_command,
            repository=REPOSITORY,
            endpoint_url=endpoint_url,
        ),
        clients=clients,
    )


def _sagemaker_handler(sagemaker: SageMaker) -> ministack_hooks.Handler:
    async def handle(
        _method: str, path: str, headers: Mapping[str, str], body: bytes, _query: Mapping[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        refusal = refuse_elsewhere(*ministack_hooks.request_scope())
        if refusal is not None:
            return refusal
        return await asyncio.to_thread(sagemaker.handle, path, headers, body)

    return handle


def _quicksight_handler(quicksight: QuickSight) -> ministack_hooks.Handler:
    async def handle(
        method: str, _path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> tuple[int, dict[str, str], bytes]:
        scope = ministack_hooks.request_scope()
        return await asyncio.to_thread(quicksight.handle, scope, method, _raw_path.get(), query, headers, body)

    return handle


def _is_local(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name in (HOST, "localhost") or name.endswith(".localhost")


def _is_local_origin(origin: str | None) -> bool:
    return origin is None or _is_local(urlsplit(origin).netloc)


async def _answer(send: Send, status: int, content: dict[str, str]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
