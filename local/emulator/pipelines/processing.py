"""Processing jobs, as in the developer guide under "Build Your Own Processing Container"."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from local.emulator.pipelines.container import Ending, Result, Stop, check_result
from local.emulator.pipelines.failures import JobTimedOut, StepFailed, StepStopped
from local.emulator.pipelines.folder_sync import FolderSync
from local.emulator.pipelines.job import DEFAULT_LIMIT_SECONDS, Job, open_job
from local.emulator.pipelines.job_log import JobLog
from local.emulator.pipelines.job_requests import check_processing_request
from local.emulator.pipelines.job_store import JobStore
from local.emulator.pipelines.s3_transfer import S3Transfer
from local.emulator.pipelines.settings import EngineSettings

_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_MESSAGE = "/opt/ml/output/message"
_HOST = {"current_host": "algo-1", "hosts": ["algo-1"]}


class ProcessingJobs:
    """Runs processing jobs, one a call, and knows all of them."""

    def __init__(self, settings: EngineSettings, clients: Callable[[str], Any]) -> None:
        self.store = JobStore("Processing")
        self._settings = settings
        self._clients = clients

    def create(self, request: Mapping[str, Any]) -> str:
        """Accept a CreateProcessingJob request. Returns the job's ARN. Raises StepFailed when it is refused."""
        check_processing_request(request)
        name = request["ProcessingJobName"]
        arn = f"arn:aws:sagemaker:{self._settings.region}:{self._settings.account}:processing-job/{name}"
        description = {**request, "ProcessingJobArn": arn, "ProcessingJobStatus": "InProgress"}
        description.pop("Tags", None)
        self.store.create(name, description)
        return arn

    def run(self, name: str, stop: Stop) -> dict[str, Any]:
        """Run a created job to its end; return its description.

        Raises:
            StepFailed: the job failed.
            StepStopped: `stop` was set.
        """
        description = self.store.describe(name)
        try:
            log = JobLog(job=name, group=_LOG_GROUP, clients=self._clients, seconds=self._settings.log_seconds)
            with open_job(name, settings=self._settings, clients=self._clients, stop=stop, log=log) as job:
                self._run(job, description)
        except StepStopped:
            self._end(name, "Stopped")
            raise
        except JobTimedOut as failure:
            self._end(name, "Stopped", FailureReason=failure.reason)
            raise
        except StepFailed as failure:
            self._end(name, "Failed", FailureReason=failure.reason)
            raise
        self._end(name, "Completed")
        return self.store.describe(name)

    def _run(self, job: Job, description: Mapping[str, Any]) -> None:
        job.folder.write_json("/opt/ml/config/processingjobconfig.json", description)
        job.folder.write_json("/opt/ml/config/resourceconfig.json", _HOST)
        job.folder.inside(_MESSAGE).parent.mkdir(parents=True, exist_ok=True)
        outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", [])
        for item in description.get("ProcessingInputs", []):
            folder = job.folder.inside(item["S3Input"]["LocalPath"])
            folder.mkdir(parents=True, exist_ok=True)
            job.download(item["S3Input"], folder)
        for item in outputs:
            job.folder.inside(item["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)
        continuous = [self._sync(job, item) for item in outputs if item["S3Output"]["S3UploadMode"] == "Continuous"]
        with ExitStack() as stack:
            for sync in continuous:
                stack.enter_context(sync)
            result = self._run_container(job, description)
        # Before the job's own end is looked at: what it wrote until then is there also when it failed.
        lost = [failure for sync in continuous if (failure := sync.upload_last())]
        self._check(job, description, result)
        if lost:
            raise lost[0]
        for item in outputs:
            if item["S3Output"]["S3UploadMode"] == "EndOfJob":
                job.s3.upload_tree(job.folder.inside(item["S3Output"]["LocalPath"]), item["S3Output"]["S3Uri"])

    def _sync(self, job: Job, item: Mapping[str, Any]) -> FolderSync:
        return FolderSync(
            s3=S3Transfer(self._clients("s3"), lambda: None),
            folder=job.folder.inside(item["S3Output"]["LocalPath"]),
            uri=item["S3Output"]["S3Uri"],
            seconds=self._settings.sync_seconds,
        )

    def _run_container(self, job: Job, description: Mapping[str, Any]) -> Result:
        application = description["AppSpecification"]
        self.store.update(job.name, ProcessingStartTime=datetime.now(UTC))
        result = job.run(
            [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])],
            environment=description.get("Environment", {}),
            folder=job.folder.home,
            isolated=bool(description.get("NetworkConfig", {}).get("EnableNetworkIsolation")),
            limit_seconds=_limit(description),
        )
        if result.ending is Ending.STOPPED:
            self.store.update(job.name, ProcessingJobStatus="Stopping")
        return result

    def _check(self, job: Job, description: Mapping[str, Any], result: Result) -> None:
        message = None if result.ending is Ending.STOPPED else job.folder.read_message(_MESSAGE)
        if message is not None:
            self.store.update(job.name, ExitMessage=message)
        check_result(result, message)
        if result.ending is Ending.TIMED_OUT:
            raise JobTimedOut(_limit(description))

    def _end(self, name: str, status: str, **members: Any) -> None:
        self.store.update(name, ProcessingJobStatus=status, ProcessingEndTime=datetime.now(UTC), **members)


def _limit(description: Mapping[str, Any]) -> float:
    return float(description.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DEFAULT_LIMIT_SECONDS))
