"""FineTune with JumpStart's own script, and Package, which makes of what it leaves a model like any other."""

from typing import Any

from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.config import SummaryTask
from stacks.config.summary import SummaryTraining
from stacks.jumpstart import BATCH_SIZE, EPOCHS, LEARNING_RATE, LockedModel
from stacks.pipeline.authoring import CODE_CHANNEL, PROCESSING, FineTuned, PipelineAuthor, output_of, s3_prefix, text_of
from stacks.pipeline.placeholders import role

# What the script must do whatever the task says, where its version has the setting: read the template, and train on
# the prompt as the endpoint asks it, without words of its own around it.
_FIXED = {"instruction_tuned": "True", "add_input_output_demarcation_key": "False"}


def jumpstart_fine_tune(
    author: PipelineAuthor, task: SummaryTask, model: LockedModel, prepared: ProcessingStep, staged: ProcessingStep
) -> FineTuned:
    """The steps that tune JumpStart's model on the prepared records and package the result.

    The script takes its model from JumpStart's own artefact (channel `model`), not from the staged directory: that is
    what it knows to read. It splits validation records off the channel `training` by itself.
    """
    step = author.fine_tuning(
        "FineTune",
        image=model.training.image,
        program=model.training.entry_point,
        archive=model.training.script.rpartition("/")[2],
        hyperparameters=_hyperparameters(author, task.training, model),
        channels={
            "training": output_of(prepared, "train"),
            "model": model.training.artefact,
            CODE_CHANNEL: model.training.script,
        },
    )
    package = author.processing(
        "Package",
        "training.package_model",
        # Loads and saves a model, as StageModel does.
        task.jobs.stage_model,
        role=role("package"),
        inputs={
            "trained": s3_prefix(step.properties.ModelArtifacts.S3ModelArtifacts),
            "base": s3_prefix(output_of(staged, "model")),
        },
        outputs={"model": author.run_folder("packaged")},
        arguments={
            "trained": f"{PROCESSING}/input/trained",
            "base": f"{PROCESSING}/input/base",
            "training-job": step.properties.TrainingJobName,
            "output": f"{PROCESSING}/output/model",
        },
    )
    archive = Join(on="/", values=[output_of(package, "model"), "model.tar.gz"])
    return FineTuned(steps=[step, package], model=archive, output=None)


def _hyperparameters(author: PipelineAuthor, training: SummaryTraining, model: LockedModel) -> dict[str, Any]:
    """The script's defaults, with what the task sets under the names that this version has for it."""
    locked = model.training
    where_present = {**_FIXED, "max_input_length": text_of(training.max_input_tokens), "seed": text_of(training.seed)}
    return {
        **locked.hyperparameters,
        **{name: value for name, value in where_present.items() if name in locked.hyperparameters},
        locked.name_of(EPOCHS): author.parameters.epochs.to_string(),
        locked.name_of(LEARNING_RATE): text_of(training.learning_rate),
        locked.name_of(BATCH_SIZE): text_of(training.train_batch_size),
    }
