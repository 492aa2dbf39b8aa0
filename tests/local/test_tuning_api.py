"""Tuning jobs through boto3: what is answered, in which order, page by page."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import LocalAws
from tests.local.aws_helpers import IMAGE, ROLE, bucket, unique, wait_for
from tests.local.pipelines.definitions import source_archive, tuning

# The second job's value is the best; the third prints none.
SCRIPT = """
    import os
    number = int(os.environ["TRAINING_JOB_NAME"].split("-")[-2])
    if number < 3:
        print(f"score: 0.{number}")
"""


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    return aws.client("sagemaker")


def create(aws: LocalAws, script: str, *, jobs: int = 3, **more: Any) -> str:
    where, name = bucket(aws, "tuning"), unique("search")
    aws.client("s3").put_object(Bucket=where, Key="sourcedir.tar.gz", Body=source_archive(train__py=script))
    request = tuning(
        "Tune",
        ranges={"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]},
        jobs=jobs,
        hyperparameters={"sagemaker_submit_directory": f"s3://{where}/sourcedir.tar.gz"},
        OutputDataConfig={"S3OutputPath": f"s3://{where}/out"},
        RoleArn=ROLE,
    )["Arguments"]
    request["TrainingJobDefinition"]["AlgorithmSpecification"]["TrainingImage"] = IMAGE
    aws.client("sagemaker").create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **{**request, **more})
    return name


def ended(aws: LocalAws, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = aws.client("sagemaker").describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        return described if described["HyperParameterTuningJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return wait_for(look, f"tuning job {name} to end")


def test_a_tuning_job_and_its_training_jobs(aws: LocalAws, sagemaker: Any) -> None:
    name = create(aws, SCRIPT, Tags=[{"Key": "team", "Value": "reports"}])
    described = ended(aws, name)
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    best = described["BestTrainingJob"]
    assert "-002-" in best["TrainingJobName"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Maximize", "MetricName": "score", "Value": 0.2,
    }  # fmt: skip
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert job["TuningJobArn"] == described["HyperParameterTuningJobArn"]
    assert job["HyperParameters"]["rate"] == best["TunedHyperParameters"]["rate"]
    tags = sagemaker.list_tags(ResourceArn=described["HyperParameterTuningJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "reports"}]
    with pytest.raises(ClientError, match="has ended already") as refusal:
        sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_training_jobs_are_listed_in_the_order_asked_for(aws: LocalAws, sagemaker: Any) -> None:
    name = create(aws, SCRIPT)
    ended(aws, name)

    def listed(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name, PaginationConfig={"PageSize": 1}, **request
        )
        jobs = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
        return [job.removeprefix(f"{name}-").partition("-")[0] for job in jobs]

    assert listed() == ["001", "002", "003"]
    assert listed(SortBy="CreationTime", SortOrder="Descending") == ["003", "002", "001"]
    # As on AWS, jobs without a value are left out then.
    assert listed(SortBy="FinalObjectiveMetricValue", SortOrder="Descending") == ["002", "001"]
    assert listed(StatusEquals="Failed") == []


def test_a_tuning_job_is_stopped_and_listed(aws: LocalAws, sagemaker: Any) -> None:
    name = create(aws, "import time; time.sleep(600)")
    wait_for(
        lambda: sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)[
            "TrainingJobSummaries"
        ],
        "the first job to begin",
    )
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    described = ended(aws, name)
    assert described["HyperParameterTuningJobStatus"] == "Stopped"
    assert described["TrainingJobStatusCounters"]["Stopped"] == 1
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains=name, StatusEquals="Stopped")[
        "HyperParameterTuningJobSummaries"
    ]
    assert (summary["HyperParameterTuningJobName"], summary["Strategy"]) == (name, "Bayesian")
    assert summary["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 1}


def test_what_is_not_offered_is_refused_by_name(aws: LocalAws, sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="a tuning job with Autotune") as refusal:
        create(aws, SCRIPT, Autotune={"Mode": "Enabled"})
    assert refusal.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="gone"):
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="gone")
