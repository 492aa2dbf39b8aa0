"""What every step of a task's pipeline shares, said once: machines, encryption, isolation, code, caching, retries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker.core.common_utils import instance_supports_kms
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
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer

from stacks.config import Compute, Model, Stage, Task
from stacks.config.values import as_argument
from stacks.pipeline.images import training_image
from stacks.pipeline.placeholders import PLACEHOLDERS, role
from stacks.pipeline.sdk_session import OfflineSession

PROCESSING = "/opt/ml/processing"
CHANNELS = "/opt/ml/input/data"
CODE_CHANNEL = "code"
_MESSAGE_FILE = "/opt/ml/output/message"

_CODE = "/opt/ml/code"

# A step whose arguments did not change in this time takes its earlier result.
CACHE = CacheConfig(enable_caching=True, expire_after="P30D")
SERVICE_RETRY = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=30,
    backoff_rate=2.0,
    max_attempts=4,
)
RETRIES = [
    SERVICE_RETRY,
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


class Parameters:
    """What a run is started with. `epochs` is a whole number where JumpStart's script takes no other."""

    def __init__(self, task: Task, stage: Stage) -> None:
        self.data_version = ParameterString("DataVersion")
        self.manifest = ParameterString("Manifest")
        self.champion = ParameterString("Champion")
        self.approval = ParameterString(
            "ApprovalStatus", default_value=stage.approval, enum_values=["PendingManualApproval", "Approved"]
        )
        epochs = task.training.epochs
        self.epochs = (
            ParameterInteger("Epochs", default_value=int(epochs))
            if task.model.source == "jumpstart"
            else ParameterFloat("Epochs", default_value=epochs)
        )
        self.fine_tune_instance = ParameterString(
            "FineTuneInstanceType", default_value=task.jobs.fine_tune.instance_type
        )
        answering, compute = task.answering
        self.answering_instance = ParameterString(f"{answering}InstanceType", default_value=compute.instance_type)

    def all(self) -> list[Any]:
        return [
            self.data_version,
            self.manifest,
            self.champion,
            self.approval,
            self.epochs,
            self.fine_tune_instance,
            self.answering_instance,
        ]


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """What a way of fine-tuning gives the steps after it.

    `steps` in their order; `model` is the S3 URI of the model directory's `model.tar.gz`; `output` that of the job's
    `output.tar.gz` with the training curve, None where the script leaves none.
    """

    steps: list[Any]
    model: Any
    output: Any | None


class PipelineAuthor:
    """Writes steps of one task's pipeline for one stage."""

    def __init__(self, task: Task, stage: Stage) -> None:
        self.task = task
        self.stage = stage
        self.session = OfflineSession(stage.region, PLACEHOLDERS.bucket)
        self.parameters = Parameters(task, stage)
        self._image = training_image(stage.region)

    def processing(
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
        environment: dict[str, str] | None = None,
        archives: tuple[str, ...] = (),
        after: list[ProcessingStep] | None = None,
        isolated: bool = True,
        cached: bool = True,
    ) -> ProcessingStep:
        """A job that runs `python3 -m module` with `arguments`, of which a list becomes several words.

        Input and output `name` lie below PROCESSING/input/name and PROCESSING/output/name. An output is uploaded when
        the job has succeeded, a continuous one as it is written. `archives` names inputs that are one packed folder,
        which the job finds at `unpacked(name)`. The job waits for the steps in `after` and for those that it refers to.
        One that is not `isolated` may call AWS in the stage's region.
        """
        processor = Processor(
            role=role,
            image_uri=self._image,
            instance_count=compute.instance_count,
            instance_type=instance_type or compute.instance_type,
            entrypoint=_entrypoint(archives),
            # SageMaker sets AWS_REGION only, and boto3 reads AWS_DEFAULT_REGION.
            env=environment if isolated else {"AWS_DEFAULT_REGION": self.stage.region, **(environment or {})},
            volume_size_in_gb=compute.volume_gb,
            volume_kms_key=_volume_key(compute),
            output_kms_key=PLACEHOLDERS.key_arn,
            max_runtime_in_seconds=_seconds(compute),
            sagemaker_session=self.session,
            network_config=NetworkConfig(
                enable_network_isolation=isolated, encrypt_inter_container_traffic=compute.instance_count > 1
            ),
        )
        step_arguments = processor.run(
            inputs=[
                _processing_input(input_name, source)
                for input_name, source in {"code": s3_prefix(source_uri()), **inputs}.items()
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
            cache_config=CACHE if cached else None,
            retry_policies=RETRIES,
            depends_on=after,
        )

    def answering(
        self,
        name: str,
        module: str,
        prepared: ProcessingStep,
        folder: str,
        *,
        inputs: dict[str, ProcessingS3Input],
        arguments: dict[str, Any],
    ) -> ProcessingStep:
        """A job in which a model answers every evaluation set, each machine its own part files of them."""
        kind, compute = self.task.answering
        return self.processing(
            name,
            module,
            compute,
            role=role(kind.lower()),
            instance_type=self.parameters.answering_instance,
            inputs={
                **inputs,
                "eval": s3_prefix(output_of(prepared, "eval"), distribution="ShardedByS3Key"),
            },
            outputs={"predictions": self.run_folder(f"answers/{folder}")},
            arguments={
                **{each: f"{PROCESSING}/input/{each}" for each in inputs},
                "evaluation": f"{PROCESSING}/input/eval",
                "output": f"{PROCESSING}/output/predictions",
                **arguments,
            },
        )

    def fine_tuning(
        self,
        name: str,
        *,
        image: str | None = None,
        program: str,
        archive: str,
        hyperparameters: dict[str, Any],
        channels: dict[str, Any],
        checkpoints: CheckpointConfig | None = None,
    ) -> TrainingStep:
        """A training job: `program` of the code in the channel `code`, started by the image's training toolkit.

        `image` None means that of every other job; `archive` is the file name of the code archive in its channel.
        """
        trainer = self.trainer(
            image=image, program=program, archive=archive, hyperparameters=hyperparameters, checkpoints=checkpoints
        )
        inputs = [InputData(channel_name=channel, data_source=uri) for channel, uri in channels.items()]
        return TrainingStep(
            name, step_args=trainer.train(input_data_config=inputs), cache_config=CACHE, retry_policies=RETRIES
        )

    def trainer(
        self,
        *,
        image: str | None = None,
        program: str,
        archive: str,
        hyperparameters: dict[str, Any],
        checkpoints: CheckpointConfig | None = None,
    ) -> ModelTrainer:
        """How every job that fine-tunes is started; see `fine_tuning`."""
        compute = self.task.jobs.fine_tune
        return ModelTrainer(
            training_image=image or self._image,
            role=role("fine_tune"),
            sagemaker_session=self.session,
            hyperparameters={
                **hyperparameters,
                "sagemaker_program": program,
                # From a channel: an isolated job cannot fetch anything from S3 itself.
                "sagemaker_submit_directory": f"{CHANNELS}/{CODE_CHANNEL}/{archive}",
                "sagemaker_container_log_level": "20",
                "sagemaker_region": self.stage.region,
            },
            compute=TrainingCompute(
                instance_type=self.parameters.fine_tune_instance,
                instance_count=compute.instance_count,
                volume_size_in_gb=compute.volume_gb,
                volume_kms_key_id=_volume_key(compute),
            ),
            networking=Networking(enable_network_isolation=True, enable_inter_container_traffic_encryption=True),
            output_data_config=OutputDataConfig(
                s3_output_path=self.run_folder("training"), kms_key_id=PLACEHOLDERS.key_arn
            ),
            checkpoint_config=checkpoints,
            stopping_condition=StoppingCondition(max_runtime_in_seconds=_seconds(compute)),
            base_job_name="fine-tune",
        ).with_metric_definitions([MetricDefinition(name=m.name, regex=m.regex) for m in self.task.metrics])

    def model_uri(self, model: Model) -> str:
        """Where a model of source s3 lies."""
        return str(model.s3_uri) if model.own_key is None else f"s3://{PLACEHOLDERS.bucket}/{model.own_key}"

    def run_folder(self, name: str) -> Join:
        """S3 prefix of this run's `name`."""
        root = f"s3://{PLACEHOLDERS.bucket}/runs/{self.task.name}"
        return Join(on="/", values=[root, ExecutionVariables.PIPELINE_EXECUTION_ID, name])


def source_uri() -> str:
    """S3 URI of this project's code archive."""
    return f"s3://{PLACEHOLDERS.source_bucket}/{PLACEHOLDERS.source_key}"


def output_of(step: ProcessingStep, name: str) -> Any:
    """S3 prefix of a processing step's output."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def s3_prefix(uri: Any, distribution: str = "FullyReplicated") -> ProcessingS3Input:
    """Everything below a prefix, or the one object of this key, as an input."""
    return ProcessingS3Input(
        s3_uri=uri, s3_data_type="S3Prefix", s3_input_mode="File", s3_data_distribution_type=distribution
    )


def text_of(value: Any) -> Any:
    """An argument as SageMaker takes it: text, JSON-quoted where it holds a line break; the SDK's variables stay."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return as_argument(value)
    if isinstance(value, int | float):
        return str(value)
    return value


def unpacked(name: str) -> str:
    """Where a processing job finds what its input `name` holds packed."""
    return f"/opt/ml/{name}"


def _entrypoint(archives: Sequence[str]) -> list[str]:
    """Unpacks the code and `archives`, and becomes `python3 -m <first argument> <the others>`."""
    folders = {"code": _CODE, **{name: unpacked(name) for name in archives}}
    unpack = "".join(
        f"mkdir -p {folder}; tar -xzf {PROCESSING}/input/{name}/*.gz -C {folder}; " for name, folder in folders.items()
    )
    return ["/bin/bash", "-ec", f'{unpack}cd {_CODE}; exec python3 -m "$0" "$@"']


def _processing_input(name: str, source: ProcessingS3Input) -> ProcessingInput:
    source.local_path = f"{PROCESSING}/input/{name}"
    return ProcessingInput(input_name=name, s3_input=source)


def _processing_output(name: str, uri: Any, upload: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(s3_uri=uri, local_path=f"{PROCESSING}/output/{name}", s3_upload_mode=upload),
    )


def _command_line(arguments: dict[str, Any]) -> list[Any]:
    return [
        part
        for name, value in arguments.items()
        for part in (f"--{name}", *(text_of(one) for one in (value if isinstance(value, list) else [value])))
    ]


def _volume_key(compute: Compute) -> str | None:
    """Disks that are part of the machine are encrypted by its hardware; SageMaker refuses a key for them."""
    return PLACEHOLDERS.key_arn if instance_supports_kms(compute.instance_type) else None


def _seconds(compute: Compute) -> int:
    return int(compute.max_hours * 3600)
