"""The pipeline of a task that classifies.

Before fine-tuning an encoder cannot tell the labels apart. What it knows is measured by a linear probe: logistic
regression on what it makes of a text (ClassifyBase).
"""

from typing import Any

from stacks.config import ClassificationTask
from stacks.pipeline.authoring import PipelineAuthor, output_of, s3_prefix, text_of
from stacks.pipeline.own_training import fine_tune
from stacks.pipeline.source_archive import FINE_TUNE_CLASSIFIER
from stacks.pipeline.steps import Steps, evaluate, prepare, stage_model

_SPLITS = ("train", "validation")


def classification_steps(author: PipelineAuthor, task: ClassificationTask) -> Steps:
    labels: dict[str, Any] = {"positive-label": task.labels.positive, "negative-label": task.labels.negative}
    prepared = prepare(author, (*_SPLITS, "eval"), labels)
    staged = stage_model(author, {**labels, "max-input-tokens": task.training.max_seq_length})
    splits = {name: output_of(prepared, name) for name in _SPLITS}
    tuned = fine_tune(
        author,
        "FineTune",
        FINE_TUNE_CLASSIFIER,
        hyperparameters={
            "positive_label": task.labels.positive,
            "negative_label": task.labels.negative,
            **{name: text_of(value) for name, value in task.training.model_dump(exclude={"epochs"}).items()},
        },
        channels={**splits, "model": output_of(staged, "model")},
        settings={
            "labels": task.labels.model_dump(),
            "model": task.model.model_dump(),
            "training": task.training.model_dump(exclude={"epochs"}),
        },
    )
    base = author.answering(
        "ClassifyBase",
        "training.linear_probe",
        prepared,
        "base",
        inputs={
            "model": s3_prefix(output_of(staged, "model")),
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
    return Steps(staged=staged, prepare=prepared, tuned=tuned, others=[base], answered=fine_tuned, evaluate=evaluated)
