"""HTTP servers on the loopback interface that stand for AWS's services, and clients that ask them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.config import Config

# botocore's own tries are left out where a test is about what comes after them.
ONE_TRY = Config(retries={"mode": "standard", "total_max_attempts": 1})
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-central-1"}


@dataclass(frozen=True)
class Request:
    """`content` is the JSON body, `number` counts from 0."""

    path: str
    content: Any
    number: int


@dataclass(frozen=True)
class Response:
    """`error` is the code of an error of AWS; `body` is sent as JSON, or as it is."""

    status: int
    body: Any
    error: str | None = None


@dataclass
class Loopback:
    """A running server: its address and the requests so far."""

    url: str
    requests: list[Request] = field(default_factory=list)


Answering = Callable[[Request], Response]


@contextmanager
def serving(answer: Answering) -> Iterator[Loopback]:
    """A server that answers each request by `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = Request(unquote(self.path), content, len(loopback.requests))
            loopback.requests.append(request)
            response = answer(request)
            body = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
            self.send_response(response.status)
            if response.error is not None:
                self.send_header("x-amzn-ErrorType", response.error)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        loopback = Loopback(f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield loopback
        server.shutdown()


def client(service: str, url: str, config: Config = ONE_TRY) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        config=config,
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
