"""Bring the model that writes examples into the run's own storage, as its makers publish it.

    python3 -m training.stage_generator --model-id tiiuae/falcon-7b --revision COMMIT --output DIR

Uses the network, and reads nothing else. Writes the files of the model's repository that a causal language model is
loaded from, and the arguments to `--output`/stage_generator_arguments.json. Without a revision the newest commit is
taken, which the arguments then name.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.errors import ArgumentError
from training.hub_commit import newest_commit
from training.hub_download import COMMIT, Download, commit_of, download_model
from training.job import run_job, save_arguments


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`revision` None means the newest commit."""

    model_id: str
    output: Path
    revision: str | None = None
    message_file: Path | None = None

    def __post_init__(self) -> None:
        pattern, wanted = COMMIT
        if self.revision is not None and not pattern.fullmatch(self.revision):
            raise ArgumentError(f"revision must be {wanted}, got {self.revision!r}")


def main(arguments: Arguments, download: Download | None = None, newest: Callable[[str], str] = newest_commit) -> None:
    """Stage the model. `download` stands for huggingface_hub.snapshot_download.

    Raises:
        ModelError: it cannot be downloaded.
    """
    revision = arguments.revision or commit_of(arguments.model_id, newest)
    arguments = dataclasses.replace(arguments, revision=revision)
    arguments.output.mkdir(parents=True, exist_ok=True)
    download_model(arguments.model_id, revision, arguments.output, download)
    save_arguments(arguments, arguments.output / "stage_generator_arguments.json")
    print(f"staged: {arguments.model_id} at revision {revision} of the Hugging Face hub", flush=True)


if __name__ == "__main__":
    run_job(Arguments, main)
