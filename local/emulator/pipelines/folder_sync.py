"""Folders that S3 sees while a job still runs: checkpoints of training jobs, continuous outputs of processing jobs."""

import logging
import threading
from pathlib import Path

from local.emulator.pipelines.failures import StepFailed
from local.emulator.pipelines.s3_transfer import S3Transfer

logger = logging.getLogger(__name__)


class FolderSync:
    """Uploads new and changed files of a folder while a job runs, and once more when its process has ended.

    As on AWS, a file that the job deletes stays in S3. Use as a context manager around the job's process; then call
    `upload_last`. `s3` must not end early when the job is stopped: what the folder holds then matters most.
    """

    def __init__(self, *, s3: S3Transfer, folder: Path, uri: str, seconds: float) -> None:
        self._s3 = s3
        self._folder = folder
        self._uri = uri.rstrip("/")
        self._seconds = seconds
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name=f"upload {folder.name}", daemon=True)

    def restore(self) -> int:
        """Download what an earlier job left. Returns the number of files. Raises StepFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        count = self._s3.restore(self._uri, self._folder)
        self._uploaded = self._look()
        return count

    def __enter__(self) -> "FolderSync":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def upload(self) -> None:
        """Upload what is new since the last time. Raises StepFailed."""
        for path, state in self._look().items():
            if self._uploaded.get(path) == state:
                continue
            try:
                self._s3.upload_file(path, f"{self._uri}/{path.relative_to(self._folder).as_posix()}")
            except FileNotFoundError:
                continue  # The job removed it in the meantime, such as an older checkpoint.
            self._uploaded[path] = state

    def upload_last(self) -> StepFailed | None:
        """Upload what is still missing at the job's end. A failure is returned: the job's own end comes first."""
        try:
            self.upload()
        except StepFailed as failure:
            return failure
        return None

    def _look(self) -> dict[Path, tuple[int, int]]:
        states = {}
        for path in sorted(self._folder.rglob("*")):
            try:
                if path.is_file():
                    status = path.stat()
                    states[path] = (status.st_mtime_ns, status.st_size)
            except FileNotFoundError:
                continue
        return states

    def _repeat(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self.upload()
            except StepFailed as failure:
                # The next round tries again; what is still missing at the end fails the job.
                logger.warning("%s is not up to date yet: %s", self._uri, failure.reason)
