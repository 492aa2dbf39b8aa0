"""Tuning jobs: their training jobs are real processes, their values come from the optimiser."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import get, join, pipeline, processing, source_archive, training, tuning

RATE = {"Name": "rate", "MinValue": "0.00001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
SIZE = {"Name": "size", "MinValue": "8", "MaxValue": "64"}
KIND = {"Name": "kind", "Values": ["small", "two words"]}
RANGES = {
    "ContinuousParameterRanges": [RATE],
    "IntegerParameterRanges": [SIZE],
    "CategoricalParameterRanges": [KIND],
}
# The best rate is 0.001; what was best while it ran is said before the last word.
SCRIPT = """
    import argparse, json, math, os, pathlib
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float)
    parser.add_argument("--size", type=int)
    parser.add_argument("--kind")
    parser.add_argument("--fixed")
    given = parser.parse_args()
    print("score: 0.99", flush=True)
    print(f"score: {1 / (1 + abs(math.log10(given.rate / 0.001))):.4f}", flush=True)
    pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(json.dumps(vars(given)))
"""


def run_tuning(emulator: Emulator, script: str, **step: Any) -> str:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script))
    return emulator.run(pipeline(tuning("Tune", **{"ranges": RANGES, **step})))


def jobs_of(emulator: Emulator, arn: str) -> list[dict[str, Any]]:
    """Oldest first."""
    return emulator.engine.list_jobs_of_tuning_job(emulator.job(arn, "Tune")["HyperParameterTuningJobName"])


def values(jobs: list[dict[str, Any]]) -> list[float | None]:
    return [job.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value") for job in jobs]


def member(archive: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read().decode()


def test_the_best_job_is_that_of_the_best_last_value(emulator: Emulator) -> None:
    arn = run_tuning(emulator, SCRIPT, jobs=5, parallel=2, hyperparameters={"fixed": "yes"})
    assert emulator.status(arn) == "Succeeded", emulator.steps(arn)
    tuning_job, jobs = emulator.job(arn, "Tune"), jobs_of(emulator, arn)
    assert tuning_job["HyperParameterTuningJobStatus"] == "Completed"
    assert tuning_job["TrainingJobStatusCounters"] == {
        "Completed": 5, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert tuning_job["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    assert len(jobs) == 5
    best = tuning_job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == max(v for v in values(jobs) if v)
    assert best in jobs
    # Its own model lies where its description says, and was made with its own values.
    job = emulator.engine.describe_training_job(best["TrainingJobName"])
    assert job["TuningJobArn"] == tuning_job["HyperParameterTuningJobArn"]
    model = json.loads(member(emulator.s3.get(job["ModelArtifacts"]["S3ModelArtifacts"]), "model.txt"))
    tuned = best["TunedHyperParameters"]
    assert {name: str(value) for name, value in model.items()} == {**tuned, "fixed": "yes"}
    # As on AWS, the job has the objective's name among its hyperparameters, and the script does not get it.
    assert job["HyperParameters"]["_tuning_objective_metric"] == "score"


def test_what_is_tried_lies_in_the_ranges(emulator: Emulator) -> None:
    arn = run_tuning(emulator, SCRIPT, jobs=6, parallel=2)
    tuned = [job["TunedHyperParameters"] for job in jobs_of(emulator, arn)]
    assert all(0.00001 <= float(one["rate"]) <= 0.1 and 8 <= int(one["size"]) <= 64 for one in tuned)
    assert {one["kind"] for one in tuned} <= {"small", "two words"}
    assert len({one["rate"] for one in tuned}) == 6


def test_names_are_aws_s(emulator: Emulator) -> None:
    arn = run_tuning(emulator, SCRIPT, jobs=1)
    execution = arn.rsplit("/", 1)[1]
    name = emulator.job(arn, "Tune")["HyperParameterTuningJobName"]
    assert name.startswith(f"{execution}-Tune-") and len(name) <= 32
    assert emulator.steps(arn)["Tune"]["Metadata"] == {
        "TuningJob": {"Arn": f"arn:aws:sagemaker:us-east-1:111122223333:hyper-parameter-tuning-job/{name}"}
    }
    (job,) = jobs_of(emulator, arn)
    assert job["TrainingJobName"].startswith(f"{name}-001-") and len(job["TrainingJobName"]) <= 63


def test_later_steps_go_on_with_the_best_job(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=SCRIPT))
    best = "Steps.Tune.BestTrainingJob"
    model = join(
        "/", get("Steps.Tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"), get(f"{best}.TrainingJobName"),
        "output/model.tar.gz",
    )  # fmt: skip
    read = processing("Read", "import sys; assert open('/opt/ml/processing/input/m/model.tar.gz')", inputs={"m": model})
    again = {"rate": join("", get(f"{best}.TunedHyperParameters['rate']")), "size": "8", "kind": "small"}
    top = {"Environment": {"TOP": get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName")}}
    arn = emulator.run(
        pipeline(tuning("Tune", ranges=RANGES, jobs=3), read, training("FineTune", hyperparameters=again, **top))
    )
    assert emulator.statuses(arn) == dict.fromkeys(("Tune", "Read", "FineTune"), "Succeeded"), emulator.steps(arn)
    found = emulator.job(arn, "Tune")["BestTrainingJob"]
    job = emulator.job(arn, "FineTune")
    assert job["HyperParameters"]["rate"] == found["TunedHyperParameters"]["rate"]
    assert job["Environment"]["TOP"] == found["TrainingJobName"]


def test_the_same_seed_tries_the_same_and_another_other_values(emulator: Emulator) -> None:
    def tried(seed: int) -> list[dict[str, str]]:
        arn = run_tuning(emulator, SCRIPT, jobs=5, seed=seed)
        return [job["TunedHyperParameters"] for job in jobs_of(emulator, arn)]

    first = tried(7)
    assert tried(7) == first
    assert tried(8) != first


def test_no_more_jobs_run_at_once_than_may_and_they_share_the_processors(emulator: Emulator, tmp_path: Path) -> None:
    script = """
        import argparse, os, pathlib, time
        parser = argparse.ArgumentParser()
        for name in ("folder", "rate", "size", "kind"):
            parser.add_argument(f"--{name}")
        folder = pathlib.Path(parser.parse_args().folder)
        mine = folder / f"{os.getpid()}.running"
        mine.touch()
        # Two at once must come about: each waits for the other, or for the sign that there were two.
        while len(list(folder.glob("*.running"))) < 2 and not (folder / "two").exists():
            time.sleep(0.01)
        (folder / "two").touch()
        running = len(list(folder.glob("*.running")))
        mine.unlink()
        print(f"score: {running / 10}, threads {os.environ['OMP_NUM_THREADS']}")
    """
    arn = run_tuning(emulator, script, jobs=5, parallel=2, hyperparameters={"folder": str(tmp_path)})
    assert emulator.status(arn) == "Succeeded", emulator.steps(arn)
    jobs = jobs_of(emulator, arn)
    assert max(v for v in values(jobs) if v is not None) == 0.2
    lines = [line for job in jobs for line in emulator.logs.lines(job["TrainingJobName"])]
    share = max(1, (os.cpu_count() or 1) // 2)
    assert {line.partition("threads ")[2] for line in lines} == {str(share)}


FAIL_IF = """
    import os, pathlib, sys
    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    if CONDITION:
        pathlib.Path(os.environ["SM_OUTPUT_DIR"], "failure").write_text("ModelError: out of memory")
        raise SystemExit(1)
    print("score: 0.5")
"""


def test_a_failed_job_counts_as_failed_and_the_others_decide(emulator: Emulator) -> None:
    script = FAIL_IF.replace("CONDITION", "os.environ['TRAINING_JOB_NAME'].split('-')[-2] == '002'")
    arn = run_tuning(emulator, script, jobs=3)
    assert emulator.status(arn) == "Succeeded"
    counters = emulator.job(arn, "Tune")["TrainingJobStatusCounters"]
    assert (counters["Completed"], counters["NonRetryableError"]) == (2, 1)
    assert emulator.job(arn, "Tune")["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    failed = jobs_of(emulator, arn)[1]
    assert failed["FailureReason"] == "AlgorithmError: ModelError: out of memory, exit code: 1"
    assert failed["ObjectiveStatus"] == "Failed" and values([failed]) == [None]


def test_when_every_job_fails_the_step_says_how_many_and_why_the_first_did(emulator: Emulator) -> None:
    arn = run_tuning(emulator, FAIL_IF.replace("CONDITION", "True"), jobs=3)
    assert emulator.status(arn) == "Failed"
    reason = emulator.reason(arn, "Tune")
    assert reason.startswith("ClientError: No training job succeeded after 3 attempts: 3 failed")
    assert reason.endswith("The first failed with: AlgorithmError: ModelError: out of memory, exit code: 1")
    tuning_job = emulator.job(arn, "Tune")
    assert tuning_job["HyperParameterTuningJobStatus"] == "Failed"
    assert tuning_job["FailureReason"] == reason
    assert "BestTrainingJob" not in tuning_job and "HyperParameterTuningEndTime" in tuning_job


def test_after_five_failures_in_a_row_no_more_is_tried(emulator: Emulator) -> None:
    arn = run_tuning(emulator, FAIL_IF.replace("CONDITION", "True"), jobs=20)
    assert len(jobs_of(emulator, arn)) == 5
    assert "after 5 attempts" in emulator.reason(arn, "Tune")


def test_jobs_that_show_no_objective_fail_the_step(emulator: Emulator) -> None:
    arn = run_tuning(emulator, "print('loss: 0.5')", jobs=2)
    assert "2 completed without the metric score in their log" in emulator.reason(arn, "Tune")
    assert {job["ObjectiveStatus"] for job in jobs_of(emulator, arn)} == {"Failed"}


def test_a_job_that_runs_too_long_is_not_the_best(emulator: Emulator) -> None:
    script = """
        import os, time
        last = os.environ["TRAINING_JOB_NAME"].split("-")[-2] == "002"
        print("score: 0.9" if last else "score: 0.1", flush=True)
        if last:
            time.sleep(600)
    """
    arn = run_tuning(emulator, script, jobs=2, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert emulator.status(arn) == "Succeeded"
    first, second = jobs_of(emulator, arn)
    assert (second["TrainingJobStatus"], values([second])) == ("Stopped", [0.9])
    assert emulator.job(arn, "Tune")["BestTrainingJob"]["TrainingJobName"] == first["TrainingJobName"]


CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


@pytest.mark.parametrize(
    ("changed", "hit"),
    [
        ({}, True),
        ({"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 9}}, True),
        ({"OutputDataConfig": {"S3OutputPath": "s3://data/elsewhere"}}, True),
        ({"hyperparameters": {"fixed": "other"}}, False),
        ({"seed": 2}, False),
        ({"jobs": 3}, False),
        ({"ranges": {**RANGES, "ContinuousParameterRanges": [{**RATE, "MaxValue": "0.2"}]}}, False),
        ({"channels": {"more": "s3://data/in/"}}, False),
    ],
)
def test_a_search_is_cached_by_its_settings_and_inputs(emulator: Emulator, changed: dict[str, Any], hit: bool) -> None:
    emulator.s3.put("s3://data/in/x.txt", "x")
    first = run_tuning(emulator, SCRIPT, step=CACHED)
    second = run_tuning(emulator, SCRIPT, **{"step": CACHED, **changed})
    assert emulator.status(second) == "Succeeded", emulator.steps(second)
    assert ("CacheHitResult" in emulator.steps(second)["Tune"]) is hit
    if hit:
        assert emulator.steps(second)["Tune"]["Metadata"] == emulator.steps(first)["Tune"]["Metadata"]
        assert len(emulator.engine.list_tuning_jobs()) == 1
