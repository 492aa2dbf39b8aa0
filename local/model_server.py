"""Serve one model directory over HTTP on this machine, as SageMaker's containers do.

    python3 -m local.model_server --model-dir DIR [--port 8080] [--threads 2]

`GET /ping` is 503 while the model loads and 200 afterwards; `POST /invocations` calls the handler functions of the
model's own `code/inference.py`. Prints `listening on 127.0.0.1:<port>` once loaded; `--port 0` takes a free port. Reads
nothing else, writes nothing, logs status and duration but no text. Listens on the loopback interface only.
"""

import argparse
import importlib
import json
import os
import sys
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

HOST = "127.0.0.1"
# SageMaker's own limit for a real-time invocation.
MAX_BODY_BYTES = 6 * 1024 * 1024
# After this many seconds without a byte a connection is given up.
SOCKET_TIMEOUT_SECONDS = 60


class RequestContext:
    """The part of multi-model-server's context that handler functions use."""

    system_properties: ClassVar[dict[str, Any]] = {"gpu_id": None}

    def __init__(self) -> None:
        self.status = int(HTTPStatus.OK)

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:  # noqa: ARG002  # theirs
        self.status = code


class ServedModel:
    """A model directory's handler functions and its loaded model. One request at a time is predicted."""

    def __init__(self, directory: Path) -> None:
        self._handlers = _import_handlers(directory / "code")
        self._model = self._handlers.model_fn(str(directory), RequestContext())
        self._lock = threading.Lock()

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> tuple[int, bytes]:
        """(HTTP status, JSON body)."""
        context = RequestContext()
        request = self._handlers.input_fn(body, content_type, context)
        with self._lock:
            answer = self._handlers.predict_fn(request, self._model, context)
        content = self._handlers.output_fn(answer, accept, context)
        return context.status, content.encode("utf-8")


class ModelServer(ThreadingHTTPServer):
    """`model` is None until it is loaded."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.model: ServedModel | None = None


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_SECONDS

    def do_GET(self) -> None:
        if self.path != "/ping":
            self._refuse(HTTPStatus.NOT_FOUND, "only GET /ping and POST /invocations are served")
        elif self.server.model is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the model is being loaded")
        else:
            self._answer(HTTPStatus.OK, b"")

    def do_POST(self) -> None:
        began = time.monotonic()
        body = self._read_body()
        if body is None:
            return
        if self.path != "/invocations":
            self._refuse(HTTPStatus.NOT_FOUND, "only GET /ping and POST /invocations are served")
            return
        if self.server.model is None:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the model is being loaded")
            return
        try:
            status, content = self.server.model.invoke(
                body, self.headers.get("Content-Type"), self.headers.get("Accept")
            )
        except Exception as error:  # noqa: BLE001  # the server outlives every request, as in the real container
            # Where, not what: the text of the exception may quote the request.
            for frame in traceback.extract_tb(error.__traceback__):
                print(f"  {frame.filename}:{frame.lineno} {frame.name}", file=sys.stderr)
            status, reason = HTTPStatus.INTERNAL_SERVER_ERROR, f"the model failed with {type(error).__name__}"
            print(reason, file=sys.stderr, flush=True)
            content = json.dumps({"error": reason}).encode()
        self._answer(status, content)
        print(f"POST /invocations {int(status)} {time.monotonic() - began:.3f} s", flush=True)

    def _read_body(self) -> bytes | None:
        """The request's body; None if it was refused, and then the rest of the connection cannot be read."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is required")
            return None
        if int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has {length} bytes, at most {MAX_BODY_BYTES} are read"
            )
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._answer(status, json.dumps({"error": reason}).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the request line is the caller's text."""


def _import_handlers(code: Path) -> ModuleType:
    """Import `code/inference.py` as the real toolkit does: with its own folder first on the import path."""
    sys.path.insert(0, str(code))
    return importlib.import_module("inference")


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    server = ModelServer(arguments.port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Waiting threads sleep: where others use the cores too, spinning makes two threads ten times slower than one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch  # after the port is bound, since it takes seconds; and after the line above, which it reads once

    torch.set_num_threads(arguments.threads)
    server.model = ServedModel(arguments.model_dir)
    print(f"listening on {HOST}:{server.server_port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
