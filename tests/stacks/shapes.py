"""Checks the arguments of a pipeline's steps against botocore's descriptions of the SageMaker API, offline."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.loaders
import botocore.model
from botocore.validate import ParamValidator

_SAGEMAKER = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"))
_OPERATIONS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Tuning": ("CreateHyperParameterTuningJob", "HyperParameterTuningJobName"),
    "RegisterModel": ("CreateModelPackage", None),
}
# What stands for a value that is known only when the pipeline runs.
_STAND_INS: Mapping[str, Any] = {"integer": 1, "long": 1, "float": 1.0, "double": 1.0, "boolean": True}
_UNKNOWN_TEXT = "s3://bucket/known-when-it-runs"


def steps(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step, those inside conditions too."""
    for step in definition["Steps"]:
        yield step
        if step["Type"] == "Condition":
            yield from steps({"Steps": step["Arguments"]["IfSteps"]})
            yield from steps({"Steps": step["Arguments"]["ElseSteps"]})


def problems(definition: Mapping[str, Any]) -> list[str]:
    """What SageMaker would refuse, one sentence a problem."""
    defaults = {
        parameter["Name"]: parameter.get("DefaultValue", _UNKNOWN_TEXT) for parameter in definition["Parameters"]
    }
    found = []
    for step in steps(definition):
        if step["Type"] not in _OPERATIONS:
            continue
        operation, name = _OPERATIONS[step["Type"]]
        shape = _SAGEMAKER.operation_model(operation).input_shape
        arguments = _resolved(copy.deepcopy(step["Arguments"]), defaults, shape)
        if name:
            # SageMaker Pipelines names the job.
            arguments.setdefault(name, "job")
        report = ParamValidator().validate(arguments, shape)
        if report.has_errors():
            found.append(f"{step['Name']}: {report.generate_report()}")
        found += [f"{step['Name']}{problem}" for problem in broken_constraints(arguments, shape)]
    return found


def _resolved(value: Any, defaults: Mapping[str, Any], shape: Any) -> Any:
    kind = shape.type_name if shape is not None else None
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet"):
        ((function, argument),) = value.items()
        if function == "Get" and argument.startswith("Parameters."):
            default = defaults[argument.removeprefix("Parameters.")]
            return str(default) if kind == "string" else default
        return _STAND_INS.get(str(kind), _UNKNOWN_TEXT)
    if isinstance(value, dict):
        members = shape.members if kind == "structure" else None
        inner = shape.value if kind == "map" else None
        return {key: _resolved(item, defaults, members.get(key) if members else inner) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, defaults, shape.member if kind == "list" else None) for item in value]
    return value


def broken_constraints(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """Unknown members, patterns, enumerations and lengths, which botocore's validator leaves to the service."""
    if isinstance(value, dict) and shape.type_name == "structure":
        for key, item in value.items():
            if key not in shape.members:
                yield f"{path}.{key}: unknown"
            else:
                yield from broken_constraints(item, shape.members[key], f"{path}.{key}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from broken_constraints(item, shape.value, f"{path}.{key}")
    elif isinstance(value, list):
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{path}: {len(value)} items, {shape.metadata['max']} allowed"
        for index, item in enumerate(value):
            yield from broken_constraints(item, shape.member, f"{path}[{index}]")
    elif isinstance(value, str):
        pattern, longest = shape.metadata.get("pattern"), shape.metadata.get("max", len(value))
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{path}: {value!r} is not one of {shape.enum}"
        if len(value) > longest:
            yield f"{path}: {len(value)} characters, {longest} allowed"
        # Python's expressions lack Unicode classes, which a few of the patterns use.
        if pattern and r"\p" not in pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
