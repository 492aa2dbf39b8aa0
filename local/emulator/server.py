"""The local AWS: ministack with SageMaker and QuickSight behind it, one process, loopback only.

    python -m local.emulator.server --state .local/aws --job-python .venv/bin/python [--port 4566] [--with-parent]

Runs until SIGTERM or SIGINT and leaves no process behind. Everything that it writes lies below `--state`; what is there
from an earlier server is removed, since nothing outlives the server but its log. `server.json` there tells others
where it listens; it is written when the server answers and removed at the end.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from local.emulator.environment import ACCOUNT, INHERITED, REGION, aws_environment
from local.emulator.settings import HOST, REPOSITORY, Settings

STATE_FILE = "server.json"
_FOLDERS = ("s3", "ministack", "jobs", "endpoints", "tmp")


class StateInUse(Exception):
    """Another server runs in this state folder."""


def main(argv: Sequence[str]) -> None:
    """Run the server until it is told to stop."""
    settings = _parse(argv)
    settings.state.mkdir(parents=True, exist_ok=True)
    # Kept open, and so locked, until the process ends.
    lock = (settings.state / "lock").open("w")
    _lock(lock, settings.state)
    for folder in _FOLDERS:
        shutil.rmtree(settings.state / folder, ignore_errors=True)
        (settings.state / folder).mkdir()
    listener = socket.create_server((HOST, settings.port))
    port: int = listener.getsockname()[1]
    _set_environment(settings.state, port)

    # ministack reads its environment while it is imported, so nothing imports it before this line.
    from local.emulator.application import run

    state_file = settings.state / STATE_FILE
    identity = uuid.uuid4().hex

    def ready() -> None:
        content = json.dumps({"pid": os.getpid(), "port": port, "identity": identity})
        unfinished = state_file.with_suffix(".unfinished")
        unfinished.write_text(content, encoding="utf-8")
        unfinished.replace(state_file)
        print(f"local AWS on http://{HOST}:{port}", flush=True)

    try:
        run(settings, listener=listener, identity=identity, ready=ready)
    finally:
        state_file.unlink(missing_ok=True)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # ministack's worker threads may wait for something that will not come; a regular exit would wait for them.
    os._exit(0)


def _parse(argv: Sequence[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="local.emulator.server", allow_abbrev=False)
    parser.add_argument("--state", type=Path, required=True, help="folder for everything that the server writes")
    parser.add_argument("--job-python", type=Path, required=True, help="interpreter of jobs and model servers")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--with-parent", action="store_true", help="stop at the end of standard input")
    parser.add_argument("--model-server", type=Path, help="script in place of local.model_server")
    parser.add_argument("--without-quicksight", action="store_true", help="an account that has no QuickSight")
    arguments = parser.parse_args(list(argv))
    if arguments.with_parent:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    # Not resolved: an interpreter of a virtual environment is a link that must stay one.
    job_python = arguments.job_python.absolute()
    if not os.access(job_python, os.X_OK):
        parser.error(f"--job-python {job_python} is not an executable file")
    model_server = None if arguments.model_server is None else arguments.model_server.resolve()
    return Settings(
        state=arguments.state.resolve(),
        job_python=job_python,
        port=arguments.port,
        model_server=model_server,
        quicksight=not arguments.without_quicksight,
    )


def _stop_at_end_of_input() -> None:
    """Stop when the other end of standard input is closed: also when its owner was killed and could not say so."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _lock(file: IO[str], state: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StateInUse(f"another local AWS runs in {state}; stop it first, or use another folder") from error


def _set_environment(state: Path, port: int) -> None:
    """Make this process's environment ministack's, and nothing else: functions of Lambda inherit it.

    So a function cannot see this repository (PYTHONPATH), somebody's credentials or proxies.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    os.environ.clear()
    os.environ.update(inherited)
    os.environ.update(aws_environment(f"http://{HOST}:{port}"))
    os.environ.update(
        BIND_HOST=HOST,
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="localhost",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LAMBDA_EXECUTOR="local",
        LOG_LEVEL="WARNING",
        S3_DATA_DIR=str(state / "s3"),
        STATE_DIR=str(state / "ministack"),
        TMPDIR=str(state / "tmp"),
        # Lambda's Node.js has AWS's SDK; the CDK's own functions rely on it.
        NODE_PATH=str(REPOSITORY / "node_modules"),
        # ministack removes containers of other ministacks when it finds a Docker daemon.
        DOCKER_HOST=f"unix://{state}/no-docker.sock",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
