"""A pipeline definition, checked and turned into a graph of steps, before anything of it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.emulator.errors import ValidationError
from local.emulator.pipelines.cache import CACHED_TYPES, parse_duration
from local.emulator.pipelines.conditions import check_condition
from local.emulator.pipelines.expressions import EXECUTION_VARIABLES, JSON_GET, references
from local.emulator.pipelines.retries import RETRIED_TYPES, RetryPolicy, parse_policies

VERSION = "2020-12-01"
STEP_TYPES = ("Processing", "Training", "Tuning", "Condition", "RegisterModel", "Lambda", "Fail")

_DEFINITION_MEMBERS = {
    "Version",
    "Metadata",
    "Parameters",
    "PipelineExperimentConfig",
    "MlflowConfig",
    "ParallelismConfiguration",
    "Steps",
}
_STEP_MEMBERS = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}
_MORE_STEP_MEMBERS = {
    "Processing": {"CacheConfig", "RetryPolicies", "PropertyFiles"},
    "Training": {"CacheConfig", "RetryPolicies"},
    "Tuning": {"CacheConfig", "RetryPolicies"},
    "RegisterModel": {"RetryPolicies"},
    "Lambda": {"CacheConfig", "FunctionArn", "OutputParameters"},
}


@dataclass(frozen=True)
class Branch:
    """Where a nested step stands: it runs only if condition step `condition` came out as `outcome`."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step. `after` are the steps that must have succeeded before it starts."""

    name: str
    type: str
    body: Mapping[str, Any]
    after: frozenset[str]
    branch: Branch | None
    retry_policies: tuple[RetryPolicy, ...]
    # None: not cached.
    cache_for: timedelta | None


@dataclass(frozen=True)
class Definition:
    """A whole pipeline. `steps` in the order of the definition, a condition before what is nested in it."""

    body: Mapping[str, Any]
    steps: Mapping[str, Step]
    property_files: Mapping[tuple[str, str], tuple[str, str]]
    # None: the definition does not limit it.
    parallel_steps: int | None


def parse_definition(body: Any) -> Definition:
    """Check a definition as the SageMaker SDK writes it.

    Raises:
        ValidationError: it is malformed, refers to what is not there, runs in a circle, or uses what the local
            SageMaker does not support; named.
    """
    if not isinstance(body, dict) or not isinstance(body.get("Steps"), list):
        raise ValidationError("The pipeline definition must be an object with a list of Steps")
    _refuse_foreign(body, _DEFINITION_MEMBERS, "The pipeline definition")
    if body.get("Version") != VERSION:
        raise ValidationError(f"Version of the pipeline definition must be {VERSION}, got {body.get('Version')!r}")
    if body.get("MlflowConfig"):
        raise ValidationError("MlflowConfig is not supported by the local SageMaker")
    nested = list(_walk(body["Steps"], None))
    names = [str(step["Name"]) for step, _ in nested]
    if len(set(names)) != len(names):
        raise ValidationError(
            f"Step names must be unique; repeated: {sorted({n for n in names if names.count(n) > 1})}"
        )
    files = _property_files([step for step, _ in nested])
    steps = {step["Name"]: _parse_step(step, branch) for step, branch in nested}
    parameters = {parameter.get("Name") for parameter in body.get("Parameters", [])}
    for step in steps.values():
        _check_references(step, steps, parameters, files)
    for reference in references(body.get("PipelineExperimentConfig")):
        if reference.root != "Execution" or reference.path[0] not in EXECUTION_VARIABLES:
            raise ValidationError(f"PipelineExperimentConfig may refer to execution variables only: {reference.text}")
    _refuse_circles(steps)
    return Definition(body, steps, files, parallelism(body.get("ParallelismConfiguration")))


def parallelism(configuration: Any) -> int | None:
    """MaxParallelExecutionSteps of a ParallelismConfiguration, None without one. Raises ValidationError."""
    if configuration is None:
        return None
    limit = configuration.get("MaxParallelExecutionSteps") if isinstance(configuration, dict) else None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValidationError("ParallelismConfiguration needs MaxParallelExecutionSteps, an integer >= 1")
    return limit


def _walk(steps: Any, branch: Branch | None) -> Iterator[tuple[Mapping[str, Any], Branch | None]]:
    for step in steps:
        if not isinstance(step, dict) or not isinstance(step.get("Name"), str) or not step["Name"]:
            raise ValidationError("Every step needs a Name")
        name, kind = step["Name"], step.get("Type")
        if kind not in STEP_TYPES:
            raise ValidationError(
                f"Step {name}: step type {kind!r} is not supported by the local SageMaker; "
                f"supported are {', '.join(STEP_TYPES)}"
            )
        _refuse_foreign(step, _STEP_MEMBERS | _MORE_STEP_MEMBERS.get(kind, set()), f"Step {name} of type {kind}")
        if not isinstance(step.get("Arguments"), dict):
            raise ValidationError(f"Step {name}: Arguments must be an object")
        yield step, branch
        if kind == "Condition":
            arguments = step["Arguments"]
            _refuse_foreign(arguments, {"Conditions", "IfSteps", "ElseSteps"}, f"Step {name}: Arguments")
            if not isinstance(arguments.get("Conditions"), list) or not arguments["Conditions"]:
                raise ValidationError(f"Step {name}: Conditions must be a list with at least one condition")
            for condition in arguments["Conditions"]:
                check_condition(condition, name)
            yield from _walk(arguments.get("IfSteps") or [], Branch(name, True))
            yield from _walk(arguments.get("ElseSteps") or [], Branch(name, False))


def _parse_step(step: Mapping[str, Any], branch: Branch | None) -> Step:
    name, kind = step["Name"], step["Type"]
    if kind == "Lambda" and not isinstance(step.get("FunctionArn"), str):
        raise ValidationError(f"Step {name}: FunctionArn is missing")
    # Without the nested steps of a condition: those wait for themselves.
    own = {"Arguments": step["Arguments"]["Conditions"]} if kind == "Condition" else step
    referred = {str(r.path[0]) for r in references(own) if r.root == "Steps"}
    depends_on = step.get("DependsOn", [])
    if not isinstance(depends_on, list) or not all(isinstance(other, str) for other in depends_on):
        raise ValidationError(f"Step {name}: DependsOn must be a list of step names")
    if step.get("RetryPolicies") and kind not in RETRIED_TYPES:
        raise ValidationError(f"Step {name}: RetryPolicies are not supported for steps of type {kind}")
    return Step(
        name=name,
        type=kind,
        body=step,
        after=frozenset(referred | set(depends_on)),
        branch=branch,
        retry_policies=parse_policies(step.get("RetryPolicies") or [], name),
        cache_for=_cache_for(step),
    )


def _cache_for(step: Mapping[str, Any]) -> timedelta | None:
    configuration = step.get("CacheConfig")
    if not configuration or not configuration.get("Enabled"):
        return None
    if step["Type"] not in CACHED_TYPES:
        raise ValidationError(f"Step {step['Name']}: steps of type {step['Type']} cannot be cached")
    if "ExpireAfter" not in configuration:
        raise ValidationError(f"Step {step['Name']}: CacheConfig needs ExpireAfter")
    return parse_duration(configuration["ExpireAfter"], step["Name"])


def _property_files(steps: list[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, str]]:
    files = {}
    for step in steps:
        for file in step.get("PropertyFiles") or []:
            if set(file) != {"PropertyFileName", "OutputName", "FilePath"}:
                raise ValidationError(
                    f"Step {step['Name']}: a property file needs PropertyFileName, OutputName and FilePath"
                )
            files[(step["Name"], file["PropertyFileName"])] = (file["OutputName"], file["FilePath"])
    return files


def _check_references(step: Step, steps: Mapping[str, Step], parameters: set[Any], files: Mapping[Any, Any]) -> None:
    unknown = step.after - set(steps)
    if unknown:
        raise ValidationError(f"Step {step.name} refers to steps that are not there: {', '.join(sorted(unknown))}")
    for reference in references(step.body["Arguments"]):
        head = reference.path[0]
        if reference.root == "Parameters" and head not in parameters:
            raise ValidationError(f"Step {step.name} refers to a parameter that is not declared: {reference.text}")
        if reference.root == "Execution" and head not in EXECUTION_VARIABLES:
            raise ValidationError(f"Step {step.name} refers to an unknown execution variable: {reference.text}")
        is_file = reference.path[1:2] == ("PropertyFiles",)
        if is_file and (head, reference.path[-1]) not in files:
            raise ValidationError(f"Step {step.name} refers to a property file that is not there: {reference.text}")
    for function in _json_gets(step.body["Arguments"]):
        if "PropertyFile" in function and not any(
            r.path[1:2] == ("PropertyFiles",) and len(r.path) == 3 for r in references(function["PropertyFile"])
        ):
            raise ValidationError(f"Step {step.name}: PropertyFile must be Steps.<step>.PropertyFiles.<name>")


def _json_gets(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        if set(value) == {JSON_GET}:
            yield value[JSON_GET]
        for item in value.values():
            yield from _json_gets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _json_gets(item)


def _refuse_circles(steps: Mapping[str, Step]) -> None:
    graph = {s.name: s.after | ({s.branch.condition} if s.branch else set()) for s in steps.values()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise ValidationError(f"The steps wait for each other in a circle: {' -> '.join(error.args[1])}") from error


def _refuse_foreign(value: Mapping[str, Any], known: set[str], what: str) -> None:
    foreign = sorted(set(value) - known)
    if foreign:
        raise ValidationError(f"{what}: not supported by the local SageMaker: {', '.join(foreign)}")
