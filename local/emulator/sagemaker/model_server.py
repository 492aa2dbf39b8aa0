"""The process behind an endpoint: it stands for the inference container."""

import http.client
import logging
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.emulator.clients import Clients
from local.emulator.containers import start_child, stop_child
from local.emulator.environment import job_environment
from local.emulator.sagemaker.log_stream import LogStream
from local.emulator.sagemaker.model_data import place_model_data
from local.emulator.sagemaker.models import Container

# SageMaker ends a real-time invocation after this time.
INVOCATION_SECONDS = 60.0
_PING_SECONDS = 2.0
_POLL_SECONDS = 0.1
_RESTART_SECONDS = 1.0
logger = logging.getLogger(__name__)


class ServerFailed(Exception):
    """The server did not get as far as answering /ping, or ended first. The message is the endpoint's FailureReason."""


class ServerUnavailable(Exception):
    """The server does not take requests at the moment."""


@dataclass(frozen=True)
class ServingSettings:
    """`command` is the server's command line up to `--model-dir`; `repository` goes on its PYTHONPATH."""

    root: Path
    command: tuple[str, ...]
    repository: Path
    endpoint_url: str


@dataclass(frozen=True)
class Answer:
    """A server's answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ModelServer:
    """One server process over one container's model data, kept running until `stop`.

    A process that ends after it was ready is started again, as SageMaker restarts a container.
    """

    def __init__(self, *, name: str, container: Container, settings: ServingSettings, clients: Clients) -> None:
        self.name = name
        self._container = container
        self._settings = settings
        self._clients = clients
        self._folder = settings.root / name
        self._log = LogStream(clients, f"/aws/sagemaker/Endpoints/{name.split('/')[0]}", name.split("/", 1)[1])
        self._port = 0
        self._lock = threading.Condition()
        self._in_flight = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._exit_code: int | None = None

    def start(self, *, timeout_seconds: float) -> None:
        """Fetch the model data, start the process and wait until it answers /ping with 200.

        Raises:
            ServerFailed: the process ended or did not answer in time, or `stop` was called.
            ValidationError: the model data cannot be used.
        """
        place_model_data(self._container, self._folder / "model", self._clients)
        self._port = free_port()
        self._supervisor = threading.Thread(target=self._supervise, name=f"model-server-{self.name}", daemon=True)
        self._supervisor.start()
        deadline = time.monotonic() + timeout_seconds
        while not self._ping():
            if self._stopping.is_set():
                raise ServerFailed("The endpoint was deleted while its container started.")
            if not self._supervisor.is_alive():
                raise ServerFailed(
                    f"The primary container ended with exit code {self._exit_code} before it passed the ping health"
                    " check. Please check CloudWatch logs for this endpoint."
                )
            if time.monotonic() > deadline:
                raise ServerFailed(
                    f"The primary container did not pass the ping health check within {timeout_seconds:.0f} seconds."
                    " Please check CloudWatch logs for this endpoint."
                )
            self._stopping.wait(_POLL_SECONDS)
        self._ready.set()

    def invoke(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """POST /invocations.

        Raises:
            ServerUnavailable: nobody answers, or not within 60 seconds.
        """
        with self._lock:
            self._in_flight += 1
        try:
            return self._request("POST", "/invocations", INVOCATION_SECONDS, headers, body)
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnavailable(f"{type(error).__name__} from the container") from error
        finally:
            with self._lock:
                self._in_flight -= 1
                self._lock.notify_all()

    def drain(self) -> None:
        """Wait until the requests under way are answered."""
        with self._lock:
            self._lock.wait_for(lambda: self._in_flight == 0, INVOCATION_SECONDS)

    def stop(self) -> None:
        """End the process and what it started, and remove its files."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            stop_child(process)
        if self._supervisor is not None:
            self._supervisor.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _supervise(self) -> None:
        while (process := self._launch()) is not None:
            # Waits in the thread that started the child: the child dies with this thread.
            forwarder = threading.Thread(target=self._forward, args=(process,), daemon=True)
            forwarder.start()
            self._exit_code = process.wait()
            stop_child(process)
            forwarder.join()
            if self._stopping.is_set() or not self._ready.is_set():
                return
            logger.warning("model server %s ended with %s; starting it again", self.name, self._exit_code)
            self._stopping.wait(_RESTART_SECONDS)

    def _launch(self) -> "subprocess.Popen[bytes] | None":
        container = {"PYTHONPATH": str(self._settings.repository), **self._container.environment}
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = start_child(
                [*self._settings.command, "--model-dir", str(self._folder / "model"), "--port", str(self._port)],
                environment=job_environment(self._settings.endpoint_url, self._folder, container),
                folder=self._folder,
                output=subprocess.PIPE,
            )
            return self._process

    def _forward(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            try:
                self._log.forward(output)
            except (ClientError, BotoCoreError) as error:
                # Reading must go on: a process whose output nobody reads stands still when the pipe is full.
                logger.warning("log of model server %s is lost from here: %s", self.name, type(error).__name__)
                while output.read(65_536):
                    pass

    def _ping(self) -> bool:
        try:
            return self._request("GET", "/ping", _PING_SECONDS, {}, b"").status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False

    def _request(self, method: str, path: str, seconds: float, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            answer_headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, answer_headers, response.read())
        finally:
            connection.close()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
