"""The shipped task adverse events with models and trainings so small that a run takes seconds, and texts for it."""

import json
from pathlib import Path

import yaml

from local.stage import LocalStage
from stacks.config import TASKS_FOLDER
from tests.training.tiny_encoder import NEGATIVE, POSITIVE, build_tiny_encoder, labelled_texts
from tests.training.tiny_writer import build_tiny_writer
from training.model_directory import MODEL_CARD

EVENT_TASK = "adverse_events"
_ENCODER, _WRITER = "models/tiny-encoder", "models/tiny-writer"


def write_event_task(folder: Path) -> None:
    """Write the task file; everything that is not about size is as shipped."""
    task = yaml.safe_load((TASKS_FOLDER / f"{EVENT_TASK}.yaml").read_text(encoding="utf-8"))
    task["labels"] = {"positive": POSITIVE, "negative": NEGATIVE}
    local = task["stages"]["local"]
    local["model"]["s3_uri"] = f"s3://{{bucket}}/{_ENCODER}"
    local["training"] |= {
        "epochs": 4.0,
        "pooling": "first",
        "max_seq_length": 48,
        "train_batch_size": 8,
        "class_weight": "balanced",
    }
    local["search"] |= {
        "jobs": 2,
        "parallel_jobs": 2,
        "learning_rate": [0.006, 0.009],
        "max_seq_length": [48],
        "train_batch_size": [8],
    }
    local["synthetic"]["model"]["s3_uri"] = f"s3://{{bucket}}/{_WRITER}"
    local["synthetic"] |= {"count": 2, "max_new_tokens": 16, "max_seconds": 10}
    local["stream"] = {"notice_probability": 0.5}
    (folder / f"{EVENT_TASK}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")


def provide_event_models(stage: LocalStage, folder: Path) -> None:
    """Put the encoder and the model that writes examples where the task looks for them."""
    for model, key in (
        (build_tiny_encoder(folder / "encoder", max_input_tokens=48), _ENCODER),
        (build_tiny_writer(folder / "writer"), _WRITER),
    ):
        for file in model.iterdir():
            # As somebody else publishes a model: without this project's card and code.
            if file.is_file() and file.name != MODEL_CARD:
                stage.put(file, f"{key}/{file.name}")


def write_events(path: Path, count: int, start: int = 0) -> Path:
    """Labelled texts to upload; two neighbours are of one article."""
    lines = [
        {"text": record["input"], "label": record["target"], "article": record["patient"]}
        for record in labelled_texts(count, start)
    ]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path
