"""SageMaker's API as a whole: every operation offered, checked on the way in and on the way out."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from local.emulator.clients import Clients
from local.emulator.environment import ACCOUNT, REGION
from local.emulator.errors import EmulatorError, InternalFailure, ValidationError
from local.emulator.sagemaker import runtime
from local.emulator.sagemaker.endpoints import Endpoints
from local.emulator.sagemaker.events import Events
from local.emulator.sagemaker.model_registry import ModelRegistry
from local.emulator.sagemaker.model_server import ServingSettings
from local.emulator.sagemaker.models import Models
from local.emulator.sagemaker.pipelines import Engine as PipelineRunner
from local.emulator.sagemaker.pipelines import Pipelines
from local.emulator.sagemaker.shapes import SHAPES
from local.emulator.sagemaker.tags import Tags
from local.emulator.sagemaker.tuning_jobs import Engine as TuningRunner
from local.emulator.sagemaker.tuning_jobs import TuningJobs

TARGET = "SageMaker."
_JSON = {"content-type": "application/x-amz-json-1.1"}


class Engine(PipelineRunner, TuningRunner, Protocol):
    """What runs pipelines and jobs."""


# Given the registry's way to register a model and the events' way out, the engine.
MakeEngine = Callable[[Callable[[dict[str, Any]], str], Callable[[str, dict[str, Any]], None]], Engine]
logger = logging.getLogger(__name__)


class SageMaker:
    """One account's SageMaker in one region."""

    def __init__(
        self,
        *,
        make_engine: MakeEngine,
        check_definition: Callable[[dict[str, Any]], object],
        events: Events,
        serving: ServingSettings,
        clients: Clients,
    ) -> None:
        self.tags = Tags()
        self.registry = ModelRegistry(tags=self.tags, events=events)
        self._engine = make_engine(self._register_model, events.of_pipeline)
        self._pipelines = Pipelines(
            engine=self._engine,
            check_definition=check_definition,
            tags=self.tags,
            read_object=_object_reader(clients),
        )
        tuning_jobs = TuningJobs(engine=self._engine, tags=self.tags)
        self._models = Models(registry=self.registry, tags=self.tags)
        self.endpoints = Endpoints(
            models=self._models, tags=self.tags, events=events, settings=serving, clients=clients
        )
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        for part in (self._pipelines, tuning_jobs, self.registry, self._models, self.endpoints, self.tags):
            self._operations.update(part.operations())

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do one operation; the answer is as it goes over the wire.

        Raises:
            EmulatorError: with AWS's code.
        """
        if operation not in self._operations:
            raise SHAPES.not_offered(operation)
        SHAPES.check_request(operation, request)
        return SHAPES.to_wire(operation, self._operations[operation](request))

    def handle(self, path: str, headers: Mapping[str, str], body: bytes) -> runtime.Response:
        """Answer an HTTP request of either API. Header names are in lower case."""
        if runtime.is_runtime_path(path) and "x-amz-target" not in headers:
            return runtime.invoke(self.endpoints, path, headers, body)
        operation = headers.get("x-amz-target", "").removeprefix(TARGET)
        try:
            answer = self.call(operation, _request(body))
        except EmulatorError as error:
            if isinstance(error, InternalFailure):
                logger.error("%s: %s", operation, error)
            content = {"__type": error.code, "message": error.message}
            return error.status, dict(_JSON), json.dumps(content).encode()
        return 200, dict(_JSON), json.dumps(answer).encode()

    def close(self) -> None:
        """End every job and every endpoint's server."""
        self._engine.close()
        self.endpoints.close()

    def _register_model(self, arguments: dict[str, Any]) -> str:
        package_arn: str = self.call("CreateModelPackage", arguments)["ModelPackageArn"]
        return package_arn


def refuse_elsewhere(account: str, region: str) -> runtime.Response | None:
    """The refusal of a request that is signed for an account or region that the local AWS has not, or None."""
    if (account, region) == (ACCOUNT, REGION):
        return None
    message = f"the local AWS has SageMaker in account {ACCOUNT}, region {REGION} only, not in {account}, {region}"
    content = {"__type": ValidationError.code, "message": message}
    return 400, {**_JSON, "x-amzn-errortype": ValidationError.code}, json.dumps(content).encode()


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError as error:
        raise ValidationError("the request is not JSON") from error
    if not isinstance(request, dict):
        raise ValidationError("the request is not a JSON object")
    return request


def _object_reader(clients: Clients) -> Callable[[str, str, str | None], bytes]:
    def read(bucket: str, key: str, version: str | None) -> bytes:
        s3 = clients("s3")
        which = {} if version is None else {"VersionId": version}
        try:
            content: bytes = s3.get_object(Bucket=bucket, Key=key, **which)["Body"].read()
        except s3.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            raise ValidationError(f"could not read s3://{bucket}/{key}: {code}") from error
        return content

    return read
