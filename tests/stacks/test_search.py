"""The step Tune, as it stands in a pipeline's definition, and what a task file may say about a search."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template

from local.emulator.pipelines.definition import parse_definition
from stacks.config import TASKS_FOLDER, Metric, Task, load_stage, load_task
from stacks.config.search import Search
from stacks.errors import ConfigurationError
from stacks.pipeline import _quiet
from stacks.pipeline.offline import offline
from stacks.settings import validated
from tests.stacks.shapes import problems
from training.classification_metrics import METRICS
from training.classifier_tuner import metric_line

SETTINGS: dict[str, Any] = {
    "jobs": 12,
    "parallel_jobs": 3,
    "learning_rate": [0.00001, 0.0001],
    "max_seq_length": [128, 256],
    "train_batch_size": [16, 32],
    "seed": 7,
}
MODELS = ["monologg/biobert_v1.1_pubmed", "roberta-base"]
F1 = Metric(name="f1", regex="f1: ([0-9.]+).*$")


def task_with(*metrics: Metric, instance_type: str = "ml.m5.2xlarge") -> Task:
    task = load_task(TASKS_FOLDER / "radiology_impressions.yaml", "dev")
    compute = task.jobs.fine_tune.model_copy(update={"instance_type": instance_type})
    jobs = task.jobs.model_copy(update={"fine_tune": compute})
    return task.model_copy(update={"metrics": metrics, "jobs": jobs})


@pytest.fixture
def sdk() -> Iterator[None]:
    with offline("us-east-1"), _quiet():
        yield


def definition(task: Task, models: list[str] = MODELS) -> dict[str, Any]:
    """Of a pipeline that searches, then trains once more with the best job's hyperparameters and reads its model."""
    # The SDK makes AWS clients already while it is imported.
    from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
    from sagemaker.mlops.workflow.pipeline import Pipeline

    from stacks.pipeline.authoring import PipelineAuthor
    from stacks.pipeline.sdk_session import settings_checked_once
    from stacks.pipeline.search import search

    with settings_checked_once():
        author = PipelineAuthor(task, load_stage("dev"))
        found = search(
            author,
            validated(Search, SETTINGS, "test.yaml: search"),
            program="entry.py",
            hyperparameters={"epochs": author.parameters.epochs.to_string(), "positive_label": "AE"},
            channels={"train": "s3://data/train", "validation": "s3://data/validation"},
            models=models,
        )
        again = author.fine_tuning(
            "FineTune",
            program="entry.py",
            archive="source.gz",
            hyperparameters=found.hyperparameters,
            channels={"model": found.best.model, "output": found.best.output},
        )
        pipeline = Pipeline(
            "searching",
            parameters=author.parameters.all(),
            steps=[*found.best.steps, again],
            sagemaker_session=author.session,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
        )
        built: dict[str, Any] = json.loads(pipeline.definition())
        return built


@pytest.mark.usefixtures("sdk")
def test_the_step_is_what_sagemaker_takes_and_the_local_one_too() -> None:
    built = definition(task_with(F1))
    assert problems(built) == []
    steps = parse_definition(built).steps
    assert steps["Tune"].cache_for is not None and steps["Tune"].retry_policies
    assert steps["FineTune"].after == {"Tune"}


@pytest.mark.usefixtures("sdk")
def test_what_is_searched_how_and_for_how_long() -> None:
    tune = definition(task_with(F1))["Steps"][0]["Arguments"]
    assert tune["HyperParameterTuningJobConfig"] == {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "f1"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 12, "MaxParallelTrainingJobs": 3},
        "ParameterRanges": {
            "ContinuousParameterRanges": [
                {"Name": "learning_rate", "MinValue": "1e-05", "MaxValue": "0.0001", "ScalingType": "Logarithmic"}
            ],
            "CategoricalParameterRanges": [
                {"Name": "max_seq_length", "Values": ["128", "256"]},
                {"Name": "train_batch_size", "Values": ["16", "32"]},
                {"Name": "model_name", "Values": MODELS},
            ],
        },
        "TrainingJobEarlyStoppingType": "Auto",
        "RandomSeed": 7,
    }


@pytest.mark.usefixtures("sdk")
def test_its_jobs_are_sealed_and_encrypted_as_those_of_fine_tune() -> None:
    tune, fine_tune = (step["Arguments"] for step in definition(task_with(F1))["Steps"])
    job = tune["TrainingJobDefinition"]
    for member in (
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "OutputDataConfig",
        "ResourceConfig",
        "RoleArn",
        "StoppingCondition",
    ):
        assert job[member] == fine_tune[member], member
    assert job["EnableNetworkIsolation"] is job["EnableInterContainerTrafficEncryption"] is True
    assert "VolumeKmsKeyId" in job["ResourceConfig"] and "KmsKeyId" in job["OutputDataConfig"]
    assert job["AlgorithmSpecification"]["TrainingImage"] == fine_tune["AlgorithmSpecification"]["TrainingImage"]
    assert "CheckpointConfig" not in job


@pytest.mark.usefixtures("sdk")
def test_a_disk_that_is_part_of_the_machine_gets_no_key() -> None:
    tune = definition(task_with(F1, instance_type="ml.g5.2xlarge"))["Steps"][0]["Arguments"]
    assert "VolumeKmsKeyId" not in tune["TrainingJobDefinition"]["ResourceConfig"]


@pytest.mark.usefixtures("sdk")
def test_its_jobs_find_their_code_in_a_channel_and_get_what_is_not_searched() -> None:
    job = definition(task_with(F1))["Steps"][0]["Arguments"]["TrainingJobDefinition"]
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in job["InputDataConfig"]}
    assert set(channels) == {"train", "validation", "code"}
    static = job["StaticHyperParameters"]
    folder, _, file = static["sagemaker_submit_directory"].rpartition("/")
    assert (folder, static["sagemaker_program"]) == ("/opt/ml/input/data/code", "entry.py")
    assert file == "placeholder-source-file"
    # Locally a job has no /opt/ml of its own: what it is told is put in its place.
    assert static["checkpoints"] == "/opt/ml/checkpoints"
    assert static["positive_label"] == "AE" and "Parameters.Epochs" in json.dumps(static["epochs"])
    assert not {"learning_rate", "max_seq_length", "train_batch_size", "model_name"} & set(static)


@pytest.mark.usefixtures("sdk")
def test_later_steps_take_the_best_jobs_model_output_and_hyperparameters() -> None:
    fine_tune = definition(task_with(F1))["Steps"][1]["Arguments"]
    uris = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in fine_tune["InputDataConfig"]}
    for channel, archive in (("model", "model.tar.gz"), ("output", "output.tar.gz")):
        assert uris[channel] == {
            "Std:Join": {
                "On": "/",
                "Values": [
                    {"Get": "Steps.Tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"},
                    {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"},
                    f"output/{archive}",
                ],
            }
        }
    for name in ("learning_rate", "max_seq_length", "train_batch_size", "model_name"):
        assert fine_tune["HyperParameters"][name] == {
            "Get": f"Steps.Tune.BestTrainingJob.TunedHyperParameters['{name}']"
        }


def test_the_pipeline_may_run_tuning_jobs_of_the_names_that_sagemaker_gives_them(
    templates: Mapping[str, Mapping[str, Template]],
) -> None:
    allowed = {
        action: json.dumps(statement["Resource"])
        for policy in templates["dev"]["Training"].find_resources("AWS::IAM::Policy").values()
        if "PipelineRole" in json.dumps(policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        if "HyperParameterTuningJob" in action
    }
    assert set(allowed) == {
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    }
    assert all(":hyper-parameter-tuning-job/????????????-*" in resource for resource in allowed.values())


def test_the_objectives_regex_reads_what_training_prints() -> None:
    line = metric_line({name: 0.25 for name in METRICS} | {"f1": 0.7134}, 0.5)
    assert re.findall(F1.regex, line) == ["0.7134"]


@pytest.mark.usefixtures("sdk")
def test_a_search_needs_its_metric_and_different_models() -> None:
    loss = Metric(name="loss", regex="loss: ([0-9.]+)")
    with pytest.raises(ConfigurationError, match=r"radiology_impressions\.yaml: metrics must hold f1"):
        definition(task_with(loss))
    for models in ([], ["a", "a"], [f"model-{number}" for number in range(31)]):
        with pytest.raises(ConfigurationError, match="needs 1 to 30 different models"):
            definition(task_with(F1), models)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"jobs": 0}, "search: jobs: Input should be greater than or equal to 1, got 0"),
        ({"jobs": 501}, "search: jobs: Input should be less than or equal to 500, got 501"),
        ({"parallel_jobs": 13}, r"parallel_jobs must be <= jobs \(12\), got 13"),
        ({"learning_rate": [0.1, 0.01]}, "learning_rate must be the lowest and then the highest, got 0.1 and 0.01"),
        ({"learning_rate": [0.1, 0.1]}, "learning_rate must be the lowest and then the highest"),
        ({"learning_rate": [0.0, 0.1]}, r"learning_rate.0: Input should be greater than 0"),
        ({"learning_rate": [0.1]}, "search: learning_rate.1: Field required"),
        ({"max_seq_length": []}, "search: max_seq_length: Tuple should have at least 1 item"),
        ({"max_seq_length": [4]}, "search: max_seq_length.0: Input should be greater than or equal to 8, got 4"),
        ({"train_batch_size": [16, 8, 16]}, r"train_batch_size holds a value more than once: \[8, 16, 16\]"),
        ({"train_batch_size": list(range(1, 32))}, "train_batch_size: Tuple should have at most 30 items"),
        ({"seed": 0}, "search: seed: Input should be greater than or equal to 1, got 0"),
        ({"epochs": 3}, "search: epochs: Extra inputs are not permitted"),
    ],
)
def test_what_a_task_file_may_not_say(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        validated(Search, SETTINGS | changed, "test.yaml: search")
