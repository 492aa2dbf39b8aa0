"""Step caching: when a step does not run again, and what it gives then."""

from datetime import timedelta
from typing import Any

import pytest

from local.emulator.pipelines.cache import parse_duration
from tests.local.pipelines.conftest import Emulator
from tests.local.pipelines.definitions import get, join, output_of, pipeline, processing, source_archive, training

CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
WRITE = """
    import pathlib, sys
    pathlib.Path(sys.argv[1], "x.txt").write_text("made")
"""


def prepare(version: Any = "1", **members: Any) -> dict[str, Any]:
    folder = join("/", "s3://data/runs", get("Execution.PipelineExecutionId"))
    return processing(
        "Prepare",
        WRITE,
        arguments=["/opt/ml/processing/output/made", version],
        outputs={"made": folder},
        **{"step": CACHED, **members},
    )


def read() -> dict[str, Any]:
    return processing("Read", "pass", inputs={"x": output_of("Prepare", "made")})


def was_hit(emulator: Emulator, arn: str, step: str) -> str | None:
    source: str | None = emulator.steps(arn)[step].get("CacheHitResult", {}).get("SourcePipelineExecutionArn")
    return source


def test_a_hit_gives_what_the_earlier_execution_made(emulator: Emulator) -> None:
    first = emulator.run(pipeline(prepare(), read()))
    second = emulator.run(pipeline(prepare(), read()))
    third = emulator.run(pipeline(prepare(), read()))
    assert was_hit(emulator, first, "Prepare") is None
    assert was_hit(emulator, second, "Prepare") == was_hit(emulator, third, "Prepare") == first
    step = emulator.steps(second)["Prepare"]
    assert step["StepStatus"] == "Succeeded"
    assert step["Metadata"] == emulator.steps(first)["Prepare"]["Metadata"]
    # Its output lies where the first execution put it, and there the next step found it.
    source = emulator.job(second, "Read")["ProcessingInputs"][0]["S3Input"]["S3Uri"]
    assert source == f"s3://data/runs/{first.rsplit('/', 1)[1]}"
    assert len([j for j in emulator.engine.list_processing_jobs() if "-Prepare-" in j["ProcessingJobName"]]) == 1


@pytest.mark.parametrize(
    ("changed", "hit"),
    [
        ({"version": "2"}, False),
        ({"Environment": {"A": "b"}}, False),
        ({"inputs": {"more": "s3://data/in/"}}, False),
        # Where it runs, and how long it may, is not part of a step's identity.
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 77}}, True),
        ({"RoleArn": "arn:aws:iam::111122223333:role/other"}, True),
    ],
)
def test_which_arguments_count(emulator: Emulator, changed: dict[str, Any], hit: bool) -> None:
    emulator.s3.put("s3://data/in/a", "a")
    first = emulator.run(pipeline(prepare()))
    second = emulator.run(pipeline(prepare(**changed)))
    assert was_hit(emulator, second, "Prepare") == (first if hit else None)


def test_a_parameter_counts_by_its_value(emulator: Emulator) -> None:
    parameters = [{"Name": "Version", "Type": "String"}]
    definition = pipeline(prepare(get("Parameters.Version")), parameters=parameters)
    first, second, third = (emulator.run(definition, parameters={"Version": v}) for v in ("a", "b", "a"))
    assert was_hit(emulator, second, "Prepare") is None
    assert was_hit(emulator, third, "Prepare") == first


def test_inputs_count_by_their_uri_as_on_aws(emulator: Emulator) -> None:
    emulator.s3.put("s3://data/in/a", "before")
    first = emulator.run(pipeline(prepare(inputs={"in": "s3://data/in/"})))
    emulator.s3.put("s3://data/in/a", "after")
    assert was_hit(emulator, emulator.run(pipeline(prepare(inputs={"in": "s3://data/in/"}))), "Prepare") == first


def test_another_pipeline_another_step_or_no_caching_is_no_hit(emulator: Emulator) -> None:
    emulator.run(pipeline(prepare()))
    other = emulator.run(pipeline(prepare()), pipeline_name="prod-task")
    assert was_hit(emulator, other, "Prepare") is None
    renamed = emulator.run(pipeline({**prepare(), "Name": "Again"}))
    assert was_hit(emulator, renamed, "Again") is None
    uncached = emulator.run(pipeline(prepare(step={"CacheConfig": {"Enabled": False, "ExpireAfter": "P1D"}})))
    assert was_hit(emulator, uncached, "Prepare") is None


def test_a_result_expires(emulator: Emulator) -> None:
    emulator.run(pipeline(prepare()))
    expired = {"CacheConfig": {"Enabled": True, "ExpireAfter": "PT0S"}}
    assert was_hit(emulator, emulator.run(pipeline(prepare(step=expired))), "Prepare") is None


def test_a_failed_step_is_never_cached(emulator: Emulator) -> None:
    step = processing("Prepare", "raise SystemExit(1)", step=CACHED)
    runs = [emulator.run(pipeline(step)) for _ in range(2)]
    assert [emulator.statuses(arn)["Prepare"] for arn in runs] == ["Failed", "Failed"]
    assert len(emulator.engine.list_processing_jobs()) == 2


def test_a_trained_model_is_cached_with_its_metrics(emulator: Emulator) -> None:
    emulator.s3.put("s3://assets/sourcedir.tar.gz", source_archive(train__py="print('loss=1.5')"))
    train = training("FineTune", metrics={"loss": "loss=([0-9.]+)"}, step=CACHED)
    use = {"Name": "Use", "Type": "Fail", "Arguments": {"ErrorMessage": ""}}
    use["Arguments"] = {
        "ErrorMessage": join(
            " ",
            get("Steps.FineTune.ModelArtifacts.S3ModelArtifacts"),
            get("Steps.FineTune.FinalMetricDataList['loss'].Value"),
        )
    }
    first, second = (emulator.run(pipeline(train, use)) for _ in range(2))
    assert was_hit(emulator, second, "FineTune") == first
    assert emulator.reason(second, "Use") == emulator.reason(first, "Use")
    assert emulator.reason(second, "Use").endswith("/output/model.tar.gz 1.5")


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P7D", timedelta(days=7)),
        ("30d", timedelta(days=30)),
        ("T16m", timedelta(minutes=16)),
        ("30dT5h", timedelta(days=30, hours=5)),
        ("PT1H30M5S", timedelta(hours=1, minutes=30, seconds=5)),
        ("P1Y2M1W", timedelta(days=365 + 60 + 7)),
    ],
)
def test_durations_as_aws_and_its_sdk_write_them(text: str, duration: timedelta) -> None:
    assert parse_duration(text, "Prepare") == duration
