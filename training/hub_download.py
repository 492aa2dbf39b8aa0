"""Fetching a model's files from the Hugging Face hub, at one commit."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.errors import ModelError
from training.model_import import PICKLED_WEIGHTS, SAFE_WEIGHTS, TEXT_FILES

# (pattern, how that is said)
COMMIT = (
    re.compile(r"[0-9a-f]{40}"),
    "a commit of 40 lower-case hexadecimal digits (a branch or tag can move)",
)
# Stands for huggingface_hub.snapshot_download.
Download = Callable[..., Any]


def commit_of(model_id: str, newest: Callable[[str], str]) -> str:
    """The commit that `newest` says.

    Raises:
        ModelError: the hub cannot be asked.
    """
    try:
        return newest(model_id)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"the hub does not say at which commit {model_id} is: {type(error).__name__}") from error


def download_model(model_id: str, revision: str, output: Path, download: Download | None) -> None:
    """Fetch tokenizer, configuration and weights into `output`, safetensors if there are any; never code.

    Raises:
        ModelError: they cannot be fetched.
    """
    if download is None:
        from huggingface_hub import snapshot_download  # only jobs that fetch a model need it

        download = snapshot_download
    place = {"repo_id": model_id, "revision": revision, "local_dir": output}
    try:
        download(**place, allow_patterns=[*TEXT_FILES, SAFE_WEIGHTS])
        if not list(output.glob(SAFE_WEIGHTS)):
            download(**place, allow_patterns=[PICKLED_WEIGHTS])
    except (OSError, ValueError) as error:  # huggingface_hub's errors are one or the other
        raise ModelError(f"{model_id} at {revision} cannot be downloaded: {type(error).__name__}") from error
    shutil.rmtree(output / ".cache", ignore_errors=True)  # huggingface_hub's own records
