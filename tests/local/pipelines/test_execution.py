"""The graph of steps: order, parallelism, conditions, failures, the kinds of steps that are no jobs."""

import itertools
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from local.emulator.errors import InternalFailure, ResourceNotFound, ValidationError
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import (
    condition,
    fail,
    get,
    output_of,
    pipeline,
    processing,
    source_archive,
    training,
    tuning,
)

# Says that it is there, then waits until all the others named are.
MEET = """
    import pathlib, sys, time
    folder = pathlib.Path(sys.argv[1])
    (folder / sys.argv[2]).touch()
    while not all((folder / name).exists() for name in sys.argv[3:]):
        time.sleep(0.02)
"""


def equals(left: object, right: object) -> dict:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def test_ready_steps_run_at_the_same_time(emulator: Emulator) -> None:
    """Each of the two ends only when the other has begun."""
    folder = str(emulator.root.parent)
    steps = [
        processing(name, MEET, arguments=[folder, name, other])
        for name, other in (("left", "right"), ("right", "left"))
    ]
    assert emulator.status(emulator.run(pipeline(*steps))) == "Succeeded"


@pytest.mark.parametrize("where", ["definition", "start"])
def test_parallelism_configuration_is_respected(emulator: Emulator, where: str) -> None:
    configuration = {"MaxParallelExecutionSteps": 1}
    steps = [processing(name, "import time; time.sleep(0.2)") for name in ("One", "Two", "Three")]
    definition = pipeline(*steps, **({"ParallelismConfiguration": configuration} if where == "definition" else {}))
    more = {"parallelism_configuration": configuration} if where == "start" else {}
    arn = emulator.run(definition, **more)
    times = sorted((step["StartTime"], step["EndTime"]) for step in emulator.engine.list_steps(arn))
    assert all(ended <= started for (_, ended), (started, _) in itertools.pairwise(times))
    assert emulator.engine.describe_execution(arn)["ParallelismConfiguration"] == configuration


def test_no_more_steps_at_once_than_the_setting_says(emulator: Emulator) -> None:
    steps = [processing(f"Step{number}", "import time; time.sleep(0.3)") for number in range(4)]
    arn = emulator.run(pipeline(*steps, ParallelismConfiguration={"MaxParallelExecutionSteps": 50}))
    moments = [(step["StartTime"], 1) for step in emulator.engine.list_steps(arn)]
    moments += [(step["EndTime"], -1) for step in emulator.engine.list_steps(arn)]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    assert most == emulator.settings.parallel_steps == 2


def test_depends_on_and_references_order_the_steps(emulator: Emulator) -> None:
    write = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x').touch()"
    last = processing("Last", "pass", inputs={"x": output_of("Middle", "x")})
    middle = processing("Middle", write, arguments=["/opt/ml/processing/output/x"], outputs={"x": "s3://data/x"})
    middle["DependsOn"] = ["First"]
    arn = emulator.run(pipeline(last, middle, processing("First", "pass")))
    steps = emulator.steps(arn)
    assert list(steps) == ["First", "Middle", "Last"]
    assert steps["First"]["EndTime"] <= steps["Middle"]["StartTime"] <= steps["Last"]["StartTime"]


def test_a_failing_step_lets_the_running_ones_finish_and_starts_no_more(emulator: Emulator) -> None:
    folder = emulator.root.parent
    other = processing("Other", MEET, arguments=[str(folder), "other", "go"])
    bad = processing("Bad", MEET + "\n    raise SystemExit(3)", arguments=[str(folder), "bad", "other"])
    after_bad = processing("AfterBad", "pass", step={"DependsOn": ["Bad"]})
    after_other = processing("AfterOther", "pass", step={"DependsOn": ["Other"]})
    arn = emulator.start(pipeline(other, bad, after_bad, after_other))
    emulator.wait(lambda: emulator.statuses(arn).get("Bad") == "Failed")
    assert emulator.status(arn) == "Executing"
    (folder / "go").touch()
    emulator.wait(lambda: emulator.status(arn) == "Failed")
    assert emulator.statuses(arn) == {"Other": "Succeeded", "Bad": "Failed"}
    reason = emulator.engine.describe_execution(arn)["FailureReason"]
    assert reason.startswith("Step failure: One or multiple steps failed. Bad: AlgorithmError")
    (summary,) = emulator.engine.list_executions("dev-task")
    assert summary["PipelineExecutionFailureReason"] == reason


@pytest.mark.parametrize("outcome", [True, False])
def test_only_the_branch_taken_runs(emulator: Emulator, outcome: bool) -> None:
    nested = condition("Inner", [equals(get("Parameters.Passed"), True)], [processing("Deep", "pass")])
    gate = condition(
        "Gate",
        [equals(get("Parameters.Passed"), True), equals(1, 1.0)],
        [nested],
        [processing("Otherwise", "pass")],
    )
    needs_deep = processing("NeedsDeep", "pass", step={"DependsOn": ["Deep"]})
    parameters = [{"Name": "Passed", "Type": "Boolean"}]
    arn = emulator.run(pipeline(gate, needs_deep, parameters=parameters), parameters={"Passed": str(outcome).lower()})
    assert emulator.status(arn) == "Succeeded"
    expected = ["Gate", "Inner", "Deep", "NeedsDeep"] if outcome else ["Gate", "Otherwise"]
    assert list(emulator.statuses(arn)) == expected
    assert emulator.steps(arn)["Gate"]["Metadata"] == {"Condition": {"Outcome": str(outcome)}}


def test_the_gate_reads_a_property_file(emulator: Emulator) -> None:
    write = """
        import json, pathlib, sys
        folder = pathlib.Path(sys.argv[1], "deep")
        folder.mkdir()
        (folder / "evaluation.json").write_text(json.dumps({"gate": {"passed": True, "margins": [0.5]}}))
    """
    evaluate = processing(
        "Evaluate",
        write,
        arguments=["/opt/ml/processing/output/report"],
        outputs={"report": "s3://data/report"},
        step={
            "PropertyFiles": [
                {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "deep/evaluation.json"}
            ]
        },
    )
    file = get("Steps.Evaluate.PropertyFiles.Report")
    conditions = [
        equals({"Std:JsonGet": {"PropertyFile": file, "Path": "gate.passed"}}, True),
        {
            "Type": "GreaterThan",
            "LeftValue": {"Std:JsonGet": {"PropertyFile": file, "Path": "gate.margins[0]"}},
            "RightValue": get("Parameters.Margin"),
        },
    ]
    parameters = [{"Name": "Margin", "Type": "Float", "DefaultValue": 0.25}]
    definition = pipeline(evaluate, condition("Gate", conditions, [processing("Yes", "pass")]), parameters=parameters)
    assert "Yes" in emulator.statuses(emulator.run(definition))
    assert "Yes" not in emulator.statuses(emulator.run(definition, parameters={"Margin": "0.75"}))


def test_a_property_file_that_was_not_written_fails_the_gate(emulator: Emulator) -> None:
    files = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "evaluation.json"}]
    evaluate = processing("Evaluate", "pass", outputs={"report": "s3://data/report"}, step={"PropertyFiles": files})
    file = {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Report"), "Path": "passed"}}
    arn = emulator.run(pipeline(evaluate, condition("Gate", [equals(file, True)])))
    assert "s3://data/report/evaluation.json failed with NoSuchKey" in emulator.reason(arn, "Gate")


def test_what_is_told_about_an_execution(emulator: Emulator) -> None:
    experiment = {"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Execution.PipelineExecutionId")}
    definition = pipeline(
        processing("Only", "pass", step={"DisplayName": "The only one", "Description": "Does nothing"}),
        parameters=[
            {"Name": "A", "Type": "String", "DefaultValue": "x"},
            {"Name": "B", "Type": "Integer", "DefaultValue": 1},
        ],
        PipelineExperimentConfig=experiment,
    )
    arn = emulator.run(definition, parameters={"A": "y"}, display_name="mine", role_arn="arn:aws:iam::1:role/pipeline")
    execution_id = arn.rsplit("/", 1)[1]
    assert len(execution_id) == 12 and execution_id.isalnum() and execution_id.islower()
    execution = emulator.engine.describe_execution(arn)
    assert execution["PipelineExecutionDisplayName"] == "mine"
    assert execution["RoleArn"] == "arn:aws:iam::1:role/pipeline"
    assert execution["PipelineExperimentConfig"] == {"ExperimentName": "dev-task", "TrialName": execution_id}
    assert emulator.engine.parameters(arn) == [{"Name": "A", "Value": "y"}]
    assert emulator.engine.definition(arn) == definition
    step = emulator.steps(arn)["Only"]
    assert (step["StepDisplayName"], step["StepDescription"]) == ("The only one", "Does nothing")
    assert step["AttemptCount"] == 1
    second = emulator.run(pipeline(processing("Only", "pass")))
    assert [e["PipelineExecutionArn"] for e in emulator.engine.list_executions("dev-task")] == [second, arn]
    assert emulator.engine.list_executions("another") == []


def test_answers_are_copies(emulator: Emulator) -> None:
    arn = emulator.run(pipeline(processing("Only", "pass")))
    emulator.job(arn, "Only")["AppSpecification"].clear()
    emulator.engine.list_steps(arn)[0]["Metadata"].clear()
    emulator.engine.definition(arn)["Steps"].clear()
    assert emulator.job(arn, "Only")["AppSpecification"]
    assert emulator.steps(arn)["Only"]["Metadata"]
    assert emulator.engine.definition(arn)["Steps"]


def test_what_is_not_there_is_not_found(emulator: Emulator) -> None:
    engine = emulator.engine
    calls = (engine.describe_execution, engine.list_steps, engine.parameters, engine.definition, engine.stop)
    for call in (*calls, engine.describe_processing_job, engine.describe_training_job):
        with pytest.raises(ResourceNotFound):
            call("nothing")


def test_a_closed_engine_starts_nothing(emulator: Emulator) -> None:
    emulator.engine.close()
    emulator.engine.close()
    with pytest.raises(InternalFailure):
        emulator.start(pipeline(processing("Only", "pass")))


def test_an_unsupported_step_is_refused_before_anything_starts(emulator: Emulator) -> None:
    transform = {"Name": "Score", "Type": "Transform", "Arguments": {}}
    with pytest.raises(ValidationError, match="Step Score: step type 'Transform' is not supported"):
        emulator.start(pipeline(processing("First", "pass"), condition("Gate", [equals(1, 2)], [transform])))
    assert emulator.engine.list_executions("dev-task") == []
    assert emulator.events == []


def test_descriptions_have_botocores_shapes(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py="print('loss=1.5 score: 0.5')"))
    arn = emulator.run(
        pipeline(
            processing("Prepare", "raise SystemExit(0)"),
            tuning("Tune", ranges={"CategoricalParameterRanges": [{"Name": "size", "Values": ["8"]}]}),
            training("FineTune", metrics={"loss": "loss=([0-9.]+)"}, step={"DependsOn": ["Prepare"]}),
            {**condition("Gate", [equals(1, 1)], [fail("Stop", "no")]), "DependsOn": ["FineTune"]},
        )
    )
    model = get_session().get_service_model("sagemaker")
    engine = emulator.engine
    answers = {
        "DescribePipelineExecutionResponse": engine.describe_execution(arn),
        "ListPipelineExecutionsResponse": {"PipelineExecutionSummaries": engine.list_executions("dev-task")},
        "ListPipelineExecutionStepsResponse": {"PipelineExecutionSteps": engine.list_steps(arn)},
        "DescribeProcessingJobResponse": emulator.job(arn, "Prepare"),
        "DescribeTrainingJobResponse": emulator.job(arn, "FineTune"),
        "DescribeHyperParameterTuningJobResponse": emulator.job(arn, "Tune"),
        "ListHyperParameterTuningJobsResponse": {"HyperParameterTuningJobSummaries": engine.list_tuning_jobs()},
        "ListTrainingJobsForHyperParameterTuningJobResponse": {
            "TrainingJobSummaries": engine.list_jobs_of_tuning_job(
                emulator.job(arn, "Tune")["HyperParameterTuningJobName"]
            )
        },
        "ListProcessingJobsResponse": {"ProcessingJobSummaries": engine.list_processing_jobs()},
        "ListTrainingJobsResponse": {"TrainingJobSummaries": engine.list_training_jobs()},
    }
    for shape, answer in answers.items():
        report = ParamValidator().validate(answer, model.shape_for(shape))
        assert not report.has_errors(), f"{shape}: {report.generate_report()}"
        assert not _foreign(answer, model.shape_for(shape)), shape


def _foreign(value: Any, shape: Any, path: str = "") -> list[str]:
    """Members that the shape does not have: botocore's validation lets some of them pass."""
    if shape.type_name == "structure":
        members = shape.members
        here = [f"{path}.{name}" for name in value if name not in members]
        inner = [_foreign(value[n], members[n], f"{path}.{n}") for n in value if n in members]
        return here + [name for names in inner for name in names]
    if shape.type_name == "list":
        return [name for item in value for name in _foreign(item, shape.member, path)]
    return []
