"""Steps that the pipelines of every kind of task have, and how they hang together."""

from dataclasses import dataclass, field
from typing import Any

from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.shapes import ProcessingS3Input
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep
from sagemaker.serve import ModelBuilder

from stacks.config import Model
from stacks.pipeline.authoring import (
    PROCESSING,
    SERVICE_RETRY,
    FineTuned,
    PipelineAuthor,
    output_of,
    s3_prefix,
)
from stacks.pipeline.images import inference_image
from stacks.pipeline.placeholders import PLACEHOLDERS, role

# What the gate looks at.
REPORT = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The steps of a task's pipeline but for the gate, in order, and those among them that registering refers to.

    `candidates` stage further models that a search tries; `predictions` is the S3 prefix of what the fine-tuned model
    answered to the evaluation sets, in the step `answered`. `compared` are beside the gate, which does not wait for
    them.
    """

    staged: ProcessingStep
    candidates: list[ProcessingStep] = field(default_factory=list)
    prepare: ProcessingStep
    tuned: FineTuned
    others: list[Any]
    answered: ProcessingStep
    predictions: Any
    evaluate: ProcessingStep
    compared: list[ProcessingStep] = field(default_factory=list)

    def judged(self) -> list[Any]:
        """Every step up to the judgement of the model; `compared` are the others."""
        return [
            self.staged,
            *self.candidates,
            self.prepare,
            *self.tuned.steps,
            *self.others,
            self.answered,
            self.evaluate,
        ]


def prepare(author: PipelineAuthor, written: tuple[str, ...], arguments: dict[str, Any]) -> ProcessingStep:
    """Read the uploads. `written` are the folders that are uploaded once all is well; `arguments` are the kind's."""
    task = author.task
    return author.processing(
        "Prepare",
        "training.prepare",
        task.jobs.prepare,
        role=role("prepare"),
        # The manifest names the training files and evaluation sets of this data version.
        inputs={
            "uploads": ProcessingS3Input(
                s3_uri=author.parameters.manifest, s3_data_type="ManifestFile", s3_input_mode="File"
            )
        },
        outputs={name: author.run_folder(f"prepared/{name}") for name in written},
        # What was set aside is written as it is found, so that a run that stops for it still shows it.
        continuous_outputs={name: author.run_folder(f"prepared/{name}") for name in ("quarantine", "report")},
        arguments={
            "uploads": f"{PROCESSING}/input/uploads",
            "output": f"{PROCESSING}/output",
            "input-field": task.fields.input,
            "target-field": task.fields.target,
            "validation-fraction": task.data.validation_fraction,
            "holdout-fraction": task.data.holdout_fraction,
            "max-bad-share": task.data.max_bad_share,
            "seed": task.data.seed,
            **arguments,
        },
    )


def stage_model(
    author: PipelineAuthor,
    arguments: dict[str, Any],
    inputs: dict[str, ProcessingS3Input] | None = None,
    *,
    name: str = "StageModel",
    model: Model | None = None,
    folder: str = "staged",
) -> ProcessingStep:
    """Bring a model to start from into the run's storage, as `arguments` say. `inputs` are channels of the job.

    `model` None means the task's own.
    """
    model = model or author.task.model
    inputs = dict(inputs or {})
    source: dict[str, Any] = {"source": model.source, "output": f"{PROCESSING}/output/model"}
    if model.source == "huggingface":
        source |= {"model-id": model.id, "revision": model.revision or ""}
    elif model.source == "s3":
        inputs["model"] = s3_prefix(author.model_uri(model))
        source["model"] = f"{PROCESSING}/input/model"
    return author.processing(
        name,
        "training.stage_model",
        author.task.jobs.stage_model,
        role=role("stage_model"),
        inputs=inputs,
        outputs={"model": author.run_folder(folder)},
        arguments={**source, **arguments},
        # The only job with network, and only where a model comes from the hub.
        isolated=model.source != "huggingface",
    )


def evaluate(
    author: PipelineAuthor,
    module: str,
    prepare: ProcessingStep,
    sources: dict[str, Any],
    arguments: dict[str, Any],
    inside: dict[str, str] | None = None,
) -> ProcessingStep:
    """Score what `sources` hold: the arguments of the script that name folders, and what lies in them.

    Where a source holds several folders, `inside` names those instead: argument -> path that begins with the source.
    """
    inside = inside or {}
    whole = {"eval", "report", *(path.partition("/")[0] for path in inside.values())}
    sources = {
        "eval": output_of(prepare, "eval"),
        "report": output_of(prepare, "report"),
        "train": output_of(prepare, "train"),
        **sources,
        "champion": author.parameters.champion,
    }
    return author.processing(
        "Evaluate",
        module,
        author.task.jobs.evaluate,
        role=role("evaluate"),
        inputs={name: s3_prefix(uri) for name, uri in sources.items()},
        outputs={
            "evaluation": author.run_folder("evaluation"),
            "tables": f"s3://{PLACEHOLDERS.bucket}/tables",
        },
        arguments={
            "task": author.task.name,
            "run-id": ExecutionVariables.PIPELINE_EXECUTION_ID,
            "started-at": ExecutionVariables.START_DATETIME,
            # Prepare's outputs, each in its own folder below: eval, report and (given once more) train.
            "prepared": f"{PROCESSING}/input",
            **{name: f"{PROCESSING}/input/{name}" for name in sources if name not in whole},
            **{name: f"{PROCESSING}/input/{path}" for name, path in inside.items()},
            "output": f"{PROCESSING}/output/evaluation",
            "tables": f"{PROCESSING}/output/tables",
            **arguments,
            "seed": author.task.data.seed,
        },
        property_files=[REPORT],
        # Its rows are those of this run, so they are written anew in each run.
        cached=False,
    )


def register(author: PipelineAuthor, steps: Steps) -> ModelStep:
    """Put the model into the registry, with what it was measured by."""
    evaluation = Join(on="/", values=[output_of(steps.evaluate, "evaluation"), "evaluation.json"])
    serving = author.task.serving.live
    builder = ModelBuilder(
        image_uri=inference_image(author.stage.region, serving.instance_type),
        role_arn=role("pipeline"),
        s3_model_data_url=steps.tuned.model,
        sagemaker_session=author.session,
        env_vars={
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            # One copy of the model an instance, as a large model needs all of its GPU.
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "TS_DEFAULT_WORKERS_PER_MODEL": "1",
        },
    )
    arguments = builder.register(
        content_types=["application/json"],
        response_types=["application/json"],
        inference_instances=[serving.instance_type],
        transform_instances=[serving.instance_type],
        model_package_group_name=author.stage.name_for(author.task),
        approval_status=author.parameters.approval,
        model_metrics=ModelMetrics(model_statistics=MetricsSource(s3_uri=evaluation, content_type="application/json")),
        customer_metadata_properties={
            "task": author.task.name,
            "run_id": ExecutionVariables.PIPELINE_EXECUTION_ID,
            "evaluation": evaluation,
            "pretrained_model": output_of(steps.staged, "model"),
            "predictions": steps.predictions,
        },
    )
    return ModelStep("Register", step_args=arguments, retry_policies=[SERVICE_RETRY])
