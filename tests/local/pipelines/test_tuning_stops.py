"""What ends training jobs of a search before their time: the rule of early stopping, and somebody who stops it."""

import subprocess
import sys
from typing import Any

import pytest

from local.emulator.errors import ResourceInUse, ResourceNotFound, ValidationError
from local.emulator.pipelines.early_stopping import is_hopeless
from tests.local.pipelines.conftest import Emulator, process_is_alive
from tests.local.pipelines.definitions import pipeline, source_archive, tuning

RATE = {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]}
# Jobs 1 and 2 are good; a later one is bad from the beginning, and would never end.
SCRIPT = """
    import os, time
    number = int(os.environ["TRAINING_JOB_NAME"].split("-")[-2])
    for epoch in range(3):
        print(f"score: {0.5 + epoch / 10 if number < 3 else 0.1}", flush=True)
        if number >= 3:
            time.sleep(600)
"""
WAIT = """
    import os, time
    print("process", os.getpid(), flush=True)
    time.sleep(600)
"""


def test_the_rule_compares_with_the_median_of_the_running_averages() -> None:
    earlier = [[0.2, 0.6], [0.4, 0.8], [0.9, 0.1]]  # averages up to the second value: 0.4, 0.6, 0.5
    assert not is_hopeless([0.1, 0.5], earlier, maximise=True)
    assert is_hopeless([0.9, 0.49], earlier, maximise=True)
    assert not is_hopeless([0.9, 0.49], earlier, maximise=False)
    assert is_hopeless([0.1, 0.51], earlier, maximise=False)
    # Of the first value alone the median is 0.4.
    assert is_hopeless([0.39], earlier, maximise=True)


@pytest.mark.parametrize("earlier", [[], [[0.9]], [[0.9, 0.9], [0.9]]])
def test_without_two_jobs_that_got_as_far_none_is_hopeless(earlier: list[list[float]]) -> None:
    assert not is_hopeless([0.1, 0.1], earlier, maximise=True)


def test_a_job_that_is_worse_than_the_others_were_is_stopped_early(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=SCRIPT))
    arn = emulator.run(pipeline(tuning("Tune", ranges=RATE, jobs=4, config={"TrainingJobEarlyStoppingType": "Auto"})))
    assert emulator.status(arn) == "Succeeded", emulator.steps(arn)
    tuning_job = emulator.job(arn, "Tune")
    jobs = emulator.engine.list_jobs_of_tuning_job(tuning_job["HyperParameterTuningJobName"])
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed", "Completed", "Stopped", "Stopped"]
    # What it reached counts as its result.
    assert [job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for job in jobs] == [0.7, 0.7, 0.1, 0.1]
    assert tuning_job["HyperParameterTuningJobStatus"] == "Completed"
    assert tuning_job["TrainingJobStatusCounters"]["Stopped"] == 2
    # Of equals, the earlier is the best.
    assert tuning_job["BestTrainingJob"]["TrainingJobName"] == jobs[0]["TrainingJobName"]


def test_without_early_stopping_every_job_runs_to_its_end(emulator: Emulator) -> None:
    script = SCRIPT.replace("time.sleep(600)", "pass")
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=script))
    arn = emulator.run(pipeline(tuning("Tune", ranges=RATE, jobs=4)))
    assert emulator.job(arn, "Tune")["TrainingJobStatusCounters"]["Completed"] == 4


def start_waiting(emulator: Emulator) -> tuple[str, list[int]]:
    """A search whose two jobs wait; the execution's ARN and the jobs' processes."""
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=WAIT))
    arn = emulator.start(pipeline(tuning("Tune", ranges=RATE, jobs=6, parallel=2)))
    emulator.wait(lambda: len(processes(emulator)) == 2)
    return arn, processes(emulator)


def processes(emulator: Emulator) -> list[int]:
    return [int(line.split()[1]) for line in emulator.logs.lines("-Tune-") if line.startswith("process")]


def test_stopping_the_execution_stops_its_jobs(emulator: Emulator) -> None:
    arn, running = start_waiting(emulator)
    assert all(map(process_is_alive, running))
    emulator.engine.stop(arn)
    emulator.wait(lambda: emulator.status(arn) == "Stopped")
    assert not any(map(process_is_alive, running))
    assert emulator.statuses(arn) == {"Tune": "Stopped"}
    tuning_job = emulator.job(arn, "Tune")
    assert tuning_job["HyperParameterTuningJobStatus"] == "Stopped"
    assert tuning_job["TrainingJobStatusCounters"]["Stopped"] == 2 == len(emulator.engine.list_training_jobs())
    assert "HyperParameterTuningEndTime" in tuning_job


def test_stopping_the_tuning_job_fails_its_step(emulator: Emulator) -> None:
    arn, running = start_waiting(emulator)
    name = emulator.job(arn, "Tune")["HyperParameterTuningJobName"]
    emulator.engine.stop_tuning_job(name)
    emulator.wait(lambda: emulator.status(arn) == "Failed")
    assert not any(map(process_is_alive, running))
    assert emulator.reason(arn, "Tune") == f"ClientError: tuning job {name} was stopped"
    assert emulator.job(arn, "Tune")["HyperParameterTuningJobStatus"] == "Stopped"
    with pytest.raises(ValidationError, match="has ended already: Stopped"):
        emulator.engine.stop_tuning_job(name)


def test_close_leaves_no_process_of_a_search(emulator: Emulator) -> None:
    arn, running = start_waiting(emulator)
    emulator.engine.close()
    assert not any(map(process_is_alive, running))
    assert emulator.status(arn) == "Stopped"


def request(name: str, **more: Any) -> dict[str, Any]:
    return {"HyperParameterTuningJobName": name, **tuning("Tune", ranges=RATE, **more)["Arguments"]}


def test_a_tuning_job_runs_without_a_pipeline_and_ends_with_the_engine(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py="print('score: 0.5')"))
    arn = emulator.engine.create_tuning_job(request("quick"))
    assert arn.endswith(":hyper-parameter-tuning-job/quick")

    def status(name: str) -> str:
        return str(emulator.engine.describe_tuning_job(name)["HyperParameterTuningJobStatus"])

    emulator.wait(lambda: status("quick") == "Completed")
    with pytest.raises(ResourceInUse, match="quick exists already"):
        emulator.engine.create_tuning_job(request("quick"))
    with pytest.raises(ResourceNotFound, match="gone"):
        emulator.engine.describe_tuning_job("gone")
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py=WAIT))
    emulator.engine.create_tuning_job(request("slow"))
    emulator.wait(lambda: emulator.logs.lines("slow-001"))
    emulator.engine.close()
    assert status("slow") == "Stopped"
    assert [job["HyperParameterTuningJobName"] for job in emulator.engine.list_tuning_jobs()] == ["quick", "slow"]


def test_the_optimiser_is_loaded_only_by_a_search() -> None:
    """It would double the emulator's memory, and most pipelines search for nothing."""
    program = "import sys, local.emulator.pipelines.engine; print(sorted({'optuna', 'numpy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
