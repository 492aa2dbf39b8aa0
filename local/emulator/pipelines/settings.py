"""What the engine is told once, when the local AWS starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Job folders' paths are substituted into shell commands (`bash -c "cd /opt/ml/..."`), where anything else would split.
_SHELL_SAFE = re.compile(r"[\w./+@%=:,-]+")


@dataclass(frozen=True)
class EngineSettings:
    """Where and how jobs run.

    `root` is the folder below which job folders come and go; it is this engine's alone, and emptied when it starts.
    `python` is the interpreter that stands for the one in the containers. Raises ValueError for a value out of range.
    """

    root: Path
    python: Path
    region: str
    account: str
    # Most steps of one execution that run at the same time; the execution's own configuration may only lower it.
    parallel_steps: int = 2
    # From SIGTERM to SIGKILL. SageMaker gives 120 seconds; nobody waits that long at a terminal.
    stop_seconds: float = 10.0
    # At most this long until a line of a job is in CloudWatch Logs.
    log_seconds: float = 1.0
    # From one upload of checkpoints and continuous outputs to the next.
    sync_seconds: float = 15.0
    # What every job's process gets besides, such as variables that this machine's processor needs.
    job_environment: Mapping[str, str] = field(default_factory=dict)
    # What the process of a job with network gets besides, to call AWS.
    network_environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.root.is_absolute() or not _SHELL_SAFE.fullmatch(str(self.root)):
            raise ValueError(
                f"root must be an absolute path of letters, digits and ./+@%=:,-_ only, got {str(self.root)!r}"
            )
        if not self.python.is_absolute():
            raise ValueError(f"python must be an absolute path, got {str(self.python)!r}")
        if self.parallel_steps < 1:
            raise ValueError(f"parallel_steps must be >= 1, got {self.parallel_steps}")
        for name in ("stop_seconds", "log_seconds", "sync_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
