"""Training: a pipeline a task, what starts its runs and what writes them down."""

import json
import tempfile
from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.encrypted_queue import DeadLetterQueue, WorkQueue
from stacks.foundation import Foundation
from stacks.glue_function import GlueFunction, pandas_layer
from stacks.pipeline.source_archive import write_source_archive
from stacks.task_pipeline import TUNING_JOBS, TaskPipeline
from training.table_schemas import RECORDED, RUNS

_ENDS = ["Succeeded", "Failed", "Stopped"]


class TrainingStack(Stack):
    """Uploads start runs: S3 → EventBridge → queue → start_training → SageMaker Pipeline → record_run."""

    def __init__(self, scope: Construct, construct_id: str, *, foundation: Foundation) -> None:
        stage = foundation.stage
        super().__init__(scope, construct_id, env={"region": stage.region}, description="Report tuning: pipelines")
        self._stage, self._bucket, self._key = stage, foundation.bucket, foundation.key
        self._alarms = foundation.alarms
        self._refreshed_data_sets = foundation.refreshed_data_sets
        with tempfile.TemporaryDirectory() as folder:
            source = s3_assets.Asset(self, "Source", path=str(write_source_archive(Path(folder))))
        self.pipelines = {
            task.name: TaskPipeline(
                self,
                task.construct_id,
                task=task,
                stage=stage,
                bucket=self._bucket,
                key=self._key,
                source=source,
                jumpstart=foundation.jumpstart.get(task.name),
            )
            for task in foundation.tasks
        }
        # A pipeline and its model package group have the same name.
        self._names = json.dumps({task: pipeline.name for task, pipeline in self.pipelines.items()}, sort_keys=True)
        self._dead_letters = DeadLetterQueue(self, "DeadLetters", key=self._key, alarms=self._alarms)
        layer = pandas_layer(self, stage.pandas_layer_version)
        self._start_training(layer)
        self._record_run(layer)
        CfnOutput(self, "Pipelines", value=self._names, description="Task -> its pipeline")

    def _start_training(self, layer: lambda_.ILayerVersion) -> None:
        # First in, first out in one group: two invocations never decide about the same task at the same time.
        queue = WorkQueue(
            self,
            "StartQueue",
            key=self._key,
            delay=Duration.seconds(self._stage.settle_seconds),
            fifo=True,
            visibility_timeout=Duration.minutes(3),
            dead_letters=DeadLetterQueue(self, "StartDeadLetters", key=self._key, alarms=self._alarms, fifo=True),
            attempts=5,
        )
        function = GlueFunction(
            self,
            "StartTraining",
            name="start_training",
            description="Starts a run of a task when its training data has changed",
            environment={
                "BUCKET": self._bucket.bucket_name,
                "PIPELINES": self._names,
                "MODEL_PACKAGE_GROUPS": self._names,
                "SETTLE_SECONDS": str(self._stage.settle_seconds),
                "STAGE": self._stage.name,
            },
            key=self._key,
            timeout=Duration.seconds(30),
            layers=[layer],
        )
        function.add_event_source(event_sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True))
        target = targets.SqsQueue(queue, message_group_id="start", dead_letter_queue=self._dead_letters)
        events.Rule(
            self,
            "Uploaded",
            description="A file was uploaded",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._bucket.bucket_name]},
                    "object": {"key": [{"prefix": "uploads/"}]},
                },
            ),
            targets=[target],
        )
        self._run_ended("EndedStartsNext", target)
        self._grant_start(function)

    def _grant_start(self, function: GlueFunction) -> None:
        function.allow(["s3:ListBucketVersions", "s3:ListBucket"], [self._bucket.bucket_arn])
        function.allow(
            ["s3:PutObject"],
            [
                self._bucket.arn_for_objects(key)
                for key in ("runs/*/manifests/*", "runs/*/no-champion/*", f"tables/{RUNS.name}/*")
            ],
        )
        function.allow(["s3:GetObject"], [self._bucket.arn_for_objects("runs/*/no-champion/*")])
        function.allow(["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn])
        arns = [pipeline.arn for pipeline in self.pipelines.values()]
        function.allow(
            [
                "sagemaker:StartPipelineExecution",
                "sagemaker:ListPipelineExecutions",
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineParametersForExecution",
            ],
            [*arns, *(f"{arn}/execution/*" for arn in arns)],
        )
        self._grant_packages(function, ["sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage"])

    def _record_run(self, layer: lambda_.ILayerVersion) -> None:
        function = GlueFunction(
            self,
            "RecordRun",
            name="record_run",
            description="Writes down every run that ended, however it ended",
            environment={
                "BUCKET": self._bucket.bucket_name,
                "PIPELINES": self._names,
                "PRICES": json.dumps(self._stage.prices, sort_keys=True),
                "REFRESH_DATA_SETS": json.dumps(self._refreshed_data_sets),
                "STAGE": self._stage.name,
            },
            key=self._key,
            timeout=Duration.minutes(5),
            layers=[layer],
            dead_letters=self._dead_letters,
        )
        target = targets.LambdaFunction(
            function, dead_letter_queue=self._dead_letters, retry_attempts=10, max_event_age=Duration.hours(6)
        )
        self._run_ended("EndedIsRecorded", target)
        self._grant_record(function)

    def _grant_record(self, function: GlueFunction) -> None:
        function.allow(["s3:ListBucket"], [self._bucket.bucket_arn])
        function.allow(["s3:GetObject"], [self._bucket.arn_for_objects("runs/*")])
        tables = [self._bucket.arn_for_objects(f"tables/{t.name}/*") for t in RECORDED]
        # It looks at when the newest run's rows were written before it replaces them.
        function.allow(["s3:PutObject", "s3:GetObject"], tables)
        function.allow(["kms:Decrypt", "kms:GenerateDataKey"], [self._key.key_arn])
        arns = [pipeline.arn for pipeline in self.pipelines.values()]
        function.allow(
            [
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:ListPipelineParametersForExecution",
                "sagemaker:DescribePipelineDefinitionForExecution",
            ],
            [*arns, *(f"{arn}/execution/*" for arn in arns)],
        )
        jobs = f"arn:{self.partition}:sagemaker:{self.region}:{self.account}"
        function.allow(
            ["sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob"],
            [f"{jobs}:processing-job/pipelines-*", f"{jobs}:training-job/pipelines-*"],
        )
        function.allow(
            ["sagemaker:DescribeHyperParameterTuningJob", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"],
            [f"{jobs}:{TUNING_JOBS}"],
        )
        if self._refreshed_data_sets:
            root = f"arn:{self.partition}:quicksight:{self.region}:{self.account}:dataset"
            function.allow(
                ["quicksight:CreateIngestion"], [f"{root}/{name}/ingestion/*" for name in self._refreshed_data_sets]
            )

    def _run_ended(self, construct_id: str, target: events.IRuleTarget) -> None:
        events.Rule(
            self,
            construct_id,
            description="A run of one of the pipelines ended",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Building Pipeline Execution Status Change"],
                detail={
                    "currentPipelineExecutionStatus": _ENDS,
                    "pipelineArn": [pipeline.arn for pipeline in self.pipelines.values()],
                },
            ),
            targets=[target],
        )

    def _grant_packages(self, function: GlueFunction, actions: list[str]) -> None:
        root = f"arn:{self.partition}:sagemaker:{self.region}:{self.account}"
        names = [pipeline.name for pipeline in self.pipelines.values()]
        function.allow(
            actions,
            [f"{root}:model-package-group/{name}" for name in names]
            + [f"{root}:model-package/{name}/*" for name in names],
        )
