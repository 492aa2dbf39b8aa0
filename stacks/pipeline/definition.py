"""The SageMaker Pipeline of a task, authored with the SageMaker Python SDK.

    StageModel ──┬─> FineTune ─────────────> GenerateFineTuned ──┐
    Prepare ─────┤                                               ├─> Evaluate ─> Gate ─> Register
                 └─> GeneratePretrained ─────────────────────────┘

A model that is built from the training text (source `stand_in`) is staged after Prepare. A model of JumpStart is
fine-tuned by JumpStart's script, and Package follows FineTune (stacks/pipeline/jumpstart_training.py). What all steps
share is in stacks/pipeline/authoring.py.
"""

import json
from typing import Any

from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.shapes import ProcessingS3Input
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep
from sagemaker.serve import ModelBuilder

from stacks.config import Stage, Task
from stacks.jumpstart import LockedModel
from stacks.pipeline.authoring import (
    PROCESSING,
    SERVICE_RETRY,
    SIMILAR,
    FineTuned,
    PipelineAuthor,
    output_of,
    s3_prefix,
)
from stacks.pipeline.images import inference_image
from stacks.pipeline.jumpstart_training import jumpstart_fine_tune
from stacks.pipeline.own_training import fine_tune
from stacks.pipeline.placeholders import PLACEHOLDERS
from stacks.pipeline.sdk_session import settings_checked_once


def build_definition(task: Task, stage: Stage, jumpstart: LockedModel | None) -> dict[str, Any]:
    """Return the pipeline's definition with `PLACEHOLDERS` in it: the same one for the same task, stage and lock.

    Must be imported and called inside `stacks.pipeline.offline.offline`; `stacks.pipeline.pipeline_definition` does.
    `jumpstart` is the model that a task with source `jumpstart` is fine-tuned from.
    """
    with settings_checked_once():
        return _definition(PipelineAuthor(task, stage), jumpstart)


def _definition(author: PipelineAuthor, jumpstart: LockedModel | None) -> dict[str, Any]:
    prepare = _prepare(author)
    staged = _stage_model(author, prepare, jumpstart)
    tuned = (
        fine_tune(author, prepare, staged)
        if jumpstart is None
        else jumpstart_fine_tune(author, jumpstart, prepare, staged)
    )
    generation = author.task.generation
    pretrained = _generate(
        author,
        "GeneratePretrained",
        prepare,
        output_of(staged, "model"),
        "pretrained",
        # As its endpoint is asked: it has no similar reports.
        prompt=author.task.plain_prompt,
        decoding={"max_new_tokens": generation.max_new_tokens, "num_beams": generation.num_beams},
    )
    fine_tuned = _generate(
        author,
        "GenerateFineTuned",
        prepare,
        tuned.model,
        "fine-tuned",
        prompt=author.task.prompt,
        decoding=generation.decoding,
    )
    report = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")
    evaluate = _evaluate(author, prepare, tuned, pretrained, fine_tuned, report)
    register = _register(author, staged, tuned, fine_tuned, evaluate)
    passed = JsonGet(step_name=evaluate.name, property_file=report, json_path="gate.passed")
    gate = ConditionStep("Gate", conditions=[ConditionEquals(passed, True)], if_steps=[register], else_steps=[])
    pipeline = Pipeline(
        author.stage.name_for(author.task),
        parameters=author.parameters.all(),
        steps=[staged, prepare, *tuned.steps, pretrained, fine_tuned, evaluate, gate],
        sagemaker_session=author.session,
        pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=False),
    )
    definition: dict[str, Any] = json.loads(pipeline.definition())
    return definition


def _prepare(author: PipelineAuthor) -> ProcessingStep:
    task = author.task
    arguments: dict[str, Any] = {
        "uploads": f"{PROCESSING}/input/uploads",
        "output": f"{PROCESSING}/output",
        "input-field": task.fields.input,
        "target-field": task.fields.target,
        "validation-fraction": task.data.validation_fraction,
        "holdout-fraction": task.data.holdout_fraction,
        "max-bad-share": task.data.max_bad_share,
        "seed": task.data.seed,
    }
    if task.model.source == "jumpstart":
        arguments["jumpstart-prompt"] = task.prompt
    written = ("train", "validation", "eval", SIMILAR)
    return author.processing(
        "Prepare",
        "training.prepare",
        task.jobs.prepare,
        role=PLACEHOLDERS.prepare_role,
        # The manifest names the training files and evaluation sets of this data version.
        inputs={
            "uploads": ProcessingS3Input(
                s3_uri=author.parameters.manifest, s3_data_type="ManifestFile", s3_input_mode="File"
            )
        },
        outputs={name: author.run_folder(f"prepared/{name}") for name in written},
        # What was set aside is written as it is found, so that a run that stops for it still shows it.
        continuous_outputs={name: author.run_folder(f"prepared/{name}") for name in ("quarantine", "report")},
        arguments=arguments,
    )


def _stage_model(author: PipelineAuthor, prepare: ProcessingStep, jumpstart: LockedModel | None) -> ProcessingStep:
    model, training = author.task.model, author.task.training
    arguments: dict[str, Any] = {
        "source": model.source,
        "output": f"{PROCESSING}/output/model",
        # Its endpoint has no similar reports, and this job must not see any where it has network.
        "prompt-template": author.task.plain_prompt,
        "max-input-tokens": training.max_input_tokens,
        "max-new-tokens": author.task.generation.max_new_tokens,
        "num-beams": author.task.generation.num_beams,
    }
    inputs = {}
    if model.source == "huggingface":
        arguments |= {"model-id": model.id, "revision": model.revision}
    elif jumpstart is not None:
        inputs["model"] = s3_prefix(jumpstart.hosting.artefact)
        arguments |= {
            "model": f"{PROCESSING}/input/model",
            "model-id": model.id,
            "revision": jumpstart.version,
        }
    elif model.source == "s3":
        inputs["model"] = s3_prefix(model.s3_uri)
        arguments["model"] = f"{PROCESSING}/input/model"
    elif model.source == "stand_in":
        inputs["train"] = s3_prefix(output_of(prepare, "train"))
        arguments |= {
            "train": f"{PROCESSING}/input/train",
            "denoise-seconds": model.denoise_seconds,
            "seed": training.seed,
        }
    return author.processing(
        "StageModel",
        "training.stage_model",
        author.task.jobs.stage_model,
        role=PLACEHOLDERS.stage_model_role,
        inputs=inputs,
        outputs={"model": author.run_folder("staged")},
        arguments=arguments,
        # The only job with network, and only where a model comes from the hub.
        isolated=model.source != "huggingface",
    )


def _generate(
    author: PipelineAuthor,
    name: str,
    prepare: ProcessingStep,
    model_uri: Any,
    folder: str,
    *,
    prompt: str,
    decoding: dict[str, Any],
) -> ProcessingStep:
    task = author.task
    return author.processing(
        name,
        "training.generate",
        author.task.jobs.generate,
        role=PLACEHOLDERS.generate_role,
        instance_type=author.parameters.generate_instance,
        inputs={
            "model": s3_prefix(model_uri),
            "eval": s3_prefix(output_of(prepare, "eval"), distribution="ShardedByS3Key"),
        },
        outputs={"predictions": author.run_folder(f"generated/{folder}")},
        arguments={
            "model": f"{PROCESSING}/input/model",
            "evaluation": f"{PROCESSING}/input/eval",
            "output": f"{PROCESSING}/output/predictions",
            "prompt-template": prompt,
            **{name.replace("_", "-"): value for name, value in decoding.items()},
            "batch-size": task.generation.batch_size,
        },
    )


def _evaluate(
    author: PipelineAuthor,
    prepare: ProcessingStep,
    tuned: FineTuned,
    pretrained: ProcessingStep,
    fine_tuned: ProcessingStep,
    report: PropertyFile,
) -> ProcessingStep:
    sources = {
        "eval": output_of(prepare, "eval"),
        "report": output_of(prepare, "report"),
        "train": output_of(prepare, "train"),
        SIMILAR: output_of(prepare, SIMILAR),
        "pretrained": output_of(pretrained, "predictions"),
        "fine-tuned": output_of(fine_tuned, "predictions"),
        **({} if tuned.output is None else {"training-output": tuned.output}),
        "champion": author.parameters.champion,
    }
    return author.processing(
        "Evaluate",
        "training.evaluate",
        author.task.jobs.evaluate,
        role=PLACEHOLDERS.evaluate_role,
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
            **{name: f"{PROCESSING}/input/{name}" for name in sources if name not in ("eval", "report")},
            "output": f"{PROCESSING}/output/evaluation",
            "tables": f"{PROCESSING}/output/tables",
            "retrieval": author.task.retrieval,
            "seed": author.task.data.seed,
        },
        property_files=[report],
        # Its rows are those of this run, so they are written anew in each run.
        cached=False,
    )


def _register(
    author: PipelineAuthor,
    staged: ProcessingStep,
    tuned: FineTuned,
    fine_tuned: ProcessingStep,
    evaluate: ProcessingStep,
) -> ModelStep:
    evaluation = Join(on="/", values=[output_of(evaluate, "evaluation"), "evaluation.json"])
    serving = author.task.serving.live
    builder = ModelBuilder(
        image_uri=inference_image(author.stage.region, serving.instance_type),
        role_arn=PLACEHOLDERS.pipeline_role,
        s3_model_data_url=tuned.model,
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
            "pretrained_model": output_of(staged, "model"),
            "predictions": output_of(fine_tuned, "predictions"),
        },
    )
    return ModelStep("Register", step_args=arguments, retry_policies=[SERVICE_RETRY])
