"""The engine: what the API server around it calls. Everything it knows is gone when its process ends."""

import copy
import secrets
import string
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from local.emulator.errors import InternalFailure, ResourceNotFound, ValidationError
from local.emulator.pipelines.cache import StepCache
from local.emulator.pipelines.definition import Definition, parallelism, parse_definition
from local.emulator.pipelines.execution import Execution, ExecutionInfo
from local.emulator.pipelines.expressions import Scope
from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.job_root import JobRoot
from local.emulator.pipelines.parameters import resolve_parameters
from local.emulator.pipelines.processing import ProcessingJobs
from local.emulator.pipelines.s3_transfer import S3Transfer
from local.emulator.pipelines.settings import EngineSettings
from local.emulator.pipelines.steps import Services
from local.emulator.pipelines.training import TrainingJobs
from local.emulator.pipelines.tuning import TuningJobs

_ID_CHARACTERS = string.ascii_lowercase + string.digits


class PipelineEngine:
    """Runs pipeline definitions as the SageMaker SDK writes them, with processes of this machine as jobs.

    `clients(service)` gives a boto3 client for s3, logs, cloudwatch or lambda. `register_model` takes a
    CreateModelPackage request and returns the package's ARN. `on_event` takes the detail type and the detail of an
    EventBridge event; it is called from the engine's threads, one event of an execution after the other.

    Answers are in the shapes of botocore's SageMaker responses, times as datetime in UTC. All methods may be called
    from any thread; errors are those of local.emulator.errors. Making an engine raises ResourceInUse while another
    one holds `settings.root`, and empties that folder.
    """

    def __init__(
        self,
        *,
        settings: EngineSettings,
        clients: Callable[[str], Any],
        register_model: Callable[[dict[str, Any]], str],
        on_event: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._settings = settings
        self._root = JobRoot(settings.root)
        self._on_event = on_event
        self._cache = StepCache()
        self._processing = ProcessingJobs(settings, clients)
        self._training = TrainingJobs(settings, clients)
        self._tuning = TuningJobs(settings, self._training)
        self._services = Services(clients, register_model, self._processing, self._training, self._tuning)
        self._lock = threading.Lock()
        self._executions: dict[str, Execution] = {}
        self._closed = False

    def start(
        self,
        *,
        pipeline_name: str,
        pipeline_arn: str,
        definition: dict[str, Any],
        parameters: Mapping[str, str],
        display_name: str | None = None,
        role_arn: str | None = None,
        parallelism_configuration: Mapping[str, Any] | None = None,
    ) -> str:
        """Start an execution and return its ARN.

        `parallelism_configuration` is that of the pipeline or of the start request; it wins over the definition's.

        Raises:
            ValidationError: the definition or the parameters cannot be used; nothing was started.
        """
        parsed = parse_definition(copy.deepcopy(definition))
        values = resolve_parameters(parsed.body.get("Parameters", []), parameters)
        limits = (self._settings.parallel_steps, parallelism(parallelism_configuration) or parsed.parallel_steps)
        info = ExecutionInfo(
            arn=f"{pipeline_arn}/execution/{''.join(secrets.choice(_ID_CHARACTERS) for _ in range(12))}",
            pipeline_arn=pipeline_arn,
            pipeline_name=pipeline_name,
            display_name=display_name or f"execution-{int(time.time() * 1000)}",
            role_arn=role_arn,
            given_parameters=dict(parameters),
            parallel_steps=min(limit for limit in limits if limit is not None),
            started=datetime.now(UTC),
        )
        execution = Execution(
            info=info,
            definition=parsed,
            scope=self._scope(info, parsed, values),
            services=self._services,
            cache=self._cache,
            announce=self._on_event,
        )
        with self._lock:
            if self._closed:
                raise InternalFailure("The local SageMaker is being shut down")
            self._executions[info.arn] = execution
            execution.start()
        return info.arn

    def stop(self, execution_arn: str) -> None:
        """Ask an execution to stop; its status is Stopping, then Stopped.

        Raises:
            ResourceNotFound: there is no such execution.
            ValidationError: it has ended already.
        """
        execution = self._execution(execution_arn)
        if not execution.stop():
            raise ValidationError(f"Pipeline execution {execution_arn} has ended already: {execution.status}")

    def describe_execution(self, execution_arn: str) -> dict[str, Any]:
        """As DescribePipelineExecution. Raises ResourceNotFound."""
        return self._execution(execution_arn).describe()

    def list_executions(self, pipeline_name: str) -> list[dict[str, Any]]:
        """PipelineExecutionSummaries of a pipeline, newest first."""
        with self._lock:
            executions = [e for e in self._executions.values() if e.info.pipeline_name == pipeline_name]
        return [execution.summary() for execution in reversed(executions)]

    def list_steps(self, execution_arn: str) -> list[dict[str, Any]]:
        """PipelineExecutionSteps: the steps started so far, oldest first. Raises ResourceNotFound."""
        return self._execution(execution_arn).steps()

    def parameters(self, execution_arn: str) -> list[dict[str, str]]:
        """PipelineParameters: those that the execution was started with, defaults left out. Raises ResourceNotFound."""
        given = self._execution(execution_arn).info.given_parameters
        return [{"Name": name, "Value": value} for name, value in given.items()]

    def definition(self, execution_arn: str) -> dict[str, Any]:
        """The definition that the execution runs. Raises ResourceNotFound."""
        return copy.deepcopy(dict(self._execution(execution_arn).definition.body))

    def describe_processing_job(self, name: str) -> dict[str, Any]:
        """As DescribeProcessingJob. Raises ResourceNotFound."""
        return self._processing.store.describe(name)

    def describe_training_job(self, name: str) -> dict[str, Any]:
        """As DescribeTrainingJob, metrics also while it runs. Raises ResourceNotFound."""
        return self._training.store.describe(name)

    def list_processing_jobs(self) -> list[dict[str, Any]]:
        """ProcessingJobSummaries, oldest first."""
        return self._processing.store.summaries()

    def list_training_jobs(self) -> list[dict[str, Any]]:
        """TrainingJobSummaries, oldest first."""
        return self._training.store.summaries()

    def create_tuning_job(self, request: Mapping[str, Any]) -> str:
        """Start a tuning job outside of any pipeline and return its ARN.

        Raises:
            ValidationError: the request cannot be used here.
            ResourceInUse: the name is taken.
        """
        try:
            return self._tuning.start(request)
        except StepFailed as refusal:
            raise ValidationError(refusal.reason.removeprefix("ClientError: ")) from refusal

    def stop_tuning_job(self, name: str) -> None:
        """Raises ResourceNotFound, or ValidationError when the job has ended already."""
        self._tuning.stop(name)

    def describe_tuning_job(self, name: str) -> dict[str, Any]:
        """As DescribeHyperParameterTuningJob. Raises ResourceNotFound."""
        return self._tuning.describe(name)

    def list_tuning_jobs(self) -> list[dict[str, Any]]:
        """HyperParameterTuningJobSummaries, oldest first."""
        return self._tuning.summaries()

    def list_jobs_of_tuning_job(self, name: str) -> list[dict[str, Any]]:
        """HyperParameterTrainingJobSummaries of a tuning job, oldest first. Raises ResourceNotFound."""
        return self._tuning.training_jobs(name)

    def close(self) -> None:
        """Stop everything and wait until nothing of it is left. A second call does nothing more."""
        with self._lock:
            self._closed = True
            executions = list(self._executions.values())
        for execution in executions:
            execution.stop()
        for execution in executions:
            execution.join()
        self._tuning.close()
        self._root.release()

    def _execution(self, arn: str) -> Execution:
        with self._lock:
            if arn not in self._executions:
                raise ResourceNotFound(f"Pipeline execution {arn} does not exist")
            return self._executions[arn]

    def _scope(self, info: ExecutionInfo, definition: Definition, parameters: Mapping[str, Any]) -> Scope:
        return Scope(
            parameters=parameters,
            execution=_execution_variables(info),
            properties={},
            property_files=definition.property_files,
            read_json=self._read_json,
        )

    def _read_json(self, uri: str) -> Any:
        return S3Transfer(self._services.clients("s3"), lambda: None).read_json(uri)


def _execution_variables(info: ExecutionInfo) -> dict[str, Callable[[], str]]:
    fixed = {
        "PipelineName": info.pipeline_name,
        "PipelineArn": info.pipeline_arn,
        "PipelineExecutionId": info.id,
        "PipelineExecutionArn": info.arn,
        "StartDateTime": _timestamp(info.started),
    }
    variables: dict[str, Callable[[], str]] = {name: partial(str, value) for name, value in fixed.items()}
    variables["CurrentDateTime"] = lambda: _timestamp(datetime.now(UTC))
    return variables


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
