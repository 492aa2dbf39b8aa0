"""boto3 clients on the local endpoint, for parts of the emulator that use others through AWS's API."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from local.emulator.environment import CREDENTIALS, REGION

# The name of a service -> its client.
Clients = Callable[[str], Any]


class LocalClients:
    """Clients on `endpoint_url`, one a service, shared by all threads."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        with self._lock:  # Making a client is not safe in several threads at once; using it is.
            if service not in self._clients:
                self._clients[service] = boto3.client(
                    service,
                    endpoint_url=self._endpoint_url,
                    region_name=REGION,
                    aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
                    config=Config(max_pool_connections=32, s3={"addressing_style": "path"}),
                )
            return self._clients[service]
