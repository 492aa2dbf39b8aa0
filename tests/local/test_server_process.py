"""The server as a process: it starts, is found, refuses strangers, and leaves nothing behind."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws import AttachedAws, LocalAws, NotRunning, StartFailed
from tests.local.aws_helpers import (
    bucket,
    config_with_answer,
    create_pipeline,
    definition,
    function,
    processing_step,
    settled,
    unique,
    wait_for,
)
from tests.local.conftest import REPOSITORY, STAND_IN


def local_aws(state: Path, emulator_python: Path) -> LocalAws:
    return LocalAws(
        state,
        python=emulator_python,
        job_python=Path(sys.executable),
        repository=REPOSITORY,
        model_server=STAND_IN,
    )


@pytest.fixture
def second(tmp_path: Path, emulator_python: Path) -> Iterator[LocalAws]:
    """A local AWS of the test's own."""
    local = local_aws(tmp_path / "state", emulator_python)
    with local:
        yield local


def processes_below(folder: Path) -> set[int]:
    """Processes whose command line, working folder or environment names a folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            names = f"{words.decode(errors='replace')} {(process / 'cwd').readlink()}"
        except OSError:
            continue
        if str(folder) in names and int(process.name) != os.getpid():
            found.add(int(process.name))
    return found


def make_busy(aws: LocalAws) -> None:
    """An endpoint, a running job with a child, and a warm function."""
    name = unique("endpoint")
    aws.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config_with_answer(aws, "a"))
    settled(aws, name)
    script = "import subprocess; child = subprocess.Popen(['sleep', '600']); print('up', flush=True); child.wait()"
    execution = aws.client("sagemaker").start_pipeline_execution(
        PipelineName=create_pipeline(aws, definition(processing_step("Wait", script)))
    )["PipelineExecutionArn"]
    answer = aws.client("lambda").invoke(FunctionName=function(aws, "def handler(event, context): return 1"))
    assert json.loads(answer["Payload"].read()) == 1

    def job_runs() -> bool:
        groups = aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/ProcessingJobs")
        if not groups["logGroups"]:
            return False
        events = aws.client("logs").filter_log_events(logGroupName=groups["logGroups"][0]["logGroupName"])["events"]
        return any(event["message"] == "up" for event in events)

    wait_for(job_runs, f"the job of {execution}")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_nothing_is_left_behind(tmp_path: Path, emulator_python: Path, killed: bool) -> None:
    state = tmp_path / "state"
    aws = local_aws(state, emulator_python)
    aws.start()
    server = json.loads((state / "server.json").read_text())["pid"]
    make_busy(aws)
    # The server, the model server, the job, its child, the function.
    assert len(processes_below(state)) >= 5

    if killed:
        os.kill(server, signal.SIGKILL)
    aws.stop()

    assert processes_below(state) == set()
    assert not (state / "server.json").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_ends_everything_itself(
    tmp_path: Path, emulator_python: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state"
    aws = local_aws(state, emulator_python)
    aws.start()
    make_busy(aws)
    assert aws._process is not None

    aws._process.send_signal(number)

    assert aws._process.wait(30) == 0
    assert processes_below(state) == set()
    assert not (state / "server.json").exists()


def test_two_run_side_by_side(aws: LocalAws, second: LocalAws) -> None:
    name = bucket(second, "only-there")

    assert second.endpoint_url != aws.endpoint_url
    assert name in [found["Name"] for found in second.client("s3").list_buckets()["Buckets"]]
    assert name not in [found["Name"] for found in aws.client("s3").list_buckets()["Buckets"]]


def test_a_second_command_finds_the_server_and_no_other(tmp_path: Path, aws: LocalAws, emulator_python: Path) -> None:
    state = tmp_path / "state"
    with pytest.raises(NotRunning):
        LocalAws.attach(state)
    with local_aws(state, emulator_python) as running:
        attached = LocalAws.attach(state)
        assert isinstance(attached, AttachedAws)
        assert attached.endpoint_url == running.endpoint_url
        assert attached.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
        of_the_living = (state / "server.json").read_text()
        with pytest.raises(StartFailed, match="another local AWS runs"):
            local_aws(state, emulator_python).start()
        # The loser must not have taken the winner's state file with it.
        assert (state / "server.json").read_text() == of_the_living

    # A server was killed and could not clean up; its port is another server's now.
    stale = {**json.loads(of_the_living), "port": int(aws.endpoint_url.rsplit(":", 1)[1])}
    (state / "server.json").write_text(json.dumps(stale))
    with pytest.raises(NotRunning):
        LocalAws.attach(state)


def test_a_child_process_reaches_the_local_aws_and_nothing_else(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    environment = aws.environment()
    assert "AWS_PROFILE" not in environment
    assert "HTTPS_PROXY" not in environment
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"

    said = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    ).stdout

    assert said.strip() == "000000000000"


def test_a_client_reaches_the_local_aws_whatever_the_user_has_set(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    # The clients of `aws` may be made already.
    fresh = LocalAws.attach(aws._state)

    assert fresh.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_a_server_that_cannot_start_says_why(tmp_path: Path, emulator_python: Path) -> None:
    broken = LocalAws(
        tmp_path / "state", python=emulator_python, job_python=tmp_path / "no-python", repository=REPOSITORY
    )
    with pytest.raises(StartFailed, match="no-python is not an executable file"):
        broken.start()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/_local/health", {}, 200),
        ("GET", "/_local/health", {"Host": "attacker.example"}, 403),
        ("POST", "/", {"Origin": "https://attacker.example"}, 403),
        ("POST", "/", {"Origin": "null"}, 403),
        ("POST", "/_ministack/reset", {}, 403),
        ("POST", "/_ministack/config", {}, 403),
    ],
)
def test_a_web_page_cannot_use_it(aws: LocalAws, method: str, path: str, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(aws.endpoint_url.rsplit(":", 1)[1]))
    connection.request(method, path, headers=headers)
    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_it_listens_on_loopback_only(aws: LocalAws) -> None:
    assert aws._process is not None
    sockets = {
        link.readlink().name
        for link in Path(f"/proc/{aws._process.pid}/fd").iterdir()
        if link.readlink().name.startswith("socket:")
    }
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{aws._process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.add(fields[1].split(":")[0])
    assert listening == {"0100007F"}


def test_a_server_whose_owner_was_killed_ends_with_everything_that_it_started(
    tmp_path: Path, emulator_python: Path
) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from tests.local.test_server_process import local_aws, make_busy\n"
        "aws = local_aws(Path(sys.argv[1]), Path(sys.argv[2])); aws.start(); make_busy(aws)\n"
        "print('busy', flush=True); time.sleep(600)"
    )
    state = tmp_path / "state"
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(state), str(emulator_python)], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"busy\n"
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_for(lambda: not processes_below(state), "the end of everything that the owner started")
