"""A run for record_run to write down: SageMaker's answers about it, and what its jobs left in the bucket."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.record_run.handler import Clients, Settings, record
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.fake_s3 import FakeS3
from tests.lambdas.parquet_rows import table_rows
from training.table_schemas import RECORDED, Table

BUCKET = "reports-bucket"
ACCOUNT = "arn:aws:sagemaker:eu-central-1:123456789012"
ARN = f"{ACCOUNT}:pipeline/dev-radiology-impressions/execution/abc123"
BEGIN = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
PACKAGE = f"{ACCOUNT}:model-package/dev-radiology-impressions/7"
SETTINGS = Settings(
    bucket=BUCKET,
    tasks={"dev-radiology-impressions": "radiology_impressions"},
    prices={"ml.m5.xlarge": 0.36, "ml.g5.2xlarge": 1.8},
    refresh_data_sets=(),
)
REPORT = {
    "counts": {
        "uploaded": 100, "train": 80, "validation": 5, "holdout": 0, "quarantined": 3, "duplicates": 8,
        "overruled": 4, "reviewed": 6, "eval": {"dev2": 20},
    },
    "removed_from_evaluation": {"dev1": 7, "dev2": 1},
    "duplicates_in_evaluation": {"dev1": 0, "dev2": 4},
    "quarantine_reasons": {
        "training": {"no findings section": 2, "not JSON": 1},
        "evaluation": {"dev1": {}, "dev2": {"not JSON": 5}},
    },
    "lengths": {
        "training": {
            "train": {"input": {"10": 30, "500": 50}, "target": {"0": 80}},
            "validation": {"input": {"20": 5}, "target": {"0": 5}},
        },
        "evaluation": {"dev2": {"input": {"0": 20}, "target": {"0": 19, "10": 1}}},
    },
    "fingerprint": "f" * 64,
    "warnings": ["Few records."],
}  # fmt: skip
EVALUATION = {
    **REPORT,
    "warnings": ["Few records.", "The nearest report is better."],
    "gate": {"passed": True, "reasons": ["Better than before.", "No model is in service."]},
}


class FakeRun:
    """One execution, with its steps and jobs. Steps, parameters and jobs of a search come one a page."""

    def __init__(self) -> None:
        self.status = "Succeeded"
        self.failure: str | None = None
        self.steps: list[dict[str, Any]] = []
        self.processing: dict[str, dict[str, Any]] = {}
        self.training: dict[str, dict[str, Any]] = {}
        self.tuning: dict[str, dict[str, Any]] = {}
        self.tried: list[dict[str, Any]] = []
        self.started = self.clock = BEGIN

    def add(self, name: str, seconds: float, status: str = "Succeeded", **more: Any) -> None:
        """A step that began when the one before had ended."""
        begin, self.clock = self.clock, self.clock + timedelta(seconds=seconds)
        self.steps.append({"StepName": name, "StepStatus": status, "StartTime": begin, "EndTime": self.clock, **more})

    def add_processing(
        self, name: str, seconds: float, outputs: dict[str, str], status: str = "Succeeded", job: str = "", **more: Any
    ) -> None:
        job = job or f"job-{name.lower()}"
        self.processing[job] = {
            "ProcessingStartTime": self.clock,
            "ProcessingEndTime": self.clock + timedelta(seconds=seconds),
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": output, "S3Output": {"S3Uri": uri, "S3UploadMode": "EndOfJob"}}
                    for output, uri in outputs.items()
                ]
            },
        }
        metadata = {"ProcessingJob": {"Arn": f"{ACCOUNT}:processing-job/{job}"}}
        self.add(name, seconds + 60, status, Metadata=metadata, **more)

    def add_training(self, billable: int, **more: Any) -> None:
        self.training["job-finetune"] = {
            "BillableTimeInSeconds": billable,
            "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
            "HyperParameters": {
                "epochs": "3",
                "learning_rate": "0.0003",
                "prompt_template": json.dumps('Summarise:\n"{input}"'),
                "sagemaker_program": "fine_tune_entry.py",
            },
        }
        metadata = {"TrainingJob": {"Arn": f"{ACCOUNT}:training-job/job-finetune"}}
        self.add("FineTune", billable + 60, Metadata=metadata, **more)

    def add_tuning(self, tried: list[tuple[str, float, float | None]], status: str = "Completed", **more: Any) -> None:
        """A search whose jobs of two machines ran one after the other: (status, seconds, objective)."""
        name, begin = "abc123def456-Tune-0123456789", self.clock
        for number, (job_status, seconds, value) in enumerate(tried, 1):
            job = {
                "TrainingJobName": f"{name}-{number:03d}-0a1b2c3d",
                "TrainingJobArn": f"{ACCOUNT}:training-job/{name}-{number:03d}-0a1b2c3d",
                "CreationTime": begin,
                "TrainingStartTime": begin,
                "TrainingEndTime": begin + timedelta(seconds=seconds),
                "TrainingJobStatus": job_status,
                "TunedHyperParameters": {
                    "learning_rate": f"{number}e-05", "max_seq_length": "128", "train_batch_size": json.dumps("16"),
                    "model_name": "owner/encoder",
                },
            }  # fmt: skip
            if value is not None:
                job["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "f1", "Value": value}
            self.tried.append(job)
            begin += timedelta(seconds=seconds)
        completed = [job for job in self.tried if job["TrainingJobStatus"] == "Completed"]
        best = max(completed, key=lambda job: job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"], default=None)
        self.tuning[name] = {
            "HyperParameterTuningJobStatus": status,
            "TrainingJobDefinition": {
                "ResourceConfig": {"InstanceType": "ml.g5.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
                "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            },
            **({"BestTrainingJob": best} if best else {}),
        }
        metadata = {"TuningJob": {"Arn": f"{ACCOUNT}:hyper-parameter-tuning-job/{name}"}}
        self.add("Tune", sum(seconds for _, seconds, _ in tried), Metadata=metadata, **more)

    def describe_pipeline_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        assert PipelineExecutionArn == ARN
        answer = {
            "PipelineExecutionStatus": self.status,
            "CreationTime": self.started,
            "LastModifiedTime": self.clock,
        }
        return answer | ({"FailureReason": self.failure} if self.failure else {})

    def list_pipeline_execution_steps(self, PipelineExecutionArn: str, NextToken: str = "0") -> dict[str, Any]:
        newest_first = self.steps[::-1]  # as SageMaker lists them
        start = int(NextToken)
        answer: dict[str, Any] = {"PipelineExecutionSteps": newest_first[start : start + 1]}
        return answer | ({"NextToken": str(start + 1)} if newest_first[start + 1 :] else {})

    def list_pipeline_parameters_for_execution(self, PipelineExecutionArn: str, NextToken: str = "") -> dict[str, Any]:
        if not NextToken:
            return {"PipelineParameters": [{"Name": "Epochs", "Value": "3"}], "NextToken": "more"}
        return {"PipelineParameters": [{"Name": "DataVersion", "Value": "0123456789abcdef"}]}

    def describe_pipeline_definition_for_execution(self, PipelineExecutionArn: str) -> dict[str, Any]:
        assert PipelineExecutionArn == ARN
        parameters = [
            {"Name": "DataVersion", "Type": "String"},
            {"Name": "Epochs", "Type": "Float", "DefaultValue": 10.0},
            {"Name": "ApprovalStatus", "Type": "String", "DefaultValue": "PendingManualApproval"},
        ]
        return {"PipelineDefinition": json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": []})}

    def describe_processing_job(self, ProcessingJobName: str) -> dict[str, Any]:
        return self.processing[ProcessingJobName]

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        return self.training[TrainingJobName]

    def describe_hyper_parameter_tuning_job(self, HyperParameterTuningJobName: str) -> dict[str, Any]:
        return self.tuning[HyperParameterTuningJobName]

    def list_training_jobs_for_hyper_parameter_tuning_job(
        self, HyperParameterTuningJobName: str, SortBy: str, SortOrder: str, NextToken: str = "0"
    ) -> dict[str, Any]:
        assert (SortBy, SortOrder) == ("CreationTime", "Ascending") and HyperParameterTuningJobName in self.tuning
        start = int(NextToken)
        more = {"NextToken": str(start + 1)} if self.tried[start + 1 :] else {}
        return {"TrainingJobSummaries": self.tried[start : start + 1]} | more


class World:
    """A run of one pipeline, the bucket that its rows go to, and the function that writes them."""

    def __init__(self) -> None:
        self.run = FakeRun()
        self.s3 = FakeS3()
        self.clients = Clients(connect("s3", self.s3), connect("sagemaker", self.run))

    def put(self, key: str, value: Any) -> str:
        self.s3.bodies[key] = json.dumps(value).encode()
        return f"s3://{BUCKET}/{key.rpartition('/')[0]}"

    def prepare(self, folder: str = "abc123", report: Mapping[str, Any] | None = None, **more: Any) -> None:
        """`report` has other parts than REPORT."""
        content = REPORT | dict(report or {})
        uri = self.put(f"runs/radiology_impressions/{folder}/prepared/report/report.json", content)
        self.run.add_processing("Prepare", 100, {"train": f"s3://{BUCKET}/train", "report": uri}, **more)

    def evaluate(self, **parts: Any) -> None:
        """`parts` are other than those of EVALUATION."""
        evaluation = self.put("runs/radiology_impressions/abc123/evaluation/evaluation.json", EVALUATION | parts)
        self.run.add_processing("Evaluate", 200, {"tables": f"s3://{BUCKET}/tables", "evaluation": evaluation})

    def record(self) -> dict[str, list[dict[str, Any]]]:
        """Write the run down; table -> the rows that are found in the bucket, which must be where they are said."""
        _, keys = record(ARN, SETTINGS, self.clients)
        partitions = {table.name: table.partitioned_by[1] for table in RECORDED}
        places = {"month": "month=2026-03/abc123.parquet", "run_id": "run_id=abc123/part-00000.parquet"}
        assert keys == {
            table: f"tables/{table}/task=radiology_impressions/{places[partitions[table]]}" for table in keys
        }
        found = {table.name: table_rows(self.s3, table) for table in RECORDED}
        others = {key for files in found.values() for key in files} - set(keys.values())
        assert all("/run_id=newest/" in key for key in others)
        return {table: files.get(keys.get(table, ""), []) for table, files in found.items()}

    def newest(self, table: Table) -> list[dict[str, Any]]:
        """What stands in a table by run under the name of the newest run."""
        files = table_rows(self.s3, table)
        return files.get(f"tables/{table.name}/task=radiology_impressions/run_id=newest/part-00000.parquet", [])

    def row(self) -> dict[str, Any]:
        """The run's row in `runs`."""
        (row,) = self.record()["runs"]
        return row
