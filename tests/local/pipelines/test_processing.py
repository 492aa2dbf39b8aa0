"""Processing jobs as real processes: files in, files out, and what is told about them."""

import json
import sys

import pytest

from tests.local.pipelines.conftest import Emulator, process_is_alive
from tests.local.pipelines.definitions import get, join, output_of, pipeline, processing

COPY = """
    import json, pathlib, sys
    source, target = (pathlib.Path(p) for p in sys.argv[1:3])
    found = sorted(str(p.relative_to(source)) for p in source.rglob("*") if p.is_file())
    for name in found:
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((source / name).read_bytes())
    print("copied", len(found))
"""
PATHS = ["/opt/ml/processing/input/data", "/opt/ml/processing/output/copy"]


def copy_step(source: object, **more: object) -> dict:
    return processing(
        "Copy", COPY, arguments=PATHS, inputs={"data": source}, outputs={"copy": "s3://data/copy"}, **more
    )


def test_a_prefix_keeps_paths_below_it_and_the_whole_output_tree_is_uploaded(emulator: Emulator) -> None:
    for key in ("a.txt", "deep/b.txt", "deep/er/c.txt", "empty/"):
        emulator.s3.put(f"s3://data/in/{key}", f"content of {key}" if not key.endswith("/") else "")
    arn = emulator.run(pipeline(copy_step("s3://data/in")))
    assert emulator.status(arn) == "Succeeded"
    assert emulator.s3.keys("s3://data/copy/") == ["copy/a.txt", "copy/deep/b.txt", "copy/deep/er/c.txt"]
    assert emulator.s3.get("s3://data/copy/deep/er/c.txt") == b"content of deep/er/c.txt"


def test_a_prefix_that_is_one_key_gives_that_one_file(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/in/model.tar.gz", "model")
    emulator.s3.put("s3://data/in/model.tar.gz.sha256", "other")
    emulator.run(pipeline(copy_step("s3://data/in/model.tar.gz")))
    assert emulator.s3.keys("s3://data/copy/") == ["copy/model.tar.gz"]


def test_a_prefix_that_also_matches_a_neighbour_is_refused(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/in/eval/x.txt", "wanted")
    emulator.s3.put("s3://data/in/evaluation/y.txt", "not wanted")
    arn = emulator.run(pipeline(copy_step("s3://data/in/eval")))
    assert "also matches 1 objects beside that folder" in emulator.reason(arn, "Copy")
    assert emulator.status(emulator.run(pipeline(copy_step("s3://data/in/eval/")))) == "Succeeded"


def test_a_manifest_gives_exactly_its_keys_at_their_relative_places(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/uploads/train/one.jsonl", "1")
    emulator.s3.put("s3://data/uploads/eval/dev1/two.jsonl", "2")
    emulator.s3.put("s3://data/uploads/train/not-listed.jsonl", "3")
    manifest = [{"prefix": "s3://data/uploads/"}, "train/one.jsonl", "eval/dev1/two.jsonl"]
    emulator.s3.put("s3://data/manifest.json", manifest)
    source = {"S3Uri": "s3://data/manifest.json", "S3DataType": "ManifestFile"}
    emulator.run(pipeline(copy_step(source)))
    assert emulator.s3.keys("s3://data/copy/") == ["copy/eval/dev1/two.jsonl", "copy/train/one.jsonl"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not json", "does not hold valid JSON"),
        ([{"prefix": "s3://data/"}], "at least one relative key"),
        (["a", "b"], "must be a list that begins with"),
        ([{"prefix": "s3://data/"}, "gone.jsonl"], "NoSuchKey"),
        ([{"prefix": "s3://data/"}, "../../outside"], "would leave the job's folder"),
    ],
)
def test_a_manifest_that_cannot_be_followed_fails_the_job(emulator: Emulator, content: object, reason: str) -> None:
    emulator.s3.put("s3://data/manifest.json", content)
    arn = emulator.run(pipeline(copy_step({"S3Uri": "s3://data/manifest.json", "S3DataType": "ManifestFile"})))
    assert reason in emulator.reason(arn, "Copy")
    assert emulator.job(arn, "Copy")["ProcessingJobStatus"] == "Failed"


def test_sharding_over_one_instance_is_everything(emulator: Emulator) -> None:
    for number in range(3):
        emulator.s3.put(f"s3://data/in/{number}.txt", str(number))
    emulator.run(pipeline(copy_step({"S3Uri": "s3://data/in/", "S3DataDistributionType": "ShardedByS3Key"})))
    assert len(emulator.s3.keys("s3://data/copy/")) == 3


def test_an_input_without_objects_fails_with_sagemakers_words(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(copy_step("s3://data/nothing/")))
    assert emulator.reason(arn, "Copy").startswith(
        'ClientError: No S3 objects found under S3 URL "s3://data/nothing/" given in input data source.'
    )


def test_an_output_folder_that_stays_empty_is_fine(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Idle", "pass", outputs={"copy": "s3://data/copy"})))
    assert emulator.status(arn) == "Succeeded"
    assert emulator.s3.keys("s3://data/copy") == []


def test_a_message_becomes_exit_message_and_reason(emulator: Emulator) -> None:
    program = """
        import pathlib, sys
        pathlib.Path(sys.argv[1]).write_text("UploadError: 3 of 10 lines are bad")
        raise SystemExit(4)
    """
    arn = emulator.run(pipeline(processing("Prepare", program, arguments=["/opt/ml/output/message"])))
    job = emulator.job(arn, "Prepare")
    assert job["ExitMessage"] == "UploadError: 3 of 10 lines are bad"
    assert job["FailureReason"] == "AlgorithmError: UploadError: 3 of 10 lines are bad, exit code: 4"
    assert emulator.reason(arn, "Prepare") == job["FailureReason"]
    assert "Prepare: AlgorithmError: UploadError" in emulator.engine.describe_execution(arn)["FailureReason"]


def test_a_message_of_a_job_that_succeeds_is_shown_too(emulator: Emulator) -> None:
    program = 'import pathlib, sys; pathlib.Path(sys.argv[1]).write_text("x" * 5000)'
    arn = emulator.run(pipeline(processing("Prepare", program, arguments=["/opt/ml/output/message"])))
    assert emulator.job(arn, "Prepare")["ExitMessage"] == "x" * 1024
    assert emulator.status(arn) == "Succeeded"


def test_a_message_that_is_not_text_fails_the_job_without_quoting_it(emulator: Emulator) -> None:
    program = 'import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(b"secret \\xff")'
    arn = emulator.run(pipeline(processing("Prepare", program, arguments=["/opt/ml/output/message"])))
    assert "is not UTF-8 text" in emulator.reason(arn, "Prepare")
    assert "secret" not in emulator.reason(arn, "Prepare")


def test_the_container_contract(emulator: Emulator) -> None:
    """What a job can see of its environment, and what it must not see."""
    program = """
        import json, os, pathlib, sys
        config = pathlib.Path(sys.argv[1])
        seen = {
            "environment": dict(os.environ),
            "job": json.loads((config / "processingjobconfig.json").read_text()),
            "host": json.loads((config / "resourceconfig.json").read_text()),
            "prefix": sys.prefix,
            "cwd": os.getcwd(),
        }
        pathlib.Path(os.environ["REPORT"]).write_text(json.dumps(seen))
    """
    step = processing(
        "Look",
        program,
        arguments=["/opt/ml/config"],
        outputs={"report": "s3://data/report"},
        Environment={"REPORT": "/opt/ml/processing/output/report/seen.json", "MODE": "quick"},
    )
    arn = emulator.run(pipeline(step))
    assert emulator.status(arn) == "Succeeded"
    seen = json.loads(emulator.s3.get("s3://data/report/seen.json"))
    environment = seen["environment"]
    assert environment["MODE"] == "quick"
    assert environment["HOME"].startswith(str(emulator.root))
    assert [name for name in environment if name.startswith("AWS_")] == ["AWS_ENDPOINT_URL"]
    assert not [name for name in environment if "TOKEN" in name or "SECRET" in name]
    assert "HF_HUB_OFFLINE" not in environment
    assert environment["OMP_NUM_THREADS"] == "3"
    # `python3` on PATH is the one of the settings, its virtual environment included.
    assert seen["prefix"] == sys.prefix
    assert seen["host"] == {"current_host": "algo-1", "hosts": ["algo-1"]}
    job = emulator.job(arn, "Look")
    assert seen["job"]["ProcessingJobArn"] == job["ProcessingJobArn"]
    local = seen["job"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"]
    assert local.startswith(str(emulator.root)) and local.endswith("/processing/output/report")
    # Describe shows the container's own paths, not this machine's.
    assert job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["LocalPath"] == "/opt/ml/processing/output/report"


def test_paths_inside_a_shell_command_are_substituted(emulator: Emulator) -> None:
    step = processing("Shell", outputs={"out": "s3://data/out"})
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = [
        "/bin/bash",
        "-ec",
        'mkdir -p /opt/ml/code; cd /opt/ml/code; pwd > /opt/ml/processing/output/out/pwd; exec python3 -c "print($0)"',
        "40 + 2",
    ]
    arn = emulator.run(pipeline(step))
    assert emulator.status(arn) == "Succeeded"
    assert emulator.s3.get("s3://data/out/pwd").decode().startswith(str(emulator.root))
    assert "42" in emulator.logs.lines("Shell")


def test_every_line_goes_to_the_jobs_log_stream(emulator: Emulator) -> None:
    program = r"""
        import sys
        print("first")
        print("progress 1\rprogress 2\r", end="", flush=True)
        print("to stderr", file=sys.stderr)
        sys.stdout.buffer.write(b"bad \xff byte\nno newline at the end")
    """
    arn = emulator.run(pipeline(processing("Talk", program)))
    name = emulator.job(arn, "Talk")["ProcessingJobName"]
    ((group, stream),) = emulator.logs.streams
    assert group == "/aws/sagemaker/ProcessingJobs"
    assert stream.startswith(f"{name}/algo-1-")
    lines = emulator.logs.lines(name)
    assert lines[0] == "first"
    assert {"progress 1", "progress 2", "to stderr", "bad � byte", "no newline at the end"} <= set(lines)


def test_lines_are_there_while_the_job_still_runs(emulator: Emulator) -> None:
    arn = emulator.start(pipeline(processing("Slow", "import time; print('started'); time.sleep(600)")))
    emulator.wait(lambda: "started" in emulator.logs.lines("Slow"))
    assert emulator.statuses(arn) == {"Slow": "Executing"}


def test_a_log_that_cannot_be_written_is_reported_and_fails_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.logs.broken = True
    arn = emulator.run(pipeline(processing("Talk", "print(1); print(2)")))
    assert emulator.status(arn) == "Succeeded"
    assert "log lines of job" in caplog.text and "are lost" in caplog.text


def test_a_job_that_runs_too_long_is_stopped_with_everything_it_started(emulator: Emulator) -> None:
    program = """
        import pathlib, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("child", child.pid, flush=True)
        time.sleep(600)
    """
    arn = emulator.run(pipeline(processing("Late", program, StoppingCondition={"MaxRuntimeInSeconds": 1})))
    assert "MaxRuntimeExceeded" in emulator.reason(arn, "Late")
    assert emulator.job(arn, "Late")["ProcessingJobStatus"] == "Stopped"
    (line,) = emulator.logs.lines("Late")
    assert not process_is_alive(int(line.split()[1]))


def test_a_continuous_output_is_there_while_the_job_runs_and_after_it_failed(emulator: Emulator) -> None:
    program = """
        import pathlib, sys, time
        folder, go = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
        (folder / "early.txt").write_text("early")
        while not go.exists():
            time.sleep(0.05)
        (folder / "late.txt").write_text("late")
        raise SystemExit(1)
    """
    go = emulator.root.parent / "go"
    step = processing(
        "Watch",
        program,
        arguments=["/opt/ml/processing/output/report", str(go)],
        outputs={"report": "s3://data/report"},
    )
    step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
    arn = emulator.start(pipeline(step))
    emulator.wait(lambda: emulator.s3.keys("s3://data/report") == ["report/early.txt"])
    assert emulator.status(arn) == "Executing"
    go.touch()
    emulator.wait(lambda: emulator.status(arn) == "Failed")
    assert emulator.s3.keys("s3://data/report") == ["report/early.txt", "report/late.txt"]


def test_outputs_at_the_end_of_a_job_that_failed_are_not_uploaded(emulator: Emulator) -> None:
    program = "import pathlib, sys; (pathlib.Path(sys.argv[1]) / 'x').touch(); raise SystemExit(1)"
    step = processing("Bad", program, arguments=["/opt/ml/processing/output/out"], outputs={"out": "s3://data/out"})
    assert emulator.status(emulator.run(pipeline(step))) == "Failed"
    assert emulator.s3.keys("s3://data/out") == []


def test_a_folder_without_write_permission_is_removed_too(emulator: Emulator) -> None:
    """The fixture looks: no job folder is left."""
    program = "import os, sys; os.makedirs(sys.argv[1] + '/a/b'); os.chmod(sys.argv[1] + '/a', 0o500)"
    assert (
        emulator.status(emulator.run(pipeline(processing("Lock", program, arguments=["/opt/ml/locked"]))))
        == "Succeeded"
    )


def test_what_only_describes_aws_is_recorded_and_shown(emulator: Emulator) -> None:
    network = {"EnableNetworkIsolation": False, "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}
    arn = emulator.run(pipeline(processing("Keep", "pass", NetworkConfig=network)))
    job = emulator.job(arn, "Keep")
    assert job["NetworkConfig"] == network
    assert job["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert [j["ProcessingJobName"] for j in emulator.engine.list_processing_jobs()] == [job["ProcessingJobName"]]


def test_job_names_are_as_on_aws(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("A_very_long_name_of_a_step", "pass")))
    name = emulator.job(arn, "A_very_long_name_of_a_step")["ProcessingJobName"]
    assert name.startswith(f"pipelines-{arn.rsplit('/', 1)[1]}-A-very-long-name-of-")
    assert len(name) <= 63


def test_property_of_one_step_is_the_input_of_the_next(emulator: Emulator) -> None:
    write = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x.txt').write_text('made')"
    folder = join("/", "s3://data/runs", get("Execution.PipelineExecutionId"), "made")
    first = processing("First", write, arguments=["/opt/ml/processing/output/made"], outputs={"made": folder})
    arn = emulator.run(pipeline(first, copy_step(output_of("First", "made"))))
    assert emulator.statuses(arn) == {"First": "Succeeded", "Copy": "Succeeded"}
    assert emulator.s3.get("s3://data/copy/x.txt") == b"made"
    assert emulator.s3.keys(f"s3://data/runs/{arn.rsplit('/', 1)[1]}/made/")
