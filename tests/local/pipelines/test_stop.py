"""Stopping: an execution, the engine, and the process that the engine lives in. Nothing may be left behind."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from local.emulator.errors import ResourceInUse, ValidationError
from tests.local.pipelines.conftest import Emulator, process_is_alive, wait_until
from tests.local.pipelines.definitions import pipeline, processing, source_archive, training

# Starts a child, says both process ids, and ends only by force if told so.
FAMILY = """
    import os, signal, subprocess, sys, time
    if STUBBORN:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("family", os.getpid(), child.pid, flush=True)
    time.sleep(600)
"""


def start_family(emulator: Emulator, *, stubborn: bool) -> tuple[str, list[int]]:
    after = processing("After", "pass", step={"DependsOn": ["Family"]})
    arn = emulator.start(pipeline(processing("Family", FAMILY.replace("STUBBORN", str(stubborn))), after))
    emulator.wait(lambda: emulator.logs.lines("Family"))
    return arn, [int(word) for word in emulator.logs.lines("Family")[0].split()[1:]]


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_ends_running_jobs_and_starts_no_more(emulator: Emulator, stubborn: bool) -> None:
    arn, family = start_family(emulator, stubborn=stubborn)
    assert all(map(process_is_alive, family))
    emulator.engine.stop(arn)
    assert emulator.status(arn) in ("Stopping", "Stopped")
    emulator.wait(lambda: emulator.status(arn) == "Stopped")
    assert not any(map(process_is_alive, family))
    assert emulator.statuses(arn) == {"Family": "Stopped"}
    assert emulator.job(arn, "Family")["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in emulator.engine.describe_execution(arn)


def test_an_execution_that_has_ended_cannot_be_stopped(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Only", "pass")))
    with pytest.raises(ValidationError, match="has ended already: Succeeded"):
        emulator.engine.stop(arn)


def test_stopping_twice_is_stopping_once(emulator: Emulator) -> None:
    arn, _ = start_family(emulator, stubborn=True)
    emulator.engine.stop(arn)
    emulator.engine.stop(arn)
    emulator.wait(lambda: emulator.status(arn) == "Stopped")
    told = [detail.get("currentPipelineExecutionStatus") for _, detail in emulator.events]
    assert [status for status in told if status] == ["Executing", "Stopping", "Stopped"]


def test_a_stop_ends_the_wait_for_a_retry(emulator: Emulator) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 3600, "MaxAttempts": 5}
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    arn = emulator.start(pipeline(processing("Killed", program, step={"RetryPolicies": [policy]})))
    emulator.wait(lambda: [j for j in emulator.engine.list_processing_jobs() if j["ProcessingJobStatus"] == "Failed"])
    emulator.engine.stop(arn)
    emulator.wait(lambda: emulator.status(arn) == "Stopped")
    assert emulator.statuses(arn) == {"Killed": "Stopped"}


def test_checkpoints_of_a_stopped_training_job_are_kept(emulator: Emulator) -> None:
    script = """
        import pathlib, signal, sys, time
        folder = pathlib.Path(sys.argv[2])

        def save(*_):
            (folder / "last.txt").write_text("step 40")
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, save)
        print("ready", flush=True)
        time.sleep(600)
    """
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script))
    step = training(
        "FineTune",
        hyperparameters={"checkpoints": "/opt/ml/checkpoints"},
        CheckpointConfig={"S3Uri": "s3://data/checkpoints"},
    )
    arn = emulator.start(pipeline(step))
    emulator.wait(lambda: emulator.logs.lines("FineTune"))
    emulator.engine.stop(arn)
    emulator.wait(lambda: emulator.status(arn) == "Stopped")
    assert emulator.s3.get("s3://data/checkpoints/last.txt") == b"step 40"
    job = emulator.job(arn, "FineTune")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")


def test_close_leaves_no_process_and_no_running_execution(emulator: Emulator) -> None:
    arn, family = start_family(emulator, stubborn=False)
    emulator.engine.close()
    assert not any(map(process_is_alive, family))
    assert emulator.status(arn) == "Stopped"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("namespaces", ["none", "network", "user and network"])
def test_a_job_dies_with_the_engines_process(tmp_path: Path, namespaces: str) -> None:
    """The engine's process is killed outright: it cannot clean up any more. Where a machine cannot make the
    namespaces, the job runs without them and must end just so."""
    program = f"""
        import time
        from pathlib import Path
        from local.emulator.pipelines import isolation
        from tests.local.pipelines.conftest import Emulator
        from tests.local.pipelines.definitions import pipeline, processing
        if {namespaces == "user and network"}:
            runs = isolation._runs
            isolation._runs = lambda command: "--user" in command and runs(command)
        emulator = Emulator(Path({str(tmp_path / "jobs")!r}))
        job = "import os, time; print('job', os.getpid(), flush=True); time.sleep(600)"
        network = {{"EnableNetworkIsolation": {namespaces != "none"}}}
        emulator.start(pipeline(processing("Job", job, NetworkConfig=network)))
        said = lambda: [line for line in emulator.logs.lines("Job") if line.startswith("job")]
        emulator.wait(said)
        print(said()[0].split()[1], flush=True)
        time.sleep(600)
    """
    root = Path(__file__).parents[3]
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert engine.stdout is not None
        job = int(engine.stdout.readline())
        assert process_is_alive(job)
    finally:
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        engine.stdout.close()  # type: ignore[union-attr]
    wait_until(lambda: not process_is_alive(job))
    # What it left of its job goes when the next engine starts there.
    (left,) = (path for path in (tmp_path / "jobs").iterdir() if path.is_dir())
    Emulator(tmp_path / "jobs").engine.close()
    assert not left.exists()


def test_two_engines_cannot_share_a_folder(emulator: Emulator) -> None:
    arn, family = start_family(emulator, stubborn=False)
    with pytest.raises(ResourceInUse, match="used by another local SageMaker"):
        Emulator(emulator.root)
    assert all(map(process_is_alive, family))
    assert emulator.status(arn) == "Executing"
