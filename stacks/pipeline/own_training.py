"""FineTune with this project's own script, training/fine_tune.py."""

import hashlib
import json

from sagemaker.core.shapes import CheckpointConfig
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.pipeline.authoring import CODE_CHANNEL, SIMILAR, FineTuned, PipelineAuthor, output_of, source_uri, text_of
from stacks.pipeline.placeholders import PLACEHOLDERS
from stacks.pipeline.source_archive import TRAINING_PROGRAM

CHECKPOINTS = "/opt/ml/checkpoints"


def fine_tune(author: PipelineAuthor, prepare: ProcessingStep, staged: ProcessingStep) -> FineTuned:
    """The step that tunes the staged model on the prepared records."""
    task = author.task
    step = author.fine_tuning(
        program=TRAINING_PROGRAM,
        archive=PLACEHOLDERS.source_file,
        hyperparameters={
            "prompt_template": json.dumps(task.prompt),
            "epochs": author.parameters.epochs.to_string(),
            **{name: text_of(value) for name, value in task.training.model_dump(exclude={"epochs"}).items()},
            **{name: text_of(value) for name, value in task.generation.decoding.items()},
            "checkpoints": CHECKPOINTS,
        },
        channels={
            "train": output_of(prepare, "train"),
            "validation": output_of(prepare, "validation"),
            **({SIMILAR: output_of(prepare, SIMILAR)} if task.retrieval else {}),
            "model": output_of(staged, "model"),
            CODE_CHANNEL: source_uri(),
        },
        checkpoints=CheckpointConfig(s3_uri=_checkpoints(author), local_path=CHECKPOINTS),
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


def _checkpoints(author: PipelineAuthor) -> Join:
    """S3 prefix of the checkpoints of one training: of these settings, epochs and data version.

    Not of the run: where checkpoints lie is part of a step's identity, so that a training could never be taken
    from the cache, and a training that was stopped after hours would begin anew in the next run.
    """
    task = author.task
    settings = {
        "prompt": task.prompt,
        "model": task.model.model_dump(),
        "training": task.training.model_dump(exclude={"epochs"}),
        "generation": task.generation.model_dump(),
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    root = f"s3://{PLACEHOLDERS.bucket}/runs/{task.name}/checkpoints/{digest}"
    return Join(on="/", values=[root, author.parameters.epochs, author.parameters.data_version])
