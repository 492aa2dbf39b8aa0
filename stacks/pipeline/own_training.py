"""FineTune with this project's own scripts, training/fine_tune*.py."""

import hashlib
import json
from typing import Any

from sagemaker.core.shapes import CheckpointConfig
from sagemaker.core.workflow.functions import Join

from stacks.pipeline.authoring import CODE_CHANNEL, FineTuned, PipelineAuthor, source_uri
from stacks.pipeline.placeholders import PLACEHOLDERS

CHECKPOINTS = "/opt/ml/checkpoints"


def fine_tune(
    author: PipelineAuthor,
    name: str,
    program: str,
    *,
    hyperparameters: dict[str, Any],
    channels: dict[str, Any],
    settings: dict[str, Any] | None,
) -> FineTuned:
    """A step that trains by `program` of the code archive.

    `settings`, epochs and data version are what makes a training another training. None: what it trains by is known
    only when the pipeline runs, so it leaves no checkpoints for the next run to go on from.
    """
    step = author.fine_tuning(
        name,
        program=program,
        archive=PLACEHOLDERS.source_file,
        hyperparameters={
            "epochs": author.parameters.epochs.to_string(),
            **hyperparameters,
            "checkpoints": CHECKPOINTS,
        },
        channels={**channels, CODE_CHANNEL: source_uri()},
        checkpoints=(
            None
            if settings is None
            else CheckpointConfig(s3_uri=_checkpoints(author, settings), local_path=CHECKPOINTS)
        ),
    )
    return FineTuned(
        steps=[step],
        model=step.properties.ModelArtifacts.S3ModelArtifacts,
        output=Join(
            on="/",
            values=[
                # As the job itself says: a step that was taken from the cache wrote into an earlier run's folder.
                step.properties.OutputDataConfig.S3OutputPath,
                step.properties.TrainingJobName,
                "output/output.tar.gz",
            ],
        ),
    )


def _checkpoints(author: PipelineAuthor, settings: dict[str, Any]) -> Join:
    """S3 prefix of the checkpoints of one training: of these settings, epochs and data version.

    Not of the run: where checkpoints lie is part of a step's identity, so that a training could never be taken
    from the cache, and a training that was stopped after hours would begin anew in the next run.
    """
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    root = f"s3://{PLACEHOLDERS.bucket}/runs/{author.task.name}/checkpoints/{digest}"
    return Join(on="/", values=[root, author.parameters.epochs, author.parameters.data_version])
