"""The shipped task clinical_notes with candidates of one's own."""

from pathlib import Path
from typing import Any

import yaml

from stacks.config import TASKS_FOLDER

CLINICAL_NOTES = TASKS_FOLDER / "clinical_notes.yaml"

_PROMPTED: dict[str, Any] = {"prompt": "Note: {input}", "max_new_tokens": 64}
IN_BUCKET: dict[str, Any] = {
    **{"name": "in-bucket", "kind": "foundation", **_PROMPTED},
    "model": {"source": "s3", "s3_uri": "s3://{bucket}/models/small"},
}
FROM_HUB: dict[str, Any] = {
    **{"name": "from-hub", "kind": "foundation", **_PROMPTED},
    "model": {"source": "huggingface", "id": "owner/model"},
}
ENDPOINT: dict[str, Any] = {
    **{"name": "endpoint", "kind": "foundation", **_PROMPTED},
    "endpoint": "jumpstart-model",
}
BEDROCK: dict[str, Any] = {
    **{"name": "bedrock", "kind": "bedrock", **_PROMPTED},
    "model_id": "us.maker.model-v1:0",
}
FINE_TUNED: dict[str, Any] = {
    "name": "last-year",
    "kind": "fine_tuned",
    "s3_uri": "s3://elsewhere/models/bart/model.tar.gz",
}
HANDLER: dict[str, Any] = {"name": "handler", "kind": "custom", "handler": "handlers/own"}
CONTAINER: dict[str, Any] = {"name": "container", "kind": "custom", "endpoint": "own-container"}


def write_task(folder: Path, *candidates: dict[str, Any], **changed: object) -> Path:
    """A copy of the task in `folder` with these candidates and a handler beside it; `...` takes a setting away."""
    content = yaml.safe_load(CLINICAL_NOTES.read_text(encoding="utf-8"))
    del content["stages"]
    content |= {"candidates": list(candidates), **changed}
    file = folder / CLINICAL_NOTES.name
    file.write_text(
        yaml.safe_dump({name: value for name, value in content.items() if value is not ...}), encoding="utf-8"
    )
    handler = folder / "handlers" / "own" / "inference.py"
    handler.parent.mkdir(parents=True, exist_ok=True)
    handler.write_text("def predict_fn(data, model): ...\n", encoding="utf-8")
    return file


def without_answer() -> dict[str, Any]:
    """The task's machines but for the one that candidates need."""
    jobs: dict[str, Any] = yaml.safe_load(CLINICAL_NOTES.read_text(encoding="utf-8"))["jobs"]
    return {name: compute for name, compute in jobs.items() if name != "answer"}
