"""Training jobs in script mode as real processes: what the script is given, and what becomes of what it leaves."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from local.emulator.pipelines.folder_sync import FolderSync
from local.emulator.pipelines.s3_transfer import S3Transfer
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import IMAGE, pipeline, source_archive, training
from tests.local.pipelines.doubles import MemoryS3

SAVE_ENVIRONMENT = """
    import json, os, pathlib, sys
    import helper
    seen = {"argv": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "helper": helper.__file__}
    pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json").write_text(json.dumps(seen))
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("weights")
"""


def members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}  # type: ignore[union-attr]


def run_script(emulator: Emulator, script: str, **step: object) -> str:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script, helper__py=""))
    return emulator.run(pipeline(training("FineTune", **step)))


def artefacts(emulator: Emulator, arn: str) -> str:
    return f"s3://data/out/{emulator.job(arn, 'FineTune')['TrainingJobName']}/output"


def test_what_the_script_is_given(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/train/part-00000.jsonl", "{}")
    hyperparameters = {
        "epochs": "3",
        "learning_rate": "3e-4",
        "model": "small",
        "quoted": json.dumps("two words"),
        "flag": "true",
        "checkpoints": "/opt/ml/checkpoints",
        "x": "1",
    }
    arn = run_script(
        emulator,
        SAVE_ENVIRONMENT,
        hyperparameters=hyperparameters,
        channels={"train": "s3://data/train"},
        Environment={"EXTRA": "/opt/ml/input/data"},
    )
    assert emulator.status(arn) == "Succeeded", emulator.logs.streams
    seen = json.loads(members(emulator.s3.get(f"{artefacts(emulator, arn)}/output.tar.gz"))["seen.json"])
    environment = seen["environment"]
    root = environment["SM_MODEL_DIR"].removesuffix("/model")
    assert root.startswith(str(emulator.root))
    # In the order of the names; decoded from JSON where they are JSON, as the toolkit does it.
    assert seen["argv"] == [
        *("--checkpoints", f"{root}/checkpoints", "--epochs", "3", "--flag", "True", "--learning_rate", "0.0003"),
        *("--model", "small", "--quoted", "two words", "-x", "1"),
    ]
    assert seen["cwd"] == f"{root}/code"
    assert environment["PYTHONPATH"] == f"{root}/code"
    assert environment["SM_CHANNEL_TRAIN"] == f"{root}/input/data/train"
    assert environment["SM_CHANNELS"] == '["train"]'
    assert environment["SM_OUTPUT_DIR"] == f"{root}/output"
    assert environment["SM_NUM_GPUS"] == "0"
    assert int(environment["SM_NUM_CPUS"]) >= 1
    assert environment["SM_HOSTS"] == '["algo-1"]'
    assert environment["SM_CURRENT_HOST"] == "algo-1"
    assert environment["SM_MODULE_NAME"] == "train"
    assert environment["SM_USER_ENTRY_POINT"] == "train.py"
    assert json.loads(environment["SM_HPS"])["learning_rate"] == 0.0003
    assert "sagemaker_program" not in json.loads(environment["SM_HPS"])
    assert environment["SM_HP_QUOTED"] == "two words"
    assert environment["EXTRA"] == f"{root}/input/data"
    assert environment["TRAINING_JOB_NAME"] == emulator.job(arn, "FineTune")["TrainingJobName"]
    assert [name for name in environment if name.startswith("AWS_")] == ["AWS_ENDPOINT_URL"]


def test_configuration_files_and_channels(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/train/deep/part.jsonl", "train")
    script = """
        import json, os, pathlib
        config = pathlib.Path(os.environ["SM_INPUT_CONFIG_DIR"])
        found = {path.name: json.loads(path.read_text()) for path in config.iterdir()}
        data = pathlib.Path(os.environ["SM_INPUT_DIR"], "data")
        found["files"] = sorted(str(p.relative_to(data)) for p in data.rglob("*") if p.is_file())
        pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "found.json").write_text(json.dumps(found))
    """
    arn = run_script(emulator, script, hyperparameters={"epochs": "3"}, channels={"train": "s3://data/train"})
    found = json.loads(members(emulator.s3.get(f"{artefacts(emulator, arn)}/output.tar.gz"))["found.json"])
    assert found["hyperparameters.json"]["epochs"] == "3"
    assert found["inputdataconfig.json"]["train"]["TrainingInputMode"] == "File"
    assert found["resourceconfig.json"]["current_host"] == "algo-1"
    assert found["resourceconfig.json"]["current_instance_type"] == "ml.g5.2xlarge"
    assert found["files"] == ["train/deep/part.jsonl"]


def test_artefacts_lie_where_sagemaker_puts_them_and_are_the_same_bytes_each_time(emulator: Emulator) -> None:
    script = """
        import os, pathlib
        model = pathlib.Path(os.environ["SM_MODEL_DIR"])
        for name in ("b.txt", "a.txt", "code/inference.py"):
            (model / name).parent.mkdir(exist_ok=True)
            (model / name).write_text(name)
    """
    first, second = (run_script(emulator, script) for _ in range(2))
    archives = [emulator.s3.get(f"{artefacts(emulator, arn)}/model.tar.gz") for arn in (first, second)]
    assert archives[0] == archives[1]
    assert members(archives[0]) == {name: name.encode() for name in ("a.txt", "b.txt", "code/inference.py")}
    job = emulator.job(first, "FineTune")
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"{artefacts(emulator, first)}/model.tar.gz"}
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    stages = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_metrics_are_there_while_the_job_runs(emulator: Emulator) -> None:
    script = """
        import pathlib, sys, time
        print("{'loss': 2.5, 'learning_rate': 0.0003, 'epoch': 0.5, 'step': 40}")
        print("{'loss': 1.25, 'learning_rate': 0.0002, 'epoch': 1.0, 'step': 80}")
        print("{'eval_loss': 2.1, 'epoch': 1.0, 'step': 80}", flush=True)
        while not pathlib.Path(sys.argv[2]).exists():
            time.sleep(0.05)
    """
    go = emulator.root.parent / "go"
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script))
    step = training(
        "FineTune",
        hyperparameters={"go": str(go)},
        metrics={"train_loss": r"'loss': ([0-9.]+)", "val_loss": r"'eval_loss': ([0-9.]+)"},
    )
    arn = emulator.start(pipeline(step))

    def latest() -> dict[str, float]:
        step = emulator.steps(arn).get("FineTune", {"Metadata": {}})
        job = emulator.job(arn, "FineTune") if step["Metadata"] else {}
        return {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}

    emulator.wait(lambda: latest() == {"train_loss": 1.25, "val_loss": 2.1})
    emulator.wait(lambda: len(emulator.cloudwatch.points) == 3)
    assert emulator.status(arn) == "Executing"
    go.touch()
    emulator.wait(lambda: emulator.status(arn) == "Succeeded")
    name = emulator.job(arn, "FineTune")["TrainingJobName"]
    namespaces = {namespace for namespace, _ in emulator.cloudwatch.points}
    assert namespaces == {"/aws/sagemaker/TrainingJobs"}
    points = [(p["MetricName"], p["Value"], p["Dimensions"]) for _, p in emulator.cloudwatch.points]
    assert points[0] == ("train_loss", 2.5, [{"Name": "TrainingJobName", "Value": name}])
    assert "/aws/sagemaker/TrainingJobs" in emulator.logs.groups
    assert len(emulator.logs.lines(name)) == 3


def test_a_failure_file_is_the_reason(emulator: Emulator) -> None:
    script = """
        import os, pathlib
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("ModelError: no weights")
        raise SystemExit(1)
    """
    arn = run_script(emulator, script)
    assert emulator.reason(arn, "FineTune") == "AlgorithmError: ModelError: no weights, exit code: 1"
    job = emulator.job(arn, "FineTune")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == emulator.reason(arn, "FineTune")
    # As on AWS, where it would lie is known even of a job that left nothing there.
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"{artefacts(emulator, arn)}/model.tar.gz"}
    assert emulator.s3.keys("s3://data/out") == []


CHECKPOINT = """
    import os, pathlib, signal, sys
    folder = pathlib.Path(os.environ.get("FOLDER", sys.argv[2]))
    if (folder / "checkpoint-1" / "state.txt").exists():
        print("resumed", (folder / "checkpoint-1" / "state.txt").read_text())
    else:
        (folder / "checkpoint-1").mkdir(parents=True)
        (folder / "checkpoint-1" / "state.txt").write_text("step 40")
        END
"""
CHECKPOINT_CONFIG = {"S3Uri": "s3://data/checkpoints", "LocalPath": "/opt/ml/checkpoints"}


@pytest.mark.parametrize("end", ["raise SystemExit(1)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_checkpoints_are_kept_after_a_failure_and_restored_by_the_next_job(emulator: Emulator, end: str) -> None:
    script = CHECKPOINT.replace("END", end)
    step = {"hyperparameters": {"checkpoints": "/opt/ml/checkpoints"}, "CheckpointConfig": CHECKPOINT_CONFIG}
    first = run_script(emulator, script, **step)
    assert emulator.status(first) == "Failed"
    assert emulator.s3.get("s3://data/checkpoints/checkpoint-1/state.txt") == b"step 40"
    second = run_script(emulator, script, **step)
    assert emulator.status(second) == "Succeeded"
    assert "resumed step 40" in emulator.logs.lines(emulator.job(second, "FineTune")["TrainingJobName"])


def test_checkpoints_are_uploaded_while_the_job_runs(emulator: Emulator) -> None:
    script = """
        import pathlib, sys, time
        folder = pathlib.Path(sys.argv[2])
        (folder / "state.txt").write_text("step 1")
        while not pathlib.Path(sys.argv[4]).exists():
            time.sleep(0.05)
        (folder / "state.txt").write_text("step 20")
    """
    go = emulator.root.parent / "go"
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script))
    step = training(
        "FineTune",
        hyperparameters={"checkpoints": "/opt/ml/checkpoints", "go": str(go)},
        CheckpointConfig={"S3Uri": "s3://data/checkpoints"},
    )
    arn = emulator.start(pipeline(step))
    emulator.wait(lambda: emulator.s3.keys("s3://data/checkpoints"))
    assert emulator.status(arn) == "Executing"
    assert emulator.s3.get("s3://data/checkpoints/state.txt") == b"step 1"
    go.touch()
    emulator.wait(lambda: emulator.status(arn) == "Succeeded")
    assert emulator.s3.get("s3://data/checkpoints/state.txt") == b"step 20"


def test_only_what_is_new_or_changed_is_uploaded(tmp_path: Path) -> None:
    s3 = MemoryS3()
    s3.put("s3://data/checkpoints/restored.txt", "from an earlier job")
    sync = FolderSync(s3=S3Transfer(s3, lambda: None), folder=tmp_path, uri="s3://data/checkpoints", seconds=60)
    assert sync.restore() == 1
    assert (tmp_path / "restored.txt").read_text() == "from an earlier job"
    (tmp_path / "a.txt").write_text("1")
    sync.upload()
    sync.upload()
    assert s3.uploads == ["s3://data/checkpoints/a.txt"]
    (tmp_path / "a.txt").write_text("longer")
    (tmp_path / "restored.txt").unlink()
    sync.upload()
    assert s3.uploads == ["s3://data/checkpoints/a.txt"] * 2
    # As on AWS: what the job deletes stays in S3.
    assert s3.keys("s3://data/") == ["checkpoints/a.txt", "checkpoints/restored.txt"]


def test_a_job_that_runs_too_long_leaves_what_it_saved(emulator: Emulator) -> None:
    script = """
        import os, pathlib, time
        pathlib.Path(os.environ["SM_MODEL_DIR"], "best.txt").write_text("so far")
        time.sleep(600)
    """
    arn = run_script(emulator, script, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = emulator.job(arn, "FineTune")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert "MaxRuntimeExceeded" in emulator.reason(arn, "FineTune")
    assert members(emulator.s3.get(f"{artefacts(emulator, arn)}/model.tar.gz")) == {"best.txt": b"so far"}


def test_an_entry_point_of_the_request_runs_instead(emulator: Emulator) -> None:
    algorithm = {
        "ContainerEntrypoint": [
            "python3",
            "-c",
            "import os, sys; open(sys.argv[1], 'w').write(str('SM_HPS' in os.environ))",
        ],
        "ContainerArguments": ["/opt/ml/model/out.txt"],
    }
    arn = emulator.run(pipeline(training("FineTune", algorithm=algorithm)))
    assert emulator.status(arn) == "Succeeded"
    # The SM_ variables are the toolkit's, not SageMaker's: without the toolkit there are none.
    assert members(emulator.s3.get(f"{artefacts(emulator, arn)}/model.tar.gz")) == {"out.txt": b"False"}


def archive_with(name: str, **member: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        for key, value in member.items():
            setattr(info, key, value)
        tar.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        pytest.param(archive_with("../outside.py"), "leaves the archive", id="outside"),
        pytest.param(
            archive_with("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "neither a file nor a folder", id="link"
        ),
        pytest.param(b"no archive", "ReadError", id="no archive"),
        pytest.param(source_archive(train__py="", helper__py="")[:40], "cannot be unpacked", id="cut off"),
        pytest.param(source_archive(other__py=""), "must name a .py file", id="no program"),
        pytest.param(source_archive(train__py="", requirements__txt="torch"), "installs nothing", id="requirements"),
    ],
)
def test_code_that_cannot_be_unpacked_fails_the_job(emulator: Emulator, archive: bytes, reason: str) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", archive)
    arn = emulator.run(pipeline(training("FineTune")))
    assert reason in emulator.reason(arn, "FineTune")
    assert not (emulator.root.parent / "outside.py").exists()


def test_what_only_describes_aws_is_recorded_and_shown(emulator: Emulator) -> None:
    given = {
        "OutputDataConfig": {"S3OutputPath": "s3://data/out", "KmsKeyId": "key-1"},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableManagedSpotTraining": True,
        "EnableInterContainerTrafficEncryption": True,
    }
    arn = run_script(emulator, "", **given)
    job = emulator.job(arn, "FineTune")
    assert {name: job[name] for name in given} == given
    assert job["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert [j["TrainingJobName"] for j in emulator.engine.list_training_jobs()] == [job["TrainingJobName"]]
