"""Pipelines, their executions and the jobs that those start: the API in front of the pipeline engine."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from local.emulator.errors import ConflictException, ResourceNotFound, ValidationError
from local.emulator.listing import Listing, now
from local.emulator.sagemaker.names import arn, name_of
from local.emulator.sagemaker.tags import Tags

PIPELINES = Listing(
    result="PipelineSummaries",
    identity="PipelineName",
    descending=True,
    sort_members={"Name": "PipelineName", "CreationTime": "CreationTime"},
)
EXECUTIONS = Listing(
    result="PipelineExecutionSummaries",
    identity="PipelineExecutionArn",
    created="StartTime",
    descending=True,
    sort_members={"CreationTime": "StartTime", "PipelineExecutionArn": "PipelineExecutionArn"},
)
STEPS = Listing(result="PipelineExecutionSteps", identity="StepName", created="StartTime", descending=True)
PARAMETERS = Listing(result="PipelineParameters", identity="Name", created="Name", descending=False)
PROCESSING_JOBS = Listing(
    result="ProcessingJobSummaries",
    identity="ProcessingJobName",
    descending=False,
    sort_members={"Name": "ProcessingJobName", "CreationTime": "CreationTime", "Status": "ProcessingJobStatus"},
    filters={"StatusEquals": "ProcessingJobStatus"},
)
TRAINING_JOBS = Listing(
    result="TrainingJobSummaries",
    identity="TrainingJobName",
    descending=False,
    sort_members={"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"},
    filters={"StatusEquals": "TrainingJobStatus"},
)
RUNNING = ("Executing", "Stopping")
_SUMMARY = (
    "PipelineArn",
    "PipelineName",
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "CreationTime",
    "LastModifiedTime",
)
_NOT_ON_START = ("SelectiveExecutionConfig", "PipelineVersionId", "MlflowExperimentName")
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class Engine(Protocol):
    """What is used of `local.emulator.pipelines.PipelineEngine`; shapes are those of botocore's responses."""

    def start(
        self,
        *,
        pipeline_name: str,
        pipeline_arn: str,
        definition: dict[str, Any],
        parameters: Mapping[str, str],
        display_name: str | None,
        role_arn: str,
        parallelism_configuration: Mapping[str, Any] | None,
    ) -> str: ...

    def stop(self, execution_arn: str) -> None: ...

    def describe_execution(self, execution_arn: str) -> dict[str, Any]: ...

    def list_executions(self, pipeline_name: str) -> list[dict[str, Any]]: ...

    def list_steps(self, execution_arn: str) -> list[dict[str, Any]]: ...

    def parameters(self, execution_arn: str) -> list[dict[str, Any]]: ...

    def definition(self, execution_arn: str) -> dict[str, Any]: ...

    def describe_processing_job(self, name: str) -> dict[str, Any]: ...

    def describe_training_job(self, name: str) -> dict[str, Any]: ...

    def list_processing_jobs(self) -> list[dict[str, Any]]: ...

    def list_training_jobs(self) -> list[dict[str, Any]]: ...

    def close(self) -> None: ...


class Pipelines:
    """Pipelines by name.

    `check_definition` raises ValidationError for a definition that the engine could not run; `read_object(bucket,
    key, version)` reads one that lies in S3.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        check_definition: Callable[[dict[str, Any]], object],
        tags: Tags,
        read_object: Callable[[str, str, str | None], bytes],
    ) -> None:
        self._engine = engine
        self._check_definition = check_definition
        self._tags = tags
        self._read_object = read_object
        self._lock = threading.RLock()
        self._pipelines: dict[str, dict[str, Any]] = {}
        self._create_tokens: dict[str, str] = {}
        self._start_tokens: dict[tuple[str, str], str] = {}
        self._descriptions: dict[str, str] = {}
        tags.know(lambda resource: any(p["PipelineArn"] == resource for p in self._pipelines.values()))

    def operations(self) -> dict[str, Operation]:
        return {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._update,
            "DescribePipeline": self._describe,
            "DeletePipeline": self._delete,
            "ListPipelines": self._list,
            "StartPipelineExecution": self._start,
            "StopPipelineExecution": self._stop,
            "DescribePipelineExecution": self._describe_execution,
            "ListPipelineExecutions": self._list_executions,
            "ListPipelineExecutionSteps": self._list_steps,
            "ListPipelineParametersForExecution": lambda request: PARAMETERS.page(
                self._engine.parameters(request["PipelineExecutionArn"]), request
            ),
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "DescribeProcessingJob": lambda request: self._engine.describe_processing_job(request["ProcessingJobName"]),
            "DescribeTrainingJob": lambda request: self._engine.describe_training_job(request["TrainingJobName"]),
            "ListProcessingJobs": lambda request: PROCESSING_JOBS.page(self._engine.list_processing_jobs(), request),
            "ListTrainingJobs": self._list_training_jobs,
        }

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        name, token = request["PipelineName"], request["ClientRequestToken"]
        pipeline_arn = arn("pipeline", name)
        with self._lock:
            if self._create_tokens.get(token) == name and name in self._pipelines:
                return {"PipelineArn": pipeline_arn}
            if name in self._pipelines:
                raise ValidationError(
                    "Pipeline names must be unique within an AWS account and region."
                    f" Pipeline with name ({name}) already exists."
                )
            created = now()
            self._pipelines[name] = {
                "PipelineDisplayName": name,
                **_members(request, "PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration"),
                "PipelineName": name,
                "PipelineArn": pipeline_arn,
                "RoleArn": request["RoleArn"],
                "PipelineDefinition": self._definition(request),
                "PipelineStatus": "Active",
                "CreationTime": created,
                "LastModifiedTime": created,
            }
            self._create_tokens[token] = name
            self._tags.set(pipeline_arn, request.get("Tags", []))
        return {"PipelineArn": pipeline_arn}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            pipeline = self._pipeline(request["PipelineName"])
            changes = _members(
                request, "PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration"
            )
            if "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request:
                changes["PipelineDefinition"] = self._definition(request)
            pipeline.update(changes, LastModifiedTime=now())
            return {"PipelineArn": pipeline["PipelineArn"]}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        if "PipelineVersionId" in request:
            raise ValidationError("PipelineVersionId: the local AWS keeps the newest version only")
        pipeline = self._pipeline(request["PipelineName"])
        return {**pipeline, **self._last_run(pipeline, "LastRunTime")}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            pipeline = self._pipeline(request["PipelineName"])
            name = pipeline["PipelineName"]
            if any(e["PipelineExecutionStatus"] in RUNNING for e in self._engine.list_executions(name)):
                raise ConflictException(f"Pipeline {name} has a running execution; stop it first")
            del self._pipelines[name]
            self._tags.forget(pipeline["PipelineArn"])
        return {"PipelineArn": pipeline["PipelineArn"]}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        prefix = request.get("PipelineNamePrefix", "")
        summaries = [
            {**_members(pipeline, *_SUMMARY), **self._last_run(pipeline, "LastExecutionTime")}
            for pipeline in list(self._pipelines.values())
            if pipeline["PipelineName"].startswith(prefix)
        ]
        return PIPELINES.page(summaries, request)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        for member in _NOT_ON_START:
            if member in request:
                raise ValidationError(f"{member}: the local AWS does not offer this")
        given = request.get("PipelineParameters", [])
        parameters = {parameter["Name"]: parameter["Value"] for parameter in given}
        if len(parameters) != len(given):
            raise ValidationError("PipelineParameters: a parameter is given more than once")
        # The lock is held while the execution starts, so that a repeated request cannot start a second one.
        with self._lock:
            pipeline = self._pipeline(request["PipelineName"])
            token = (pipeline["PipelineName"], request["ClientRequestToken"])
            if token not in self._start_tokens:
                self._start_tokens[token] = self._engine.start(
                    pipeline_name=pipeline["PipelineName"],
                    pipeline_arn=pipeline["PipelineArn"],
                    definition=json.loads(pipeline["PipelineDefinition"]),
                    parameters=parameters,
                    display_name=request.get("PipelineExecutionDisplayName"),
                    role_arn=pipeline["RoleArn"],
                    parallelism_configuration=request.get(
                        "ParallelismConfiguration", pipeline.get("ParallelismConfiguration")
                    ),
                )
            execution: str = self._start_tokens[token]
            if "PipelineExecutionDescription" in request:
                self._descriptions.setdefault(execution, request["PipelineExecutionDescription"])
        return {"PipelineExecutionArn": execution}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._engine.stop(request["PipelineExecutionArn"])
        return {"PipelineExecutionArn": request["PipelineExecutionArn"]}

    def _describe_execution(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._engine.describe_execution(request["PipelineExecutionArn"])
        # Newer than the botocore that ministack pins, whose shapes the answer is checked against.
        described = {member: value for member, value in execution.items() if member != "RoleArn"}
        return {**described, **self._description(execution)}

    def _list_executions(self, request: dict[str, Any]) -> dict[str, Any]:
        name = self._pipeline(request["PipelineName"])["PipelineName"]
        executions = self._engine.list_executions(name)
        return EXECUTIONS.page([{**e, **self._description(e)} for e in executions], request)

    def _list_steps(self, request: dict[str, Any]) -> dict[str, Any]:
        if "PipelineExecutionArn" not in request:
            raise ValidationError("PipelineExecutionArn is required")
        # A step that has not begun has no StartTime, and AWS does not list it.
        steps = self._engine.list_steps(request["PipelineExecutionArn"])
        return STEPS.page([step for step in steps if "StartTime" in step], request)

    def _describe_definition(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._engine.describe_execution(request["PipelineExecutionArn"])
        definition = self._engine.definition(request["PipelineExecutionArn"])
        return {"PipelineDefinition": json.dumps(definition), "CreationTime": execution["CreationTime"]}

    def _list_training_jobs(self, request: dict[str, Any]) -> dict[str, Any]:
        for member in ("WarmPoolStatusEquals", "TrainingPlanArnEquals"):
            if member in request:
                raise ValidationError(f"{member}: the local AWS does not offer this")
        return TRAINING_JOBS.page(self._engine.list_training_jobs(), request)

    def _pipeline(self, name_or_arn: str) -> dict[str, Any]:
        found = self._pipelines.get(name_of("pipeline", name_or_arn))
        if found is None:
            raise ResourceNotFound(f"Pipeline '{name_or_arn}' does not exist.")
        return found

    def _definition(self, request: dict[str, Any]) -> str:
        """The definition's text, inline or from S3, checked to be one."""
        location = request.get("PipelineDefinitionS3Location")
        if (location is None) == ("PipelineDefinition" not in request):
            raise ValidationError("give one of PipelineDefinition and PipelineDefinitionS3Location")
        if location is None:
            text = request["PipelineDefinition"]
        else:
            text = self._read_object(location["Bucket"], location["ObjectKey"], location.get("VersionId")).decode()
        try:
            definition = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValidationError(
                f"PipelineDefinition is not JSON: line {error.lineno}, column {error.colno}"
            ) from error
        if not isinstance(definition, dict):
            raise ValidationError("PipelineDefinition must be a JSON object")
        self._check_definition(definition)
        return str(text)

    def _last_run(self, pipeline: dict[str, Any], member: str) -> dict[str, Any]:
        starts = [e["StartTime"] for e in self._engine.list_executions(pipeline["PipelineName"])]
        return {member: max(starts)} if starts else {}

    def _description(self, execution: dict[str, Any]) -> dict[str, str]:
        text = self._descriptions.get(execution["PipelineExecutionArn"])
        return {} if text is None else {"PipelineExecutionDescription": text}


def _members(item: dict[str, Any], *members: str) -> dict[str, Any]:
    return {member: item[member] for member in members if member in item}
