"""What a deployment leaves for other commands to read."""

import json
from pathlib import Path

import pytest

from local import deployment
from local.deployment import deploy, read_names
from local.errors import RunError

OUTPUTS = {
    "BucketName": "data",
    "DatabaseName": "tables",
    "WorkgroupName": "queries",
    "Pipelines": '{"own": "local-own"}',
}


def write_outputs(assembly: Path, outputs: dict[str, str]) -> None:
    (assembly / "outputs.json").write_text(json.dumps({"Stack": outputs}), encoding="utf-8")


def test_names_are_those_of_all_stacks(tmp_path: Path) -> None:
    write_outputs(tmp_path, OUTPUTS)

    assert read_names(tmp_path).pipelines == {"own": "local-own"}


def test_while_stacks_are_deployed_nobody_reads_the_names_of_an_earlier_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_outputs(tmp_path, OUTPUTS | {"BucketName": "gone"})

    def cdk(arguments: list[str], environment: object) -> None:
        with pytest.raises(RunError, match="still being deployed"):
            read_names(tmp_path)
        if arguments[0] == "deploy":
            write_outputs(tmp_path, OUTPUTS)

    monkeypatch.setattr(deployment, "run_cdk", cdk)

    assert deploy(tmp_path, {"AWS_DEFAULT_REGION": "us-east-1"}).bucket == "data"
