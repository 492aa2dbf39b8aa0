"""record_run: a run's rows in `steps`, `parameters`, `data_flow` and `lengths`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.lambdas.recorded_run import ACCOUNT, PACKAGE, World
from training.table_schemas import DATA_FLOW, LENGTHS, PARAMETERS, STEPS

RUN = {"started_at": datetime(2026, 3, 31, 23, 30)}
RUN_STARTED = RUN["started_at"].replace(tzinfo=UTC)
BY_RUN = (STEPS, PARAMETERS, DATA_FLOW, LENGTHS)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def whole(world: World) -> World:
    """A run that got to its end."""
    world.prepare()
    world.run.add_training(1000)
    world.evaluate()
    world.run.add("Gate", 1, Metadata={"Condition": {"Outcome": "True"}})
    world.run.add("Register-RegisterModel", 2, Metadata={"RegisterModel": {"Arn": PACKAGE}})
    return world


def flow(rows: list[dict[str, Any]]) -> dict[tuple[str | None, str, str | None], int]:
    found = {(row["evaluation_set"], row["outcome"], row["reason"]): row["records"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_step_has_a_row_with_its_machines_and_its_cost(whole: World) -> None:
    rows = whole.record()["steps"]
    assert rows[1] == RUN | {
        "step": "FineTune",
        "status": "Succeeded",
        "seconds": 1060.0,
        "cached": False,
        "instance_type": "ml.g5.2xlarge",
        "instance_count": 2,
        # 1000 s on 2 machines at 1.80 $/h
        "cost_dollars": 1.0,
        "failure": None,
    }
    told = [(row["step"], row["instance_type"], row["instance_count"], row["cost_dollars"]) for row in rows]
    assert told == [
        ("Prepare", "ml.m5.xlarge", 1, 0.01),
        ("FineTune", "ml.g5.2xlarge", 2, 1.0),
        ("Evaluate", "ml.m5.xlarge", 1, 0.02),
        ("Gate", None, None, 0.0),
        ("Register-RegisterModel", None, None, 0.0),
    ]


def test_the_costs_of_the_steps_add_up_to_the_run_s(world: World) -> None:
    # Each costs 0.00016 dollars, together 0.0008; but a reader who adds up what stands in the rows must get the run's.
    for number in range(5):
        world.run.add_processing(f"Step{number}", 1.6, {})
    found = world.record()
    assert [row["cost_dollars"] for row in found["steps"]] == [0.0002] * 5
    assert found["runs"][0]["cost_dollars"] == 0.001


def test_a_step_that_failed_says_why_on_one_line_and_one_that_never_ended_has_no_seconds(world: World) -> None:
    world.prepare(status="Failed", FailureReason="UploadError:\n a.jsonl\tis empty\x00")
    world.run.add("StageModel", 5, status="Stopped")
    del world.run.steps[-1]["EndTime"]
    world.run.status = "Failed"
    prepare, stage = world.record()["steps"]
    assert (prepare["status"], prepare["failure"]) == ("Failed", "UploadError: a.jsonl is empty")
    assert (stage["status"], stage["failure"], stage["seconds"]) == ("Stopped", None, None)


def test_a_cached_step_ran_on_no_machine_and_one_without_a_price_has_no_cost(world: World) -> None:
    earlier = f"{ACCOUNT}:pipeline/dev-radiology-impressions/execution/earlier"
    world.prepare(folder="earlier", CacheHitResult={"SourcePipelineExecutionArn": earlier})
    world.run.add_training(1000)
    world.run.training["job-finetune"]["ResourceConfig"]["InstanceType"] = "ml.p5.48xlarge"
    prepare, train = world.record()["steps"]
    assert (prepare["cached"], prepare["instance_type"], prepare["cost_dollars"]) == (True, None, 0.0)
    assert (train["cached"], train["instance_type"], train["cost_dollars"]) == (False, "ml.p5.48xlarge", None)


def test_parameters_are_those_of_the_pipeline_the_training_and_the_data(whole: World) -> None:
    rows = whole.record()["parameters"]
    assert all({name: row[name] for name in RUN} == RUN for row in rows)
    assert {row["name"]: row["value"] for row in rows} == {
        "ApprovalStatus": "PendingManualApproval",
        "DataVersion": "0123456789abcdef",
        "Epochs": "3",
        "data_fingerprint": "f" * 64,
        "data_version": "0123456789abcdef",
        "fine_tune.epochs": "3",
        "fine_tune.learning_rate": "0.0003",
        "fine_tune.prompt_template": 'Summarise:\n"{input}"',
    }


def test_parameters_of_a_run_that_failed_before_any_step_are_the_pipeline_s(world: World) -> None:
    world.run.status = "Failed"
    found = world.record()
    assert {row["name"] for row in found["parameters"]} == {"ApprovalStatus", "DataVersion", "Epochs", "data_version"}
    # Nothing else is known, and a table without rows has no file.
    assert found["steps"] == found["data_flow"] == found["lengths"] == []
    assert {key.split("/")[1] for key in world.s3.bodies} == {"runs", "parameters"}


def test_arguments_of_a_cached_training_are_those_of_the_job_that_ran(world: World) -> None:
    world.run.add_training(1000, CacheHitResult={"SourcePipelineExecutionArn": f"{ACCOUNT}:pipeline/p/execution/e"})
    values = {row["name"]: row["value"] for row in world.record()["parameters"]}
    assert values["fine_tune.learning_rate"] == "0.0003"


def test_the_flow_of_training_data_adds_up_to_what_was_uploaded(whole: World) -> None:
    found = whole.record()
    told = flow(found["data_flow"])
    assert {key: records for key, records in told.items() if key[0] is None} == {
        (None, "train", None): 80,
        (None, "validation", None): 5,
        (None, "duplicate", None): 8,
        (None, "overruled by a review", None): 4,
        (None, "quarantined", "no findings section"): 2,
        (None, "quarantined", "not JSON"): 1,
    }
    assert sum(n for (name, _, _), n in told.items() if name is None) == found["runs"][0]["uploaded"] == 100
    assert {key: records for key, records in told.items() if key[0] is not None} == {
        ("dev1", "removed as training text", None): 7,
        ("dev2", "scored", None): 20,
        ("dev2", "removed as training text", None): 1,
        ("dev2", "duplicate", None): 4,
        ("dev2", "quarantined", "not JSON"): 5,
    }


def test_records_that_were_held_out_are_training_data_and_are_scored_as_a_set(world: World) -> None:
    report = {
        "counts": {
            "uploaded": 9, "train": 6, "validation": 1, "holdout": 2, "quarantined": 0, "duplicates": 0, "overruled": 0,
        },
        "removed_from_evaluation": {},
        "duplicates_in_evaluation": {},
        "quarantine_reasons": {"training": {}, "evaluation": {}},
    }  # fmt: skip
    world.prepare(report=report)
    world.evaluate(counts={"eval": {"holdout": 2}})
    assert flow(world.record()["data_flow"]) == {
        (None, "train", None): 6,
        (None, "validation", None): 1,
        (None, "holdout", None): 2,
        ("holdout", "scored", None): 2,
    }


def test_nothing_was_scored_before_evaluate(world: World) -> None:
    world.prepare()
    world.run.status = "Failed"
    assert "scored" not in {row["outcome"] for row in world.record()["data_flow"]}


def test_lengths_are_those_of_prepare(whole: World) -> None:
    rows = whole.record()["lengths"]
    assert all({name: row[name] for name in RUN} == RUN for row in rows)
    columns = ("evaluation_set", "split", "field", "words_from", "records")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (None, "train", "input", 10, 30),
        (None, "train", "input", 500, 50),
        (None, "train", "target", 0, 80),
        (None, "validation", "input", 20, 5),
        (None, "validation", "target", 0, 5),
        ("dev2", "dev2", "input", 0, 20),
        ("dev2", "dev2", "target", 0, 19),
        ("dev2", "dev2", "target", 10, 1),
    ]


def test_the_row_of_runs_is_written_last(whole: World) -> None:
    whole.record()
    written = [key.split("/")[1] for key in whole.s3.bodies if key.startswith("tables/")]
    assert written[-1] == "runs" and len(set(written)) == 5


def test_an_evaluated_run_stands_under_the_name_of_the_newest_too(whole: World) -> None:
    rows = whole.record()
    for table in BY_RUN:
        assert whole.newest(table) == rows[table.name] != []


def test_a_run_that_was_not_evaluated_is_not_the_newest(world: World) -> None:
    world.prepare()
    world.run.status = "Failed"
    assert world.record()["steps"]
    assert all(world.newest(table) == [] for table in BY_RUN)


def test_the_late_event_of_an_older_run_does_not_make_it_the_newest(whole: World) -> None:
    whole.record()
    newer = whole.newest(STEPS)
    for minutes, replaced in ((-1, False), (1, True)):
        # Within the same month, where the file of `runs` is looked for.
        whole.run.started = RUN_STARTED + timedelta(minutes=minutes)
        whole.record()
        assert (whole.newest(STEPS) != newer) is replaced
