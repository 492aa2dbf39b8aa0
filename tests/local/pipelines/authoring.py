"""A pipeline authored with the SageMaker SDK: every kind of step and expression that the engine can run, once.

Importing this takes seconds and makes AWS clients, so a test imports it only once nothing can be asked of AWS.
"""

import json
from typing import Any

import boto3
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThanOrEqualTo,
    ConditionIn,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TuningStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition
from sagemaker.train.tuner import HyperparameterTuner

from tests.local.pipelines.definitions import IMAGE, ROLE

CACHE = CacheConfig(enable_caching=True, expire_after="P7D")
RETRIES = [
    StepRetryPolicy(exception_types=[StepExceptionTypeEnum.THROTTLING], max_attempts=3),
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], expire_after_mins=60, interval_seconds=60
    ),
]
EPOCHS, THRESHOLD, DATA = ParameterInteger("Epochs", 1), ParameterFloat("Threshold", 0.25), ParameterString("InputData")
APPROVAL = ParameterString("Approval", "PendingManualApproval", enum_values=["PendingManualApproval", "Approved"])


LOSS = "eval_loss=([0-9\\.]+)"


class OfflineSession(PipelineSession):
    def default_bucket(self) -> str:
        return "bucket"


def author() -> dict[str, Any]:
    session = OfflineSession(boto_session=boto3.Session(region_name="us-east-1"), default_bucket="bucket")
    prepare = _processing(session, "Prepare", ("data", DATA), "train", cache_config=CACHE)
    tune = _tune(session, prepare)
    fine_tune = _fine_tune(session, prepare, tune)
    model = fine_tune.properties.ModelArtifacts.S3ModelArtifacts
    report = PropertyFile("Report", output_name="report", path="evaluation.json")
    evaluate = _processing(session, "Evaluate", ("model", model), "report", property_files=[report])
    score = JsonGet(step_name="Evaluate", property_file=report, json_path="metrics.rougeL.value")
    conditions = [
        ConditionGreaterThanOrEqualTo(score, THRESHOLD),
        ConditionOr([ConditionEquals(APPROVAL, "Approved"), ConditionNot(ConditionIn(EPOCHS, [7, 8]))]),
    ]
    too_bad = FailStep("TooBad", error_message=Join(on=" ", values=["below", THRESHOLD]))
    taken = [_register(session, model), _notify(session, score)]
    gate = ConditionStep("Gate", conditions=conditions, if_steps=taken, else_steps=[too_bad])
    pipeline = Pipeline(
        "dev-task",
        parameters=[EPOCHS, THRESHOLD, DATA, APPROVAL],
        steps=[prepare, tune, fine_tune, evaluate, gate],
        sagemaker_session=session,
        pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
    )
    definition: dict[str, Any] = json.loads(pipeline.definition())
    return definition


def _processing(
    session: PipelineSession, name: str, source: tuple[str, Any], output: str, **more: Any
) -> ProcessingStep:
    """Runs s3://assets/<name>.py 2 <input folder> <output folder>."""
    given, uri = source
    folders = {key: f"/opt/ml/processing/{kind}/{key}" for kind, key in (("input", given), ("output", output))}
    target = Join(on="/", values=["s3://bucket/runs", ExecutionVariables.PIPELINE_EXECUTION_ID, output])
    s3_input = ProcessingS3Input(s3_uri=uri, local_path=folders[given], s3_data_type="S3Prefix", s3_input_mode="File")
    s3_output = ProcessingS3Output(s3_uri=target, local_path=folders[output], s3_upload_mode="EndOfJob")
    processor = ScriptProcessor(
        role=ROLE,
        image_uri=IMAGE,
        command=["python3"],
        instance_count=1,
        instance_type="ml.m5.xlarge",
        sagemaker_session=session,
    )
    arguments = processor.run(
        code=f"s3://assets/{name.lower()}.py",
        inputs=[ProcessingInput(input_name=given, s3_input=s3_input)],
        outputs=[ProcessingOutput(output_name=output, s3_output=s3_output)],
        arguments=["2", folders[given], folders[output]],
    )
    return ProcessingStep(name, step_args=arguments, retry_policies=RETRIES, **more)


def _tune(session: PipelineSession, prepare: ProcessingStep) -> TuningStep:
    tuner = HyperparameterTuner(
        _trainer(session, {"epochs": EPOCHS}),
        "eval:loss",
        {"lr": ContinuousParameter(1e-5, 1e-3, "Logarithmic")},
        metric_definitions=[{"Name": "eval:loss", "Regex": LOSS}],
        objective_type="Minimize",
        max_jobs=2,
        max_parallel_jobs=2,
        early_stopping_type="Auto",
        random_seed=1,
    )
    train = prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    arguments = tuner.tune(inputs={"train": train}, wait=False)
    return TuningStep("Tune", step_args=arguments, cache_config=CACHE, retry_policies=RETRIES)


def _fine_tune(session: PipelineSession, prepare: ProcessingStep, tune: TuningStep) -> TrainingStep:
    best = tune.properties.BestTrainingJob.TunedHyperParameters["lr"]
    trainer = _trainer(session, {"epochs": EPOCHS, "lr": best}).with_metric_definitions(
        [MetricDefinition(name="eval:loss", regex=LOSS)]
    )
    train = prepare.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    arguments = trainer.train(input_data_config=[InputData(channel_name="train", data_source=train)])
    return TrainingStep("FineTune", step_args=arguments, cache_config=CACHE, retry_policies=RETRIES)


def _trainer(session: PipelineSession, hyperparameters: dict[str, Any]) -> ModelTrainer:
    return ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        sagemaker_session=session,
        hyperparameters={
            **hyperparameters,
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://assets/sourcedir.tar.gz",
        },
        compute=Compute(instance_type="ml.g5.2xlarge", instance_count=1, volume_size_in_gb=200),
        output_data_config=OutputDataConfig(s3_output_path="s3://bucket/out"),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
        base_job_name="fine-tune",
    )


def _register(session: PipelineSession, model: Any) -> ModelStep:
    builder = ModelBuilder(image_uri=IMAGE, role_arn=ROLE, s3_model_data_url=model, sagemaker_session=session)
    arguments = builder.register(
        content_types=["application/json"],
        response_types=["application/json"],
        inference_instances=["ml.g5.2xlarge"],
        transform_instances=["ml.g5.2xlarge"],
        model_package_group_name="group",
        approval_status=APPROVAL,
        customer_metadata_properties={"run_id": ExecutionVariables.PIPELINE_EXECUTION_ID},
    )
    return ModelStep("Register", step_args=arguments)


def _notify(session: PipelineSession, score: JsonGet) -> LambdaStep:
    return LambdaStep(
        "Notify",
        lambda_func=Lambda(function_arn="arn:aws:lambda:us-east-1:111122223333:function:f", session=session),
        inputs={"rougeL": score},
        outputs=[LambdaOutput("statusCode", LambdaOutputTypeEnum.String)],
    )
