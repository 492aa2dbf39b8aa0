"""The pipeline of a task that classifies.

    StageModel, StageModel2, ... ──┬─> Tune, or FineTune ─> ClassifyFineTuned ──┐
    Prepare ───────────────────────┤                                            ├─> Evaluate
                                   └─> ClassifyBase ────────────────────────────┘

Before fine-tuning an encoder cannot tell the labels apart. What it knows is measured by a linear probe: logistic
regression on what it makes of a text (ClassifyBase). With a search, Tune takes the place of FineTune and its best job's
model goes on.
"""

from typing import Any

from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.config import ClassificationTask
from stacks.pipeline.authoring import FineTuned, PipelineAuthor, output_of, s3_prefix, text_of
from stacks.pipeline.own_training import fine_tune
from stacks.pipeline.search import TUNED, search
from stacks.pipeline.source_archive import FINE_TUNE_CLASSIFIER
from stacks.pipeline.steps import Steps, evaluate, prepare, stage_model
from training.channels import channel_of

_SPLITS = ("train", "validation")


def classification_steps(author: PipelineAuthor, task: ClassificationTask) -> Steps:
    labels: dict[str, Any] = {"positive-label": task.labels.positive, "negative-label": task.labels.negative}
    prepared = prepare(author, (*_SPLITS, "eval"), labels)
    staged = _stage_models(author, task, labels)
    splits = {name: output_of(prepared, name) for name in _SPLITS}
    models = {model.name: output_of(step, "model") for model, step in zip(task.models, staged, strict=True)}
    tuned = _tune(author, task, splits, models)
    base = author.answering(
        "ClassifyBase",
        "training.linear_probe",
        prepared,
        "base",
        inputs={
            "model": s3_prefix(models[task.model.name]),
            **{name: s3_prefix(uri) for name, uri in splits.items()},
        },
        arguments={**labels, "max-seq-length": task.training.max_seq_length},
    )
    fine_tuned = author.answering(
        "ClassifyFineTuned",
        "training.classify",
        prepared,
        "fine-tuned",
        inputs={"model": s3_prefix(tuned.model)},
        arguments={},
    )
    sources = {
        "validation": splits["validation"],
        "base": output_of(base, "predictions"),
        "fine-tuned": output_of(fine_tuned, "predictions"),
        "training-output": tuned.output,
    }
    evaluated = evaluate(author, "training.evaluate_classifier", prepared, sources, labels)
    return Steps(
        staged=staged[0],
        candidates=staged[1:],
        prepare=prepared,
        tuned=tuned,
        others=[base],
        answered=fine_tuned,
        evaluate=evaluated,
    )


def _stage_models(author: PipelineAuthor, task: ClassificationTask, labels: dict[str, Any]) -> list[ProcessingStep]:
    """The task's own model first, then those that a search tries beside it."""
    arguments = {**labels, "max-input-tokens": task.longest_sequence}
    others = [
        stage_model(
            author,
            arguments,
            name=f"StageModel{number}",
            model=model,
            folder=f"candidates/{channel_of(model.name)}",
        )
        for number, model in enumerate(task.models[1:], start=2)
    ]
    return [stage_model(author, arguments), *others]


def _tune(
    author: PipelineAuthor, task: ClassificationTask, splits: dict[str, Any], models: dict[str, Any]
) -> FineTuned:
    """Train once as the task says, or search. `models` are the staged ones by name."""
    given = {
        "positive_label": task.labels.positive,
        "negative_label": task.labels.negative,
        **{name: text_of(value) for name, value in task.training.model_dump(exclude={"epochs"}).items()},
    }
    if task.search is not None:
        fixed = {name: value for name, value in given.items() if name not in TUNED}
        return search(
            author,
            task.search,
            program=FINE_TUNE_CLASSIFIER,
            hyperparameters={"epochs": author.parameters.epochs.to_string(), **fixed},
            channels={**splits, **{channel_of(name): uri for name, uri in models.items()}},
            models=list(models),
        ).best
    return fine_tune(
        author,
        "FineTune",
        FINE_TUNE_CLASSIFIER,
        hyperparameters=given,
        channels={**splits, "model": models[task.model.name]},
        settings={
            "labels": task.labels.model_dump(),
            "model": task.model.model_dump(),
            "training": task.training.model_dump(exclude={"epochs"}),
        },
    )
