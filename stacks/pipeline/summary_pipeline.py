"""The pipeline of a task that writes text.

A model that is built from the training text (source `stand_in`) is staged after Prepare. A model of JumpStart is
fine-tuned by JumpStart's script, and Package follows FineTune (stacks/pipeline/jumpstart_training.py). Candidates are
asked and compared after Evaluate (stacks/pipeline/comparison.py).
"""

import json
from typing import Any

from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.config import SummaryTask
from stacks.jumpstart import LockedModel
from stacks.pipeline.authoring import PROCESSING, FineTuned, PipelineAuthor, output_of, s3_prefix, text_of
from stacks.pipeline.comparison import comparison_steps
from stacks.pipeline.jumpstart_training import jumpstart_fine_tune
from stacks.pipeline.own_training import fine_tune
from stacks.pipeline.source_archive import FINE_TUNE
from stacks.pipeline.steps import Steps, evaluate, prepare, stage_model

# Folder of Prepare's output, and FineTune's channel: the training records among which similar ones are found.
SIMILAR = "similar"


def summary_steps(author: PipelineAuthor, task: SummaryTask, jumpstart: LockedModel | None) -> Steps:
    """`jumpstart` is the model that a task with source `jumpstart` is fine-tuned from."""
    prepared = prepare(
        author,
        ("train", "validation", "eval", SIMILAR),
        {"jumpstart-prompt": task.prompt} if task.model.source == "jumpstart" else {},
    )
    staged = _stage_model(author, task, prepared, jumpstart)
    tuned = (
        _fine_tune(author, task, prepared, staged)
        if jumpstart is None
        else jumpstart_fine_tune(author, task, jumpstart, prepared, staged)
    )
    generation = task.generation
    pretrained = _generate(
        author,
        "GeneratePretrained",
        prepared,
        output_of(staged, "model"),
        "pretrained",
        # As its endpoint is asked: it has no similar reports.
        prompt=task.plain_prompt,
        decoding={name: generation.decoding[name] for name in ("max_new_tokens", "num_beams", "long_inputs")},
        batch_size=generation.batch_size,
    )
    fine_tuned = _generate(
        author,
        "GenerateFineTuned",
        prepared,
        tuned.model,
        "fine-tuned",
        prompt=task.prompt,
        decoding=generation.decoding,
        batch_size=generation.batch_size,
    )
    sources = {
        SIMILAR: output_of(prepared, SIMILAR),
        "pretrained": output_of(pretrained, "predictions"),
        "fine-tuned": output_of(fine_tuned, "predictions"),
        **({} if tuned.output is None else {"training-output": tuned.output}),
    }
    evaluated = evaluate(author, "training.evaluate", prepared, sources, {"retrieval": task.retrieval})
    return Steps(
        staged=staged,
        prepare=prepared,
        tuned=tuned,
        others=[pretrained],
        answered=fine_tuned,
        predictions=output_of(fine_tuned, "predictions"),
        evaluate=evaluated,
        compared=comparison_steps(
            author,
            task,
            prepared=prepared,
            evaluated=evaluated,
            answered={"pretrained": pretrained, "fine-tuned": fine_tuned},
        ),
    )


def _stage_model(
    author: PipelineAuthor, task: SummaryTask, prepared: ProcessingStep, jumpstart: LockedModel | None
) -> ProcessingStep:
    arguments: dict[str, Any] = {
        # Its endpoint has no similar reports, and this job must not see any where it has network.
        "prompt-template": task.plain_prompt,
        "max-input-tokens": task.training.max_input_tokens,
        "max-new-tokens": task.generation.max_new_tokens,
        "num-beams": task.generation.num_beams,
        "long-inputs": task.generation.long_inputs,
    }
    inputs = {}
    if jumpstart is not None:
        inputs["model"] = s3_prefix(jumpstart.hosting.artefact)
        arguments |= {
            "model": f"{PROCESSING}/input/model",
            "model-id": task.model.id,
            "revision": jumpstart.version,
        }
    elif task.model.source == "stand_in":
        inputs["train"] = s3_prefix(output_of(prepared, "train"))
        arguments |= {
            "train": f"{PROCESSING}/input/train",
            "denoise-seconds": task.model.denoise_seconds,
            "seed": task.training.seed,
        }
    return stage_model(author, arguments, inputs)


def _fine_tune(
    author: PipelineAuthor, task: SummaryTask, prepared: ProcessingStep, staged: ProcessingStep
) -> FineTuned:
    return fine_tune(
        author,
        "FineTune",
        FINE_TUNE,
        hyperparameters={
            "prompt_template": json.dumps(task.prompt),
            **{name: text_of(value) for name, value in task.training.model_dump(exclude={"epochs"}).items()},
            **{name: text_of(value) for name, value in task.generation.decoding.items()},
        },
        channels={
            "train": output_of(prepared, "train"),
            "validation": output_of(prepared, "validation"),
            **({SIMILAR: output_of(prepared, SIMILAR)} if task.retrieval else {}),
            "model": output_of(staged, "model"),
        },
        settings={
            "prompt": task.prompt,
            "model": task.model.model_dump(),
            "training": task.training.model_dump(exclude={"epochs"}),
            "generation": task.generation.model_dump(),
        },
    )


def _generate(
    author: PipelineAuthor,
    name: str,
    prepared: ProcessingStep,
    model_uri: Any,
    folder: str,
    *,
    prompt: str,
    decoding: dict[str, Any],
    batch_size: int,
) -> ProcessingStep:
    return author.answering(
        name,
        "training.generate",
        prepared,
        folder,
        inputs={"model": s3_prefix(model_uri)},
        arguments={
            "prompt-template": prompt,
            **{name.replace("_", "-"): value for name, value in decoding.items()},
            "batch-size": batch_size,
        },
    )
