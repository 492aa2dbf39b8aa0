"""The local AWS as a thing to start, use and stop.

with LocalAws(state, python=emulator_python, job_python=python, repository=root) as aws:
    aws.client("s3").create_bucket(Bucket="a")

LocalAwsError                 base
├── StartFailed               the server did not start; carries the last lines of its log
├── NotRunning                no server runs in this state folder
└── StopFailed                a process is still there
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from local.errors import LocalError

HOST = "127.0.0.1"
REGION = "us-east-1"
HEALTH_PATH = "/_local/health"
STATE_FILE = "server.json"
LOG_FILE = "server.log"
START_SECONDS = 60.0
# Longer than a job may take to end after SIGTERM.
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_LINES = 20
# The user's own profile and configuration must not play a part: (name in a file, variable, default, conversion).
_NO_PROFILE: dict[str, tuple[None, list[str], str | None, None]] = {
    "profile": (None, [], None, None),
    "config_file": (None, [], os.devnull, None),
    "credentials_file": (None, [], os.devnull, None),
}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class LocalAwsError(LocalError):
    """Base of every error of this module."""


class StartFailed(LocalAwsError):
    """The server did not start."""


class NotRunning(LocalAwsError):
    """No server runs in a state folder."""


class StopFailed(LocalAwsError):
    """The server, or a process that it started, does not end."""


@dataclass(frozen=True)
class _Server:
    """What a server's state file says."""

    pid: int
    port: int
    identity: str


class LocalAws:
    """One local AWS. Several run side by side, each in a state folder of its own.

    `python` is the interpreter of the emulator's environment, `job_python` the one that jobs and endpoints run with,
    `repository` the folder that holds `local/`. `model_server` is a script in place of `local.model_server`.
    `quicksight` false makes it an account that has no QuickSight subscription.
    """

    def __init__(
        self,
        state: Path,
        *,
        python: Path,
        job_python: Path,
        repository: Path,
        model_server: Path | None = None,
        quicksight: bool = True,
    ) -> None:
        self._state = state.absolute()
        self._python = python
        self._job_python = job_python
        self._repository = repository
        self._model_server = model_server
        self._quicksight = quicksight
        self._process: subprocess.Popen[bytes] | None = None
        self._attached: AttachedAws | None = None

    @classmethod
    def attach(cls, state: Path) -> "AttachedAws":
        """The local AWS that another process runs in this state folder.

        Raises:
            NotRunning: there is none; also when the state file is that of a server that is gone.
        """
        server = _read_state(state)
        if server is None or not _answers(server):
            raise NotRunning(f"no local AWS runs in {state}; `make local` starts one")
        return AttachedAws(server)

    @property
    def endpoint_url(self) -> str:
        """Where the API is, as AWS_ENDPOINT_URL."""
        return self._running().endpoint_url

    def environment(self) -> dict[str, str]:
        """This process's environment, changed so that a child's SDK and CLI reach the local AWS and nothing else."""
        return self._running().environment()

    def client(self, service: str) -> Any:
        """The boto3 client of a service, on the local AWS."""
        return self._running().client(service)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            StartFailed: it ended, does not answer within 60 seconds, or another one runs in the state folder.
        """
        other = _read_state(self._state)
        if self._process is not None or (other is not None and _answers(other)):
            raise StartFailed(f"another local AWS runs in {self._state}; stop it first, or use another folder")
        self._state.mkdir(parents=True, exist_ok=True)
        log = self._state / LOG_FILE
        command = [str(self._python), "-m", "local.emulator.server", "--state", str(self._state)]
        command += ["--job-python", str(self._job_python), "--with-parent"]
        if self._model_server is not None:
            command += ["--model-server", str(self._model_server)]
        if not self._quicksight:
            command.append("--without-quicksight")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._repository,
                env={
                    **os.environ,
                    "PYTHONPATH": str(self._repository),
                    "PYTHONUNBUFFERED": "1",
                    # Node.js, for the CDK's own Lambda functions, is in the jobs' environment.
                    "PATH": f"{self._job_python.absolute().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                },
                # Its end tells the server that this process is gone, however it went.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C reaches this process only, and `stop` finds all that belongs to it.
                start_new_session=True,
            )
        try:
            self._attached = AttachedAws(self._await_server(self._process))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and everything that it started; nothing happens when it is not running.

        Raises:
            StopFailed: a process is still there.
        """
        process, self._process, self._attached = self._process, None, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
        left = _kill_session(process.pid)
        state = _read_state(self._state)
        if state is not None and state.pid == process.pid:  # A server that was killed could not remove it.
            (self._state / STATE_FILE).unlink()
        if left:
            raise StopFailed(f"processes {sorted(left)} of the local AWS do not end")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> "AttachedAws":
        if self._attached is None:
            raise NotRunning("this local AWS is not started")
        return self._attached

    def _await_server(self, process: "subprocess.Popen[bytes]") -> _Server:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise StartFailed(self._with_log(f"the local AWS ended with exit code {process.returncode}"))
            server = _read_state(self._state)
            if server is not None and server.pid == process.pid and _answers(server):
                return server
            time.sleep(_POLL_SECONDS)
        raise StartFailed(self._with_log(f"the local AWS does not answer within {START_SECONDS:.0f} seconds"))

    def _with_log(self, message: str) -> str:
        log = self._state / LOG_FILE
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join([f"{message}; {log} ends with:", *lines])


class AttachedAws:
    """A local AWS that runs, whoever started it and will stop it."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._session = boto3.session.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
            botocore_session=botocore.session.Session(session_vars=_NO_PROFILE),
        )
        self._clients: dict[str, Any] = {}

    @property
    def endpoint_url(self) -> str:
        """Where the API is, as AWS_ENDPOINT_URL."""
        return f"http://{HOST}:{self._server.port}"

    def environment(self) -> dict[str, str]:
        """This process's environment, changed so that a child's SDK and CLI reach the local AWS and nothing else."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name not in _PROXIES
        }
        return {**kept, **self._aws_environment()}

    def client(self, service: str) -> Any:
        """The boto3 client of a service, on the local AWS; made once, since that takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service, endpoint_url=self.endpoint_url, config=Config(proxies={})
            )
        return self._clients[service]

    def _aws_environment(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The user's own profiles and credentials must not play a part.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": f"{HOST},localhost",
            "no_proxy": f"{HOST},localhost",
        }


def _read_state(state: Path) -> _Server | None:
    try:
        content = json.loads((state / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return _Server(int(content["pid"]), int(content["port"]), str(content["identity"]))


def _answers(server: _Server) -> bool:
    """Whether this very server answers: another process may have its number, another server its port."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=5)
    try:
        connection.request("GET", HEALTH_PATH)
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("identity") == server.identity


def _kill_session(session: int) -> set[int]:
    """SIGKILL to every process of a session; the ones that are still there two seconds later."""
    deadline = time.monotonic() + 2.0
    while (members := _session_members(session)) and time.monotonic() < deadline:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return members


def _session_members(session: int) -> set[int]:
    """Process ids of a session, ended ones that nobody has waited for left out.

    Only Linux tells; elsewhere jobs end with the server's regular shutdown, and with nothing else.
    """
    if not sys.platform.startswith("linux"):
        return set()
    members = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # "pid (name) state parent group session ...": a name may hold blanks and parentheses.
            state, _, _, its_session, *_ = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended meanwhile.
        if int(its_session) == session and state != "Z":
            members.add(int(stat.parent.name))
    return members
