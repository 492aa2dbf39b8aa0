"""Which checkpoint a killed training may go on from.

A kill can hit while a checkpoint is being written, and SageMaker copies the folder file by file. So a checkpoint counts
only when its last file, `complete.json`, is there and names every other file with its size, and only for the training
that wrote it.
"""

import json
import shutil
from pathlib import Path

from training.errors import ModelError

MARKER = "complete.json"
CURVE = "training_curve.jsonl"


def complete_checkpoint(checkpoint: Path, identity: str, curve: Path) -> None:
    """Put the training curve so far into `checkpoint` and mark it as complete. `identity` tells trainings apart."""
    shutil.copyfile(curve, checkpoint / CURVE)
    sizes = {path.name: path.stat().st_size for path in checkpoint.iterdir() if path.is_file()}
    partial = checkpoint / f"{MARKER}.partial"
    partial.write_text(json.dumps({"identity": identity, "files": sizes}), encoding="utf-8")
    partial.replace(checkpoint / MARKER)


def newest_checkpoint(folder: Path, identity: str) -> Path | None:
    """The newest complete checkpoint in `folder`; half-written ones are removed.

    Raises:
        ModelError: a checkpoint belongs to a training with other arguments or other data.
    """
    newest = None
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_step):
        if not _is_complete(checkpoint):
            shutil.rmtree(checkpoint)
            continue
        marker = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
        if marker["identity"] != identity:
            raise ModelError(
                f"{checkpoint.name} was written by a training with other arguments or other data; "
                "give each training a checkpoint folder of its own"
            )
        newest = checkpoint
    return newest


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _is_complete(checkpoint: Path) -> bool:
    try:
        sizes = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))["files"]
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return all(
        (checkpoint / name).exists() and (checkpoint / name).stat().st_size == size for name, size in sizes.items()
    )
