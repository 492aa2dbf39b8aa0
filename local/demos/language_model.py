"""The model of the examples that writes texts, where their task files look for it."""

from pathlib import Path

from local.packaged_models import language_model
from local.stage import LocalStage

# As the task files name it for the stage local: s3://{bucket}/<this>.
LANGUAGE_MODEL_KEY = "models/SmolLM2-135M-Instruct"


def provide_language_model(stage: LocalStage, folder: Path) -> None:
    """Put it into the stage's bucket; downloaded below `folder` once.

    Raises:
        LocalError: it cannot be had.
    """
    model = language_model(folder)
    stage.put(model, f"{LANGUAGE_MODEL_KEY}/{model.name}")
