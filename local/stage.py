"""The local stage: a local AWS with every stack deployed to it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from local.aws import LOG_FILE, AttachedAws, LocalAws
from local.deployment import ACCOUNT, Names, deploy, read_names, readers_groups, synthesise
from local.errors import RunError
from local.paths import EMULATOR_PYTHON, PYTHON, REPOSITORY, STATE

_ASSEMBLY = "cdk.out"
_AWS_STATE = "aws"


@dataclass(frozen=True)
class LocalStage:
    """A deployed local stage: its AWS, and what things are called there."""

    aws: LocalAws | AttachedAws
    names: Names
    assembly: Path
    deploy_seconds: float

    def upload(self, file: Path, task: str, evaluation_set: str | None = None) -> str:
        """Upload a file as training data, or as an evaluation set; returns its key."""
        folder = f"eval/{evaluation_set}" if evaluation_set else "train"
        key = f"uploads/{task}/{folder}/{file.name}"
        self.put(file, key)
        return key

    def put(self, file: Path, key: str) -> None:
        """Put a file into the stage's bucket."""
        self.aws.client("s3").upload_file(str(file), self.names.bucket, key)

    def ask_endpoint(self, task: str, text: str, **parameters: Any) -> dict[str, Any]:
        """What the task's live endpoint answers to one text: `generated_text` and what `parameters` ask for, or `label`
        and `probability`."""
        body = {"inputs": text, **({"parameters": parameters} if parameters else {})}
        response = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.names.pipelines[task],
            ContentType="application/json",
            Body=json.dumps(body).encode(),
        )
        answer: dict[str, Any]
        (answer,) = json.loads(response["Body"].read())
        return answer


@contextmanager
def deployed_stage(console: Console, state: Path = STATE, tasks: Path | None = None) -> Iterator[LocalStage]:
    """Start a local AWS, deploy every stack to it, and stop everything at the end.

    `state` is the folder for all that is written; `tasks` a folder of task files in place of `tasks/`.
    """
    with LocalAws(state / _AWS_STATE, python=EMULATOR_PYTHON, job_python=PYTHON, repository=REPOSITORY) as aws:
        console.print(f"Local AWS at {aws.endpoint_url} (this machine only). Deploying the stacks with the AWS CDK ...")
        started = time.monotonic()
        assembly = state / _ASSEMBLY
        synthesise(assembly, tasks=tasks)
        make_readers(aws, assembly)
        names = deploy(assembly, aws.environment())
        seconds = round(time.monotonic() - started, 1)
        pipelines = ", ".join(names.pipelines.values())
        console.print(f"Deployed in {seconds:.0f} s: bucket {names.bucket}, pipelines {pipelines}")
        yield LocalStage(aws, names, assembly, seconds)


def make_readers(aws: LocalAws, assembly: Path) -> None:
    """Do what an administrator of QuickSight does before a deployment: make the group that may see the dashboard."""
    quicksight = aws.client("quicksight")
    for namespace, group in readers_groups(assembly):
        quicksight.create_group(AwsAccountId=ACCOUNT, Namespace=namespace, GroupName=group)


def log_of_local_aws(state: Path) -> Path:
    """Where the local AWS of a state folder writes what it does and what fails in it."""
    return state / _AWS_STATE / LOG_FILE


def running_stage(state: Path = STATE) -> LocalStage:
    """The stage that another command (`make demo`, `make local`) keeps running.

    Raises:
        NotRunning: there is none.
    """
    assembly = state / _ASSEMBLY
    return LocalStage(LocalAws.attach(state / _AWS_STATE), read_names(assembly), assembly, 0.0)


def wait_for_endpoint(sagemaker: Any, name: str, package: str | None, *, seconds: float = 300.0) -> None:
    """Wait until an endpoint serves a model package (None: a model of no package, as the pre-trained one is).

    Raises:
        RunError: it failed, or it takes longer than `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = _endpoint_status(sagemaker, name)
        if status == "Failed":
            reason = sagemaker.describe_endpoint(EndpointName=name).get("FailureReason")
            raise RunError(f"endpoint {name} failed: {reason}")
        if status == "InService" and served_package(sagemaker, name) == package:
            return
        time.sleep(0.5)
    raise RunError(f"endpoint {name} does not serve {package or 'its model'} after {seconds:.0f} s")


def _endpoint_status(sagemaker: Any, name: str) -> str | None:
    found = sagemaker.list_endpoints(NameContains=name)["Endpoints"]
    return next((str(e["EndpointStatus"]) for e in found if e["EndpointName"] == name), None)


def served_package(sagemaker: Any, name: str) -> str | None:
    """ARN of the model package that an endpoint serves; None for a model without one."""
    config = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    package: str | None = model["PrimaryContainer"].get("ModelPackageName")
    return package
