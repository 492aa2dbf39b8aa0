"""Training jobs, as in the developer guide's "How Amazon SageMaker Provides Training Information"."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from local.emulator.pipelines import script_mode
from local.emulator.pipelines.archives import write_archive
from local.emulator.pipelines.container import Ending, Result, Stop, check_result
from local.emulator.pipelines.failures import JobTimedOut, StepFailed, StepStopped
from local.emulator.pipelines.folder_sync import FolderSync
from local.emulator.pipelines.job import DEFAULT_LIMIT_SECONDS, Job, open_job
from local.emulator.pipelines.job_log import JobLog, Metric, compile_metrics
from local.emulator.pipelines.job_requests import check_training_request
from local.emulator.pipelines.job_store import JobStore
from local.emulator.pipelines.s3_transfer import S3Transfer
from local.emulator.pipelines.settings import EngineSettings

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_FAILURE = "/opt/ml/output/failure"
_CHECKPOINTS = "/opt/ml/checkpoints"
_GROUP = "homogeneousCluster"
_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingJobs:
    """Runs training jobs, one a call, and knows all of them."""

    def __init__(self, settings: EngineSettings, clients: Callable[[str], Any]) -> None:
        self.store = JobStore("Training")
        self._settings = settings
        self._clients = clients

    def create(self, request: Mapping[str, Any], *, tuning_job_arn: str | None = None) -> str:
        """Accept a CreateTrainingJob request. Returns the job's ARN. Raises StepFailed when it is refused.

        `tuning_job_arn` is that of the tuning job which the job belongs to.
        """
        check_training_request(request)
        name = request["TrainingJobName"]
        arn = f"arn:aws:sagemaker:{self._settings.region}:{self._settings.account}:training-job/{name}"
        description = {
            "StoppingCondition": {"MaxRuntimeInSeconds": DEFAULT_LIMIT_SECONDS},
            **request,
            "TrainingJobArn": arn,
            **({} if tuning_job_arn is None else {"TuningJobArn": tuning_job_arn}),
            "TrainingJobStatus": "InProgress",
            # Required in every description: where the model will lie, also of a job that leaves none.
            "ModelArtifacts": {"S3ModelArtifacts": f"{_output_folder(request)}/model.tar.gz"},
        }
        description.pop("Tags", None)
        self.store.create(name, description)
        self._begin(name, "Starting")
        return arn

    def run(
        self,
        name: str,
        stop: Stop,
        *,
        on_metric: Metric | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a created job to its end; return its description.

        `on_metric` is told, from another thread, each value of a metric that the log shows. `environment` is what the
        job's process gets besides; the request's own wins.

        Raises:
            StepFailed: the job failed.
            StepStopped: `stop` was set.
        """
        description = self.store.describe(name)
        log = self._log(description, on_metric)
        variables = {**self._settings.job_environment, **(environment or {})}
        settings = replace(self._settings, job_environment=variables)
        try:
            with open_job(name, settings=settings, clients=self._clients, stop=stop, log=log) as job:
                self._run(job, description)
        except StepStopped:
            self._end(name, "Stopped", "Stopped")
            raise
        except JobTimedOut:
            self._end(name, "Stopped", "MaxRuntimeExceeded")
            raise
        except StepFailed as failure:
            self._end(name, "Failed", "Failed", FailureReason=failure.reason)
            raise
        self._end(name, "Completed", "Completed")
        return self.store.describe(name)

    def _run(self, job: Job, description: Mapping[str, Any]) -> None:
        self._begin(job.name, "Downloading")
        configuration = _write_configuration(job, description)
        for channel in description.get("InputDataConfig", []):
            folder = job.folder.inside(f"/opt/ml/input/data/{channel['ChannelName']}")
            folder.mkdir(parents=True)
            job.download(channel["DataSource"]["S3DataSource"], folder)
        checkpoints = self._checkpoints(job, description)
        if checkpoints is not None and (count := checkpoints.restore()):
            job.log.line(f"Restored {count} checkpoint files from {description['CheckpointConfig']['S3Uri']}")
        with checkpoints or nullcontext():
            result = self._run_container(job, description, configuration)
        lost = checkpoints.upload_last() if checkpoints is not None else None
        stopped = result.ending is Ending.STOPPED
        check_result(result, None if stopped else job.folder.read_message(_FAILURE))
        if lost is not None:
            raise lost
        # Also after a time-out: what the job saved until then is a model, as on AWS.
        self._upload(job, _output_folder(description))
        if result.ending is Ending.TIMED_OUT:
            raise JobTimedOut(_limit(description))

    def _run_container(self, job: Job, description: Mapping[str, Any], configuration: Mapping[str, Any]) -> Result:
        algorithm = description["AlgorithmSpecification"]
        hyperparameters = description.get("HyperParameters", {})
        isolated = bool(description.get("EnableNetworkIsolation"))
        variables = {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": description["TrainingJobArn"]}
        if algorithm.get("ContainerEntrypoint"):
            folder = job.folder.home
            command = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", [])]
        elif {script_mode.PROGRAM, script_mode.SUBMIT_DIRECTORY} <= set(hyperparameters):
            folder = script_mode.unpack_code(job, hyperparameters, isolated=isolated)
            command = script_mode.command(hyperparameters)
            variables |= script_mode.environment(hyperparameters, configuration)
        else:
            raise StepFailed(
                "ClientError: The local SageMaker does not support a training job without ContainerEntrypoint or the "
                f"hyperparameters {script_mode.PROGRAM} and {script_mode.SUBMIT_DIRECTORY}"
            )
        self._begin(job.name, "Training")
        self.store.update(job.name, TrainingStartTime=datetime.now(UTC))
        result = job.run(
            command,
            environment={**variables, **description.get("Environment", {})},
            folder=folder,
            isolated=isolated,
            limit_seconds=_limit(description),
        )
        if result.ending is Ending.STOPPED:
            self.store.update(job.name, TrainingJobStatus="Stopping")
            self._begin(job.name, "Stopping")
        return result

    def _upload(self, job: Job, target: str) -> None:
        self._begin(job.name, "Uploading")
        for name, source in (("model.tar.gz", "/opt/ml/model"), ("output.tar.gz", "/opt/ml/output/data")):
            archive = job.folder.path / name
            write_archive(job.folder.inside(source), archive)
            job.s3.upload_file(archive, f"{target}/{name}")

    def _checkpoints(self, job: Job, description: Mapping[str, Any]) -> FolderSync | None:
        configuration = description.get("CheckpointConfig")
        if configuration is None:
            return None
        return FolderSync(
            s3=S3Transfer(self._clients("s3"), lambda: None),
            folder=job.folder.inside(configuration.get("LocalPath", _CHECKPOINTS)),
            uri=configuration["S3Uri"],
            seconds=self._settings.sync_seconds,
        )

    def _log(self, description: Mapping[str, Any], on_metric: Metric | None) -> JobLog:
        name = description["TrainingJobName"]

        def record(metric: str, value: float, time: datetime) -> None:
            self.store.record_metric(name, metric, value, time)
            if on_metric is not None:
                on_metric(metric, value, time)

        return JobLog(
            job=name,
            group=_LOG_GROUP,
            clients=self._clients,
            seconds=self._settings.log_seconds,
            metrics=compile_metrics(description["AlgorithmSpecification"].get("MetricDefinitions", [])),
            on_metric=record,
        )

    def _begin(self, name: str, status: str) -> None:
        self.store.begin_secondary_status(name, status, _MESSAGES[status])

    def _end(self, name: str, status: str, secondary: str, **members: Any) -> None:
        self._begin(name, secondary)
        now = datetime.now(UTC)
        started = self.store.describe(name).get("TrainingStartTime", now)
        seconds = max(1, round((now - started).total_seconds()))
        self.store.update(
            name,
            TrainingJobStatus=status,
            TrainingEndTime=now,
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            **members,
        )


def _output_folder(description: Mapping[str, Any]) -> str:
    """S3 prefix of what a job leaves behind."""
    root: str = description["OutputDataConfig"]["S3OutputPath"]
    return f"{root.rstrip('/')}/{description['TrainingJobName']}/output"


def _limit(description: Mapping[str, Any]) -> float:
    return float(description["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS))


def _write_configuration(job: Job, description: Mapping[str, Any]) -> dict[str, Any]:
    """The files below /opt/ml/input/config, by name without `.json`, and the folders that a job may expect."""
    instance = description["ResourceConfig"]["InstanceType"]
    configuration = {
        "hyperparameters": description.get("HyperParameters", {}),
        "inputdataconfig": {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
            for channel in description.get("InputDataConfig", [])
        },
        "resourceconfig": {
            "current_host": "algo-1",
            "current_instance_type": instance,
            "current_group_name": _GROUP,
            "hosts": ["algo-1"],
            "instance_groups": [
                {"instance_group_name": _GROUP, "instance_type": instance, "hosts": ["algo-1"]},
            ],
            "network_interface_name": "eth0",
        },
    }
    for name, content in configuration.items():
        job.folder.write_json(f"/opt/ml/input/config/{name}.json", content)
    for folder in ("/opt/ml/model", "/opt/ml/output/data", "/opt/ml/input/data"):
        job.folder.inside(folder).mkdir(parents=True, exist_ok=True)
    return configuration
