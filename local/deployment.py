"""Deploys the stacks with the real CDK command, and says what they are called."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import CommandError, RunError
from local.paths import CDK, PYTHON, REPOSITORY

STAGE = "local"
ACCOUNT = "000000000000"
_OUTPUTS = "outputs.json"


@dataclass(frozen=True)
class Names:
    """What a deployed stage is called, as the stacks' outputs say; what belongs to a task, by the task's name."""

    bucket: str
    database: str
    workgroup: str
    pipelines: dict[str, str]
    text_queues: dict[str, str]
    notice_topics: dict[str, str]
    review_functions: dict[str, str]
    # Kind of task -> id of its QuickSight dashboard; empty without dashboards.
    dashboards: dict[str, str]


def synthesise(assembly: Path, stage: str = STAGE, tasks: Path | None = None) -> None:
    """Write the CloudFormation templates of a stage and everything they need into the folder `assembly`."""
    tasks_folder = ["--context", f"tasks={tasks}"] if tasks else []
    run_cdk(["synth", "--quiet", "--output", str(assembly), "--context", f"stage={stage}", *tasks_folder], os.environ)


def deploy(assembly: Path, environment: Mapping[str, str]) -> Names:
    """Deploy every stack of a synthesised `assembly` to the AWS that `environment` names."""
    # Of an earlier deployment, to an AWS that is gone: nobody must read them while this one goes on.
    (assembly / _OUTPUTS).unlink(missing_ok=True)
    run_cdk(["bootstrap", "--app", str(assembly), f"aws://{ACCOUNT}/{environment['AWS_DEFAULT_REGION']}"], environment)
    options = ["--require-approval", "never", "--concurrency", "4", "--outputs-file", str(assembly / _OUTPUTS)]
    run_cdk(["deploy", "--all", "--app", str(assembly), *options], environment)
    return read_names(assembly)


def destroy(assembly: Path, environment: Mapping[str, str]) -> None:
    """Take every stack away again."""
    run_cdk(["destroy", "--all", "--app", str(assembly), "--force"], environment)


def read_names(assembly: Path) -> Names:
    """Read the outputs of the stacks, as `deploy` wrote them.

    Raises:
        RunError: it has not ended yet.
    """
    try:
        outputs = json.loads((assembly / _OUTPUTS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError("the stacks are still being deployed; try again when that has ended") from error
    values: dict[str, str] = {}
    for stack in outputs.values():
        values.update(stack)
    return Names(
        bucket=values["BucketName"],
        database=values["DatabaseName"],
        workgroup=values["WorkgroupName"],
        pipelines=json.loads(values["Pipelines"]),
        text_queues=json.loads(values.get("TextQueues", "{}")),
        notice_topics=json.loads(values.get("NoticeTopics", "{}")),
        review_functions=json.loads(values.get("ReviewFunctions", "{}")),
        dashboards=json.loads(values.get("Dashboards", "{}")),
    )


def readers_groups(assembly: Path) -> list[tuple[str, str]]:
    """(namespace, group) of the QuickSight groups that must exist before a synthesised `assembly` is deployed."""
    groups = []
    for template in sorted(assembly.glob("*.template.json")):
        for resource in json.loads(template.read_text(encoding="utf-8"))["Resources"].values():
            if resource["Type"] == "Custom::DashboardReady":
                groups.append((resource["Properties"]["Namespace"], resource["Properties"]["Group"]))
    return groups


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
