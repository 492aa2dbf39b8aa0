"""What the server is told when it starts, and what is fixed."""

from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Settings:
    """The command line of `local.emulator.server`, all paths absolute.

    `model_server` is a script that stands for `local.model_server`; tests give one. `quicksight` says whether the
    account has a QuickSight subscription.
    """

    state: Path
    job_python: Path
    port: int
    model_server: Path | None
    quicksight: bool

    @property
    def model_server_command(self) -> tuple[str, ...]:
        script = ("-m", "local.model_server") if self.model_server is None else (str(self.model_server),)
        return (str(self.job_python), *script)
