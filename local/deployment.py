"""Deploys the stacks with the real CDK command, and says what they are called."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import CommandError
from local.paths import CDK, PYTHON, REPOSITORY

STAGE = "local"


@dataclass(frozen=True)
class Names:
    """What a deployed stage is called, as the stacks' outputs say."""

    bucket: str
    database: str
    workgroup: str
    pipelines: dict[str, str]


def synthesise(output: Path, stage: str = STAGE) -> None:
    """Write the CloudFormation templates of a stage and everything they need into `output`."""
    run_cdk(["synth", "--quiet", "--output", str(output), "--context", f"stage={stage}"], os.environ)


def deploy(assembly: Path, environment: Mapping[str, str]) -> Names:
    """Deploy every stack of a synthesised `assembly` to the AWS that `environment` names."""
    run_cdk(["bootstrap", "--app", str(assembly), f"aws://{_account(environment)}"], environment)
    outputs = assembly / "outputs.json"
    run_cdk(
        [
            "deploy",
            "--all",
            "--app",
            str(assembly),
            "--require-approval",
            "never",
            "--concurrency",
            "4",
            "--outputs-file",
            str(outputs),
        ],
        environment,
    )
    return read_names(outputs)


def destroy(assembly: Path, environment: Mapping[str, str]) -> None:
    """Take every stack away again."""
    run_cdk(["destroy", "--all", "--app", str(assembly), "--force"], environment)


def read_names(outputs: Path) -> Names:
    """Read what `cdk deploy --outputs-file` wrote."""
    values: dict[str, str] = {}
    for stack in json.loads(outputs.read_text(encoding="utf-8")).values():
        values.update(stack)
    return Names(
        bucket=values["BucketName"],
        database=values["DatabaseName"],
        workgroup=values["WorkgroupName"],
        pipelines=json.loads(values["Pipelines"]),
    )


def run_cdk(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run the CDK command.

    Raises:
        CommandError: it failed; with the end of what it said.
    """
    node = PYTHON.parent / "node"
    quiet = {
        # The command would otherwise ask the network for news and newer versions, and report its use.
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "PATH": f"{PYTHON.parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
    }
    command = [str(node), str(CDK), *arguments, "--no-notices", "--no-color", "--progress", "events"]
    outcome = subprocess.run(
        command, cwd=REPOSITORY, env={**environment, **quiet}, capture_output=True, text=True, check=False
    )
    if outcome.returncode != 0:
        tail = "\n".join((outcome.stdout + outcome.stderr).splitlines()[-30:])
        raise CommandError(f"`cdk {' '.join(arguments[:2])}` failed with exit status {outcome.returncode}:\n{tail}")


def _account(environment: Mapping[str, str]) -> str:
    return f"000000000000/{environment['AWS_DEFAULT_REGION']}"
