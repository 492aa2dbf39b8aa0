"""Make of what JumpStart's training script left the model directory that the steps after it and the endpoint know.

    python3 -m training.package_model --trained DIR --base DIR --training-job NAME --output DIR

Reads the training job's `model.tar.gz` (`--trained`: the files of `save_pretrained`, beside whatever else the script
adds) and the staged model directory that the training started from (`--base`: how the model is asked and decodes).
Writes `model.tar.gz`, a packed model directory (training/model_directory.py), and package_model_arguments.json to
`--output`.
"""

import dataclasses
import gzip
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging as transformers_logging

from training.errors import ArgumentError, ModelError
from training.job import run_job, save_arguments
from training.model_directory import ARCHIVE, finish_model_directory, read_model_card, unpacked_model
from training.model_import import import_model

GENERATION_CONFIG = "generation_config.json"
# Weights hardly get smaller at any level, and the higher ones take minutes for them.
COMPRESSION_LEVEL = 1


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """`training_job` is the name of the job that trained the model, for the model card."""

    trained: Path
    base: Path
    training_job: str
    output: Path
    message_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.training_job:
            raise ArgumentError("training_job must name the job that trained the model")


def main(arguments: Arguments) -> None:
    """Package the model.

    Raises:
        ModelError: the job left no usable sequence-to-sequence model, or the base model is not what StageModel writes.
    """
    transformers_logging.disable_progress_bar()
    save_arguments(arguments, arguments.output / "package_model_arguments.json")
    with tempfile.TemporaryDirectory(prefix="package-") as folder, unpacked_model(arguments.base) as base:
        directory = Path(folder)
        base_card = read_model_card(base)
        import_model(arguments.trained, directory)
        # As the task decodes, which StageModel wrote there: JumpStart's script does not know of it.
        shutil.copyfile(base / GENERATION_CONFIG, directory / GENERATION_CONFIG)
        card = finish_model_directory(
            directory,
            dataclasses.replace(
                base_card,
                description=f"fine-tuned by JumpStart's script from: {base_card.description}",
                training={"job": arguments.training_job},
            ),
        )
        if card.weights_sha256 == base_card.weights_sha256:
            raise ModelError(f"job {arguments.training_job} left the weights that it started from: nothing was trained")
        pack_model(directory, arguments.output / ARCHIVE)
    print(f"packaged: {card.description}; weights sha256 {card.weights_sha256}", flush=True)


def pack_model(directory: Path, archive: Path) -> None:
    """A .tar.gz of what `directory` holds: the same bytes for the same files."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION_LEVEL, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in sorted(directory.rglob("*")):
            tar.add(path, path.relative_to(directory).as_posix(), recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    run_job(Arguments, main)
