"""What processing and training jobs have in common: their folder, their log, their process, their end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.emulator.pipelines.container import Result, Stop, run_container
from local.emulator.pipelines.failures import StepFailed, StepStopped
from local.emulator.pipelines.isolation import isolation_prefix
from local.emulator.pipelines.job_folder import JobFolder
from local.emulator.pipelines.job_log import JobLog
from local.emulator.pipelines.s3_transfer import S3Transfer
from local.emulator.pipelines.settings import EngineSettings

DEFAULT_LIMIT_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Job:
    """One running job."""

    name: str
    folder: JobFolder
    log: JobLog
    s3: S3Transfer
    stop: Stop
    settings: EngineSettings

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        isolated: bool,
        limit_seconds: float,
    ) -> Result:
        """Run the job's command, paths below /opt/ml substituted in it and in `environment`.

        `isolated`: without network where this machine can do that; where it cannot, the log says so.

        Raises:
            StepFailed: the command cannot be started.
        """
        prefix = isolation_prefix(self.settings.python) if isolated else ()
        if prefix is None:
            self.log.line("Network isolation is not available on this machine: this job could reach the network.")
        if isolated:
            # Libraries then fail at once instead of trying again and again to reach a hub.
            environment = {"HF_HUB_OFFLINE": "1", **environment}
        else:
            environment = {**self.settings.network_environment, **environment}
        return run_container(
            [*(prefix or ()), *self.folder.substitute(list(command))],
            environment=self.folder.environment(self.settings, environment),
            folder=folder,
            log=self.log,
            stop=self.stop,
            limit_seconds=limit_seconds,
            stop_seconds=self.settings.stop_seconds,
        )

    def download(self, source: Mapping[str, Any], folder: Path) -> None:
        """An S3Input or S3DataSource to `folder`. With one instance, ShardedByS3Key is everything."""
        if source["S3DataType"] == "ManifestFile":
            self.s3.download_manifest(source["S3Uri"], folder)
        else:
            self.s3.download_prefix(source["S3Uri"], folder)


@contextmanager
def open_job(
    name: str,
    *,
    settings: EngineSettings,
    clients: Callable[[str], Any],
    stop: Stop,
    log: JobLog,
) -> Iterator[Job]:
    """A job's folder and log, from its making to its removal; whatever happens, the folder goes."""
    folder = JobFolder(settings.root, name)

    def checkpoint() -> None:
        if stop.is_set():
            raise StepStopped("the execution was stopped")

    try:
        folder.create(settings.python)
        with log:
            yield Job(name, folder, log, S3Transfer(clients("s3"), checkpoint), stop, settings)
    except OSError as error:
        # The disk is full, or a file of the job cannot be read. The file's name may be the job's own; it stays out.
        raise StepFailed(f"InternalServerError: the job's files cannot be handled: {error.strerror}") from error
    finally:
        folder.remove()
