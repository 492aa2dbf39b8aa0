"""record_run: what a search over hyperparameters tried, and what it cost."""

import json

import pytest

from tests.lambdas.recorded_run import ACCOUNT, World
from training.table_schemas import SEARCH_JOBS

EARLIER = {"CacheHitResult": {"SourcePipelineExecutionArn": f"{ACCOUNT}:pipeline/p/execution/earlier"}}


@pytest.fixture
def world() -> World:
    return World()


def test_every_job_of_the_search_has_a_row(world: World) -> None:
    world.run.add_tuning(
        [("Completed", 100, 0.5), ("Completed", 200, 0.7), ("Stopped", 20, 0.25), ("Failed", 10, None)]
    )
    world.run.tried[3]["FailureReason"] = "AlgorithmError: ModelError:\n no weights, exit code: 1"
    rows = world.record()["search_jobs"]
    assert rows[1] == {
        "started_at": rows[0]["started_at"],
        "job": "abc123def456-Tune-0123456789-002-0a1b2c3d",
        "status": "Completed",
        "objective": 0.7,
        "best": True,
        "early_stopped": False,
        "seconds": 200.0,
        "learning_rate": 2e-05,
        "max_seq_length": 128,
        "train_batch_size": 16,
        "model_name": "owner/encoder",
        "parameters": json.dumps(
            {
                "learning_rate": "2e-05",
                "max_seq_length": "128",
                "model_name": "owner/encoder",
                "train_batch_size": "16",
            }
        ),
        "failure": None,
    }
    told = [(row["status"], row["objective"], row["best"], row["early_stopped"], row["failure"]) for row in rows]
    assert told == [
        ("Completed", 0.5, False, False, None),
        ("Completed", 0.7, True, False, None),
        ("Stopped", 0.25, False, True, None),
        ("Failed", None, False, False, "AlgorithmError: ModelError: no weights, exit code: 1"),
    ]


def test_the_step_costs_what_its_jobs_cost_together(world: World) -> None:
    world.run.add_tuning([("Completed", 600, 0.5), ("Failed", 300, None), ("Stopped", 100, 0.1)])
    found = world.record()
    (step,) = found["steps"]
    # 1000 s on 2 machines at 1.80 $/h
    assert (step["instance_type"], step["instance_count"], step["cost_dollars"]) == ("ml.g5.2xlarge", 2, 1.0)
    assert found["runs"][0]["cost_dollars"] == 1.0


def test_a_search_with_a_job_whose_end_is_not_known_has_no_cost(world: World) -> None:
    world.run.add_tuning([("Completed", 600, 0.5), ("Stopping", 300, None)], status="Stopped")
    del world.run.tried[1]["TrainingEndTime"]
    found = world.record()
    assert found["steps"][0]["cost_dollars"] is None
    assert [row["seconds"] for row in found["search_jobs"]] == [600.0, None]


def test_a_job_that_never_got_a_machine_costs_nothing(world: World) -> None:
    world.run.add_tuning([("Completed", 1000, 0.5), ("Failed", 300, None)])
    for member in ("TrainingStartTime", "TrainingEndTime"):
        del world.run.tried[1][member]
    assert world.record()["steps"][0]["cost_dollars"] == 1.0


def test_a_job_that_ran_too_long_was_not_stopped_for_its_score(world: World) -> None:
    world.run.add_tuning([("Completed", 10, 0.5), ("Stopped", 3600, 0.9), ("Stopped", 3599, 0.1)])
    assert [row["early_stopped"] for row in world.record()["search_jobs"]] == [False, False, True]


def test_in_a_search_that_somebody_stopped_nobody_knows_which_jobs_had_been_stopped_before(world: World) -> None:
    world.run.add_tuning([("Completed", 10, 0.5), ("Stopped", 5, 0.1)], status="Stopped")
    rows = world.record()["search_jobs"]
    assert [(row["best"], row["early_stopped"]) for row in rows] == [(True, False), (False, None)]


def test_other_hyperparameters_are_told_as_json_alone(world: World) -> None:
    world.run.add_tuning([("Completed", 10, 0.5)])
    world.run.tried[0]["TunedHyperParameters"] = {"dropout": "0.1"}
    (row,) = world.record()["search_jobs"]
    assert row["parameters"] == '{"dropout": "0.1"}'
    assert row["learning_rate"] is row["max_seq_length"] is row["train_batch_size"] is row["model_name"] is None


def test_a_search_that_was_taken_from_an_earlier_run_is_shown_and_costs_nothing(world: World) -> None:
    world.run.add_tuning([("Completed", 600, 0.5)], **EARLIER)
    found = world.record()
    assert len(found["search_jobs"]) == 1
    assert found["steps"][0]["cost_dollars"] == 0.0


def test_an_evaluated_runs_search_stands_under_the_name_of_the_newest_too(world: World) -> None:
    world.prepare()
    world.run.add_tuning([("Completed", 600, 0.5)])
    world.evaluate()
    assert world.record()["search_jobs"] == world.newest(SEARCH_JOBS) != []


def test_a_run_without_a_search_has_no_rows_of_one(world: World) -> None:
    world.run.add("Tune", 5, status="Failed", FailureReason="ClientError: refused")
    world.run.status = "Failed"
    assert world.record()["search_jobs"] == []
