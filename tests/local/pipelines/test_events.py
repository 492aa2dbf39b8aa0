"""EventBridge events: which, in which order, with AWS's details."""

import re
from typing import Any

import pytest

from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import condition, pipeline, processing

EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def told(emulator: Emulator, kind: str) -> list[dict[str, Any]]:
    return [detail for detail_type, detail in emulator.events if detail_type == kind]


def test_events_of_an_execution_that_succeeds(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Prepare", "pass")), display_name="mine")
    first, last = told(emulator, EXECUTION)
    assert emulator.events[0][1] is first and emulator.events[-1][1] is last
    assert (first["previousPipelineExecutionStatus"], first["currentPipelineExecutionStatus"]) == (None, "Executing")
    assert (last["previousPipelineExecutionStatus"], last["currentPipelineExecutionStatus"]) == (
        "Executing",
        "Succeeded",
    )
    assert "executionEndTime" not in first
    assert last["pipelineArn"] == arn.split("/execution/")[0]
    assert last["pipelineExecutionArn"] == arn
    assert last["pipelineExecutionDisplayName"] == "mine"
    assert TIME.fullmatch(last["executionStartTime"]) and TIME.fullmatch(last["executionEndTime"])

    steps = told(emulator, STEP)
    changes = [(detail["previousStepStatus"], detail["currentStepStatus"]) for detail in steps]
    assert changes == [(None, "Starting"), ("Starting", "Executing"), ("Executing", "Succeeded")]
    end = steps[-1]
    assert (end["stepName"], end["stepType"]) == ("Prepare", "Processing")
    assert end["metadata"] == {"processingJob": {"arn": emulator.job(arn, "Prepare")["ProcessingJobArn"]}}
    assert TIME.fullmatch(end["stepStartTime"]) and TIME.fullmatch(end["stepEndTime"])
    assert "stepEndTime" not in steps[0] and "failureReason" not in end


def test_events_of_an_execution_that_fails(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Prepare", "raise SystemExit(1)")))
    assert told(emulator, EXECUTION)[-1]["currentPipelineExecutionStatus"] == "Failed"
    assert told(emulator, STEP)[-1]["failureReason"] == emulator.reason(arn, "Prepare")


def test_a_cache_hit_and_a_condition_are_told(emulator: Emulator) -> None:
    step = processing("Prepare", "pass", step={"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}})
    first = emulator.run(pipeline(step))
    emulator.events.clear()
    gate = condition("Gate", [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}])
    emulator.run(pipeline(step, gate))
    ends = {d["stepName"]: d for d in told(emulator, STEP) if d["currentStepStatus"] == "Succeeded"}
    assert ends["Prepare"]["cacheHitResult"] == {"sourcePipelineExecutionArn": first}
    assert ends["Gate"]["metadata"] == {"condition": {"outcome": "True"}}


def test_who_is_told_can_already_see_it(emulator: Emulator) -> None:
    seen = []

    def look(kind: str, detail: dict[str, Any]) -> None:
        arn = detail["pipelineExecutionArn"]
        if kind == EXECUTION:
            seen.append((detail["currentPipelineExecutionStatus"], emulator.status(arn)))
        else:
            seen.append((detail["currentStepStatus"], emulator.statuses(arn)[detail["stepName"]]))

    emulator.listener = look
    emulator.run(pipeline(processing("Prepare", "pass")))
    assert len(seen) == 5
    assert all(announced == visible for announced, visible in seen)


def test_who_is_told_may_stop_the_execution(emulator: Emulator) -> None:
    def stop(kind: str, detail: dict[str, Any]) -> None:
        if detail.get("currentStepStatus") == "Executing":
            emulator.engine.stop(detail["pipelineExecutionArn"])

    emulator.listener = stop
    arn = emulator.run(pipeline(processing("Prepare", "import time; time.sleep(600)")))
    assert emulator.status(arn) == "Stopped"
    statuses = [d["currentPipelineExecutionStatus"] for d in told(emulator, EXECUTION)]
    assert statuses == ["Executing", "Stopping", "Stopped"]


def test_an_event_that_cannot_be_told_stops_nothing(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(kind: str, detail: dict[str, Any]) -> None:
        raise ConnectionError("nobody listens")

    emulator.listener = refuse
    assert emulator.status(emulator.run(pipeline(processing("Prepare", "pass")))) == "Succeeded"
    assert "nobody listens" in caplog.text
