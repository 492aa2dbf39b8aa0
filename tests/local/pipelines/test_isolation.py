"""Network isolation: a job without network, and a machine that cannot give it one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from local.emulator.pipelines import job
from local.emulator.pipelines.isolation import isolation_prefix
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import pipeline, processing, source_archive, training

# Which interfaces there are, whether localhost works, and what libraries are told.
LOOK = """
    import json, os, socket, sys
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname(), timeout=10)
    interfaces = [name for _, name in socket.if_nameindex()]
    names = ("HF_HUB_OFFLINE", "AWS_ENDPOINT_URL")
    print(json.dumps({"interfaces": interfaces} | {name: os.environ.get(name) for name in names}))
"""
ISOLATED = {"EnableNetworkIsolation": True}
can_isolate = pytest.mark.skipif(
    isolation_prefix(Path(sys.executable)) is None, reason="this machine does not let us make network namespaces"
)


def seen(emulator: Emulator, name: str) -> dict:
    (line,) = [line for line in emulator.logs.lines(name) if line.startswith("{")]
    return json.loads(line)


@can_isolate
def test_an_isolated_processing_job_has_only_its_own_localhost(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Look", LOOK, NetworkConfig=ISOLATED)))
    assert emulator.status(arn) == "Succeeded", emulator.logs.streams
    assert seen(emulator, "Look") == {"interfaces": ["lo"], "HF_HUB_OFFLINE": "1", "AWS_ENDPOINT_URL": None}


def test_a_job_with_network_can_call_the_local_aws(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Look", LOOK)))
    assert emulator.status(arn) == "Succeeded", emulator.logs.streams
    found = seen(emulator, "Look")
    assert (found["AWS_ENDPOINT_URL"], found["HF_HUB_OFFLINE"]) == ("http://127.0.0.1:9", None)


@can_isolate
def test_an_isolated_training_job_has_only_its_own_localhost(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/code/0123.gz", source_archive(train__py=LOOK))
    arn = emulator.run(pipeline(from_channel("/opt/ml/input/data/code/0123.gz")))
    assert emulator.status(arn) == "Succeeded", emulator.logs.streams
    assert seen(emulator, "FineTune") == {"interfaces": ["lo"], "HF_HUB_OFFLINE": "1", "AWS_ENDPOINT_URL": None}


def test_an_isolated_training_job_cannot_fetch_its_code_from_s3(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=LOOK))
    arn = emulator.run(pipeline(training("FineTune", **ISOLATED)))
    assert emulator.status(arn) == "Failed"
    reason = emulator.reason(arn, "FineTune")
    assert "s3://assets/sourcedir.tar.gz, which a job with EnableNetworkIsolation cannot reach" in reason
    assert "/opt/ml/input/data/<channel>/<file>" in reason


@pytest.mark.parametrize(
    ("submitted", "said"),
    [
        # SageMaker keeps an object's own name, so this is what a guessed name comes to.
        ("/opt/ml/input/data/code/sourcedir.tar.gz", "where no archive lies"),
        ("/opt/ml/input/data/code", "where no archive lies"),
        ("/tmp/sourcedir.tar.gz", "must lie below /opt/ml"),
        ("/opt/ml/input/data/../../../etc/passwd", "must lie below /opt/ml"),
    ],
)
def test_code_that_is_in_no_channel_fails_the_job(emulator: Emulator, submitted: str, said: str) -> None:
    emulator.s3.put("s3://assets/code/0123.gz", source_archive(train__py=LOOK))
    arn = emulator.run(pipeline(from_channel(submitted)))
    assert said in emulator.reason(arn, "FineTune")


def from_channel(submitted: str) -> dict[str, Any]:
    """An isolated training step whose code is the object 0123.gz in the channel `code`."""
    return training(
        "FineTune",
        channels={"code": "s3://assets/code/0123.gz"},
        hyperparameters={"sagemaker_submit_directory": submitted},
        **ISOLATED,
    )


@can_isolate
def test_an_isolated_job_that_is_killed_or_missing_is_told_apart(emulator: Emulator) -> None:
    killed = processing("Killed", "import os; os.kill(os.getpid(), 9)", NetworkConfig=ISOLATED)
    missing = processing("Missing", NetworkConfig=ISOLATED)
    missing["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["no-such-program"]
    assert "SIGKILL" in emulator.reason(emulator.run(pipeline(killed)), "Killed")
    assert emulator.reason(emulator.run(pipeline(missing)), "Missing").endswith("exit code: 127")
    assert "no-such-program: No such file or directory" in emulator.logs.lines("Missing")


def test_a_machine_that_cannot_isolate_says_so_in_the_log(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "isolation_prefix", lambda _: None)
    arn = emulator.run(pipeline(processing("Look", LOOK, NetworkConfig=ISOLATED)))
    assert emulator.status(arn) == "Succeeded"
    assert "Network isolation is not available on this machine: this job could reach the network." in (
        emulator.logs.lines("Look")
    )
    assert seen(emulator, "Look")["HF_HUB_OFFLINE"] == "1"
