"""The SageMaker Pipeline of a task, authored with the SageMaker Python SDK.

    StageModel ──┬─> FineTune ─────────────> GenerateFineTuned ──┐
    Prepare ─────┤                                               ├─> Evaluate ─> Gate ─> Register
                 └─> GeneratePretrained ─────────────────────────┘

A model that is built from the training text (source `stand_in`) is staged after Prepare. Each step is a method of
`_Author`; what all steps share (image, encryption, isolation, code, caching, retries) is said once.
"""

import hashlib
import json
from typing import Any

from sagemaker.core.common_utils import instance_supports_kms
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    CheckpointConfig,
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute as TrainingCompute
from sagemaker.core.training.configs import InputData, Networking, OutputDataConfig, StoppingCondition
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

from stacks.config import Compute, Stage, Task
from stacks.pipeline.images import inference_image, training_image
from stacks.pipeline.placeholders import PLACEHOLDERS
from stacks.pipeline.sdk_session import OfflineSession, settings_checked_once
from stacks.pipeline.source_archive import TRAINING_PROGRAM

_PROCESSING = "/opt/ml/processing"
_CODE = f"{_PROCESSING}/input/code"
_MESSAGE_FILE = "/opt/ml/output/message"
_CHECKPOINTS = "/opt/ml/checkpoints"
_CODE_CHANNEL = "code"

# Unpacks the code and becomes `python3 -m <first argument> <the others>`.
_ENTRYPOINT = [
    "/bin/bash",
    "-ec",
    f'mkdir -p /opt/ml/code; tar -xzf {_CODE}/*.gz -C /opt/ml/code; cd /opt/ml/code; exec python3 -m "$0" "$@"',
]

# A step whose arguments did not change in this time takes its earlier result.
_CACHE = CacheConfig(enable_caching=True, expire_after="P30D")
_RETRIES = [
    StepRetryPolicy(
        exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
        interval_seconds=30,
        backoff_rate=2.0,
        max_attempts=4,
    ),
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR],
        interval_seconds=30,
        backoff_rate=2.0,
        max_attempts=2,
    ),
    # GPU capacity comes and goes: wait for it up to three hours.
    SageMakerJobStepRetryPolicy(
        exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR, SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
        interval_seconds=120,
        backoff_rate=1.5,
        expire_after_mins=180,
    ),
]


def build_definition(task: Task, stage: Stage) -> dict[str, Any]:
    """Return the pipeline's definition with `PLACEHOLDERS` in it: the same one for the same task and stage.

    Must be imported and called inside `stacks.pipeline.offline.offline`; `stacks.pipeline.pipeline_definition` does.
    """
    with settings_checked_once():
        return _Author(task, stage).definition()


class _Author:
    """Writes the steps of one task's pipeline for one stage."""

    def __init__(self, task: Task, stage: Stage) -> None:
        self._task = task
        self._stage = stage
        self._session = OfflineSession(stage.region, PLACEHOLDERS.bucket)
        self._image = training_image(stage.region)
        self._data_version = ParameterString("DataVersion")
        self._manifest = ParameterString("Manifest")
        self._champion = ParameterString("Champion")
        self._approval = ParameterString(
            "ApprovalStatus", default_value=stage.approval, enum_values=["PendingManualApproval", "Approved"]
        )
        self._epochs = ParameterFloat("Epochs", default_value=task.training.epochs)
        self._fine_tune_instance = ParameterString(
            "FineTuneInstanceType", default_value=task.jobs.fine_tune.instance_type
        )
        self._generate_instance = ParameterString(
            "GenerateInstanceType", default_value=task.jobs.generate.instance_type
        )

    def definition(self) -> dict[str, Any]:
        prepare = self._prepare()
        staged = self._stage_model(prepare)
        fine_tune = self._fine_tune(prepare, staged)
        pretrained = self._generate("GeneratePretrained", prepare, _output(staged, "model"), "pretrained")
        fine_tuned = self._generate(
            "GenerateFineTuned", prepare, fine_tune.properties.ModelArtifacts.S3ModelArtifacts, "fine-tuned"
        )
        report = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")
        evaluate = self._evaluate(prepare, fine_tune, pretrained, fine_tuned, report)
        register = self._register(staged, fine_tune, fine_tuned, evaluate)
        passed = JsonGet(step_name=evaluate.name, property_file=report, json_path="gate.passed")
        gate = ConditionStep("Gate", conditions=[ConditionEquals(passed, True)], if_steps=[register], else_steps=[])
        pipeline = Pipeline(
            self._stage.name_for(self._task),
            parameters=[
                self._data_version,
                self._manifest,
                self._champion,
                self._approval,
                self._epochs,
                self._fine_tune_instance,
                self._generate_instance,
            ],
            steps=[staged, prepare, fine_tune, pretrained, fine_tuned, evaluate, gate],
            sagemaker_session=self._session,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
        )
        definition: dict[str, Any] = json.loads(pipeline.definition())
        return definition

    def _prepare(self) -> ProcessingStep:
        data, names = self._task.data, self._task.fields
        return self._processing(
            "Prepare",
            "training.prepare",
            self._task.jobs.prepare,
            role=PLACEHOLDERS.prepare_role,
            # The manifest names the training files and evaluation sets of this data version.
            inputs={
                "uploads": ProcessingS3Input(s3_uri=self._manifest, s3_data_type="ManifestFile", s3_input_mode="File")
            },
            outputs={name: self._run_folder(f"prepared/{name}") for name in ("train", "validation", "eval")},
            # What was set aside is written as it is found, so that a run that stops for it still shows it.
            continuous_outputs={name: self._run_folder(f"prepared/{name}") for name in ("quarantine", "report")},
            arguments={
                "uploads": f"{_PROCESSING}/input/uploads",
                "output": f"{_PROCESSING}/output",
                "input-field": names.input,
                "target-field": names.target,
                "validation-fraction": data.validation_fraction,
                "holdout-fraction": data.holdout_fraction,
                "max-bad-share": data.max_bad_share,
                "seed": data.seed,
            },
        )

    def _stage_model(self, prepare: ProcessingStep) -> ProcessingStep:
        model, training = self._task.model, self._task.training
        arguments: dict[str, Any] = {
            "source": model.source,
            "output": f"{_PROCESSING}/output/model",
            "prompt-template": self._task.prompt,
            "max-input-tokens": training.max_input_tokens,
            "max-new-tokens": self._task.generation.max_new_tokens,
            "num-beams": self._task.generation.num_beams,
        }
        inputs = {}
        if model.source == "huggingface":
            arguments |= {"model-id": model.id, "revision": model.revision}
        elif model.source == "s3":
            inputs["model"] = _s3_prefix(model.s3_uri)
            arguments["model"] = f"{_PROCESSING}/input/model"
        elif model.source == "stand_in":
            inputs["train"] = _s3_prefix(_output(prepare, "train"))
            arguments |= {
                "train": f"{_PROCESSING}/input/train",
                "denoise-seconds": model.denoise_seconds,
                "seed": training.seed,
            }
        return self._processing(
            "StageModel",
            "training.stage_model",
            self._task.jobs.stage_model,
            role=PLACEHOLDERS.stage_model_role,
            inputs=inputs,
            outputs={"model": self._run_folder("staged")},
            arguments=arguments,
            # The only job with network, and only where a model comes from the hub.
            isolated=model.source != "huggingface",
        )

    def _fine_tune(self, prepare: ProcessingStep, staged: ProcessingStep) -> TrainingStep:
        task, training, compute = self._task, self._task.training, self._task.jobs.fine_tune
        hyperparameters = {
            "prompt_template": json.dumps(task.prompt),
            "epochs": self._epochs.to_string(),
            **{name: _text(value) for name, value in training.model_dump(exclude={"epochs"}).items()},
            "max_new_tokens": str(task.generation.max_new_tokens),
            "num_beams": str(task.generation.num_beams),
            "checkpoints": _CHECKPOINTS,
            # SageMaker's training toolkit, which is in the image, unpacks the code and starts the program.
            "sagemaker_program": TRAINING_PROGRAM,
            # From a channel: an isolated job cannot fetch anything from S3 itself.
            "sagemaker_submit_directory": f"/opt/ml/input/data/{_CODE_CHANNEL}/{PLACEHOLDERS.source_file}",
            "sagemaker_container_log_level": "20",
            "sagemaker_region": self._stage.region,
        }
        trainer = ModelTrainer(
            training_image=self._image,
            role=PLACEHOLDERS.fine_tune_role,
            sagemaker_session=self._session,
            hyperparameters=hyperparameters,
            compute=TrainingCompute(
                instance_type=self._fine_tune_instance,
                instance_count=compute.instance_count,
                volume_size_in_gb=compute.volume_gb,
                volume_kms_key_id=_volume_key(compute),
            ),
            networking=Networking(enable_network_isolation=True, enable_inter_container_traffic_encryption=True),
            output_data_config=OutputDataConfig(
                s3_output_path=self._run_folder("training"), kms_key_id=PLACEHOLDERS.key_arn
            ),
            checkpoint_config=CheckpointConfig(s3_uri=self._checkpoints(), local_path=_CHECKPOINTS),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=_seconds(compute)),
            base_job_name="fine-tune",
        ).with_metric_definitions([MetricDefinition(name=m.name, regex=m.regex) for m in task.metrics])
        channels = {
            "train": _output(prepare, "train"),
            "validation": _output(prepare, "validation"),
            "model": _output(staged, "model"),
            _CODE_CHANNEL: _source_uri(),
        }
        inputs = [InputData(channel_name=name, data_source=uri) for name, uri in channels.items()]
        return TrainingStep(
            "FineTune", step_args=trainer.train(input_data_config=inputs), cache_config=_CACHE, retry_policies=_RETRIES
        )

    def _generate(self, name: str, prepare: ProcessingStep, model_uri: Any, folder: str) -> ProcessingStep:
        generation = self._task.generation
        return self._processing(
            name,
            "training.generate",
            self._task.jobs.generate,
            role=PLACEHOLDERS.generate_role,
            instance_type=self._generate_instance,
            inputs={
                "model": _s3_prefix(model_uri),
                "eval": _s3_prefix(_output(prepare, "eval"), distribution="ShardedByS3Key"),
            },
            outputs={"predictions": self._run_folder(f"generated/{folder}")},
            arguments={
                "model": f"{_PROCESSING}/input/model",
                "evaluation": f"{_PROCESSING}/input/eval",
                "output": f"{_PROCESSING}/output/predictions",
                "prompt-template": self._task.prompt,
                "max-new-tokens": generation.max_new_tokens,
                "num-beams": generation.num_beams,
                "batch-size": generation.batch_size,
            },
        )

    def _evaluate(
        self,
        prepare: ProcessingStep,
        fine_tune: TrainingStep,
        pretrained: ProcessingStep,
        fine_tuned: ProcessingStep,
        report: PropertyFile,
    ) -> ProcessingStep:
        training_output = Join(
            on="/",
            values=[
                # As the job itself says: a step that was taken from the cache wrote into an earlier run's folder.
                fine_tune.properties.OutputDataConfig.S3OutputPath,
                fine_tune.properties.TrainingJobName,
                "output/output.tar.gz",
            ],
        )
        sources = {
            "eval": _output(prepare, "eval"),
            "report": _output(prepare, "report"),
            "train": _output(prepare, "train"),
            "pretrained": _output(pretrained, "predictions"),
            "fine-tuned": _output(fine_tuned, "predictions"),
            "training-output": training_output,
            "champion": self._champion,
        }
        return self._processing(
            "Evaluate",
            "training.evaluate",
            self._task.jobs.evaluate,
            role=PLACEHOLDERS.evaluate_role,
            inputs={name: _s3_prefix(uri) for name, uri in sources.items()},
            outputs={
                "evaluation": self._run_folder("evaluation"),
                "tables": f"s3://{PLACEHOLDERS.bucket}/tables",
            },
            arguments={
                "task": self._task.name,
                "run-id": ExecutionVariables.PIPELINE_EXECUTION_ID,
                "started-at": ExecutionVariables.START_DATETIME,
                # Prepare's outputs, each in its own folder below: eval, report and (given once more) train.
                "prepared": f"{_PROCESSING}/input",
                **{name: f"{_PROCESSING}/input/{name}" for name in sources if name not in ("eval", "report")},
                "output": f"{_PROCESSING}/output/evaluation",
                "tables": f"{_PROCESSING}/output/tables",
                "seed": self._task.data.seed,
            },
            property_files=[report],
            # Its rows are those of this run, so they are written anew in each run.
            cached=False,
        )

    def _register(
        self, staged: ProcessingStep, fine_tune: TrainingStep, fine_tuned: ProcessingStep, evaluate: ProcessingStep
    ) -> ModelStep:
        evaluation = Join(on="/", values=[_output(evaluate, "evaluation"), "evaluation.json"])
        serving = self._task.serving.live
        builder = ModelBuilder(
            image_uri=inference_image(self._stage.region, serving.instance_type),
            role_arn=PLACEHOLDERS.pipeline_role,
            s3_model_data_url=fine_tune.properties.ModelArtifacts.S3ModelArtifacts,
            sagemaker_session=self._session,
            env_vars={
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                # One copy of the model an instance, as a large model needs all of its GPU.
                "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
                "TS_DEFAULT_WORKERS_PER_MODEL": "1",
            },
        )
        arguments = builder.register(
            content_types=["application/json"],
            response_types=["application/json"],
            inference_instances=[serving.instance_type],
            transform_instances=[serving.instance_type],
            model_package_group_name=self._stage.name_for(self._task),
            approval_status=self._approval,
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(s3_uri=evaluation, content_type="application/json")
            ),
            customer_metadata_properties={
                "task": self._task.name,
                "run_id": ExecutionVariables.PIPELINE_EXECUTION_ID,
                "evaluation": evaluation,
                "pretrained_model": _output(staged, "model"),
                "predictions": _output(fine_tuned, "predictions"),
            },
        )
        return ModelStep("Register", step_args=arguments, retry_policies=[_RETRIES[0]])

    def _processing(
        self,
        name: str,
        module: str,
        compute: Compute,
        *,
        role: str,
        inputs: dict[str, ProcessingS3Input],
        outputs: dict[str, Any],
        arguments: dict[str, Any],
        instance_type: Any = None,
        continuous_outputs: dict[str, Any] | None = None,
        property_files: list[PropertyFile] | None = None,
        isolated: bool = True,
        cached: bool = True,
    ) -> ProcessingStep:
        processor = Processor(
            role=role,
            image_uri=self._image,
            instance_count=compute.instance_count,
            instance_type=instance_type or compute.instance_type,
            entrypoint=_ENTRYPOINT,
            volume_size_in_gb=compute.volume_gb,
            volume_kms_key=_volume_key(compute),
            output_kms_key=PLACEHOLDERS.key_arn,
            max_runtime_in_seconds=_seconds(compute),
            sagemaker_session=self._session,
            network_config=NetworkConfig(
                enable_network_isolation=isolated, encrypt_inter_container_traffic=compute.instance_count > 1
            ),
        )
        step_arguments = processor.run(
            inputs=[
                _processing_input(input_name, source)
                for input_name, source in {"code": _s3_prefix(_source_uri()), **inputs}.items()
            ],
            outputs=[
                *(_processing_output(output, uri, "EndOfJob") for output, uri in outputs.items()),
                *(_processing_output(output, uri, "Continuous") for output, uri in (continuous_outputs or {}).items()),
            ],
            arguments=[module, *_command_line({**arguments, "message-file": _MESSAGE_FILE})],
        )
        return ProcessingStep(
            name,
            step_args=step_arguments,
            property_files=property_files,
            cache_config=_CACHE if cached else None,
            retry_policies=_RETRIES,
        )

    def _checkpoints(self) -> Join:
        """S3 prefix of the checkpoints of one training: of these settings, epochs and data version.

        Not of the run: where checkpoints lie is part of a step's identity, so that a training could never be taken
        from the cache, and a training that was stopped after hours would begin anew in the next run.
        """
        settings = {
            "prompt": self._task.prompt,
            "model": self._task.model.model_dump(),
            "training": self._task.training.model_dump(exclude={"epochs"}),
            "generation": self._task.generation.model_dump(),
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        root = f"s3://{PLACEHOLDERS.bucket}/runs/{self._task.name}/checkpoints/{digest}"
        return Join(on="/", values=[root, self._epochs, self._data_version])

    def _run_folder(self, name: str) -> Join:
        """S3 prefix of this run's `name`."""
        root = f"s3://{PLACEHOLDERS.bucket}/runs/{self._task.name}"
        return Join(on="/", values=[root, ExecutionVariables.PIPELINE_EXECUTION_ID, name])


def _source_uri() -> str:
    return f"s3://{PLACEHOLDERS.source_bucket}/{PLACEHOLDERS.source_key}"


def _output(step: ProcessingStep, name: str) -> Any:
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _s3_prefix(uri: Any, distribution: str = "FullyReplicated") -> ProcessingS3Input:
    return ProcessingS3Input(
        s3_uri=uri, s3_data_type="S3Prefix", s3_input_mode="File", s3_data_distribution_type=distribution
    )


def _processing_input(name: str, source: ProcessingS3Input) -> ProcessingInput:
    source.local_path = f"{_PROCESSING}/input/{name}"
    return ProcessingInput(input_name=name, s3_input=source)


def _processing_output(name: str, uri: Any, upload: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(s3_uri=uri, local_path=f"{_PROCESSING}/output/{name}", s3_upload_mode=upload),
    )


def _command_line(arguments: dict[str, Any]) -> list[Any]:
    return [part for name, value in arguments.items() for part in (f"--{name}", _text(value))]


def _text(value: Any) -> Any:
    """An argument as SageMaker takes it: text, JSON-quoted where it holds a line break; the SDK's variables stay."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value) if "\n" in value else value
    if isinstance(value, int | float):
        return str(value)
    return value


def _volume_key(compute: Compute) -> str | None:
    """Disks that are part of the machine are encrypted by its hardware; SageMaker refuses a key for them."""
    return PLACEHOLDERS.key_arn if instance_supports_kms(compute.instance_type) else None


def _seconds(compute: Compute) -> int:
    return int(compute.max_hours * 3600)
