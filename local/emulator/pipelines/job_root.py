"""The folder below which jobs have theirs: one engine's at a time, and empty when it starts."""

import fcntl
from pathlib import Path

from local.emulator.errors import ResourceInUse
from local.emulator.pipelines.job_folder import JobFolder

LOCK = ".lock"


class JobRoot:
    """Holds the folder from its making until `release`, or until its process ends in whatever way."""

    def __init__(self, root: Path) -> None:
        """Take the folder, and remove what an engine that was killed left in it: that may hold clinical text.

        Raises:
            ResourceInUse: another engine holds it.
        """
        root.mkdir(parents=True, exist_ok=True)
        self._lock = (root / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise ResourceInUse(f"{root} is used by another local SageMaker; give each a folder of its own") from error
        for left in root.iterdir():
            if left.is_dir():
                JobFolder(root, left.name).remove()

    def release(self) -> None:
        self._lock.close()
