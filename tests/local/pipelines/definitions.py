"""Pipeline definitions for tests: the members that the SageMaker SDK writes, with small Python programs as jobs."""

import io
import tarfile
import textwrap
from typing import Any

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training:2.9.0-transformers5.3.0-cpu"
ROLE = "arn:aws:iam::111122223333:role/jobs"


def pipeline(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps), **more}


def processing(
    name: str,
    program: str = "",
    *,
    arguments: list[Any] | None = None,
    inputs: dict[str, Any] | None = None,
    outputs: dict[str, Any] | None = None,
    step: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A Processing step that runs `program`. `inputs` and `outputs`: name -> S3 URI; an input may be an S3Input."""
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
            },
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "-c", textwrap.dedent(program)],
                **({"ContainerArguments": arguments} if arguments else {}),
            },
            "RoleArn": ROLE,
            "ProcessingInputs": [
                {"InputName": key, "S3Input": _s3_input(key, source)} for key, source in (inputs or {}).items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": key,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/output/{key}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for key, uri in (outputs or {}).items()
                ]
            },
            **members,
        },
        **(step or {}),
    }


def training(
    name: str,
    *,
    hyperparameters: dict[str, Any] | None = None,
    channels: dict[str, str] | None = None,
    metrics: dict[str, str] | None = None,
    algorithm: dict[str, Any] | None = None,
    step: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A Training step in script mode: `train.py` of s3://assets/sourcedir.tar.gz."""
    script = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://assets/sourcedir.tar.gz"}
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingInputMode": "File",
                "TrainingImage": IMAGE,
                "MetricDefinitions": [{"Name": key, "Regex": regex} for key, regex in (metrics or {}).items()],
                **(algorithm or {}),
            },
            "HyperParameters": {**script, **(hyperparameters or {})} if algorithm is None else {},
            **({"InputDataConfig": [_channel(*channel) for channel in channels.items()]} if channels else {}),
            "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "RoleArn": ROLE,
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "OutputDataConfig": {"S3OutputPath": "s3://data/out", "CompressionType": "GZIP"},
            **members,
        },
        **(step or {}),
    }


def tuning(
    name: str,
    *,
    ranges: dict[str, Any],
    jobs: int = 2,
    parallel: int = 1,
    seed: int | None = 1,
    hyperparameters: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    step: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A Tuning step that maximises `score`, printed as `score: 0.5`, over jobs as `training` makes them."""
    job = training(name, hyperparameters=hyperparameters, metrics={"score": "score: ([0-9.]+)"}, **members)["Arguments"]
    return {
        "Name": name,
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Bayesian",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
                "ParameterRanges": ranges,
                "TrainingJobEarlyStoppingType": "Off",
                **({} if seed is None else {"RandomSeed": seed}),
                **(config or {}),
            },
            "TrainingJobDefinition": {"StaticHyperParameters": job.pop("HyperParameters"), **job},
        },
        **(step or {}),
    }


def condition(
    name: str, conditions: list[Any], if_steps: list[Any] | None = None, else_steps: list[Any] | None = None
) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": conditions, "IfSteps": if_steps or [], "ElseSteps": else_steps or []},
    }


def fail(name: str, message: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(on: str, *values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def output_of(step: str, name: str) -> dict[str, str]:
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def source_archive(**files: str) -> bytes:
    """A sourcedir.tar.gz. Names use `__` for a dot: train__py is train.py."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            content = textwrap.dedent(text).encode()
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _channel(name: str, uri: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "InputMode": "File"}


def _s3_input(name: str, source: Any) -> dict[str, Any]:
    given = source if isinstance(source, dict) and "S3Uri" in source else {"S3Uri": source}
    return {
        "LocalPath": f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
        **given,
    }
