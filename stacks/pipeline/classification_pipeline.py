"""The pipeline of a task that classifies.

    StageModel, StageModel2, ... ─┬─> Tune, or FineTune ─> ClassifyFineTuned ─┐
    Prepare ──────────────────────┤                                           ├─> Evaluate
                                  └─> ClassifyBase ───────────────────────────┘

Before fine-tuning an encoder cannot tell the labels apart. What it knows is measured by a linear probe: logistic
regression on what it makes of a text (ClassifyBase). With a search, Tune takes the place of FineTune and its best job's
model goes on.

With synthetic examples there is one training more, whose model goes on in place of the other, which is then there to be
compared with:

    GenerateExamples ─> FineTune (as Tune's best job) ─┬─> ClassifyFineTuned ─> Evaluate
    Tune, or FineTuneWithoutSynthetic ─────────────────┘
"""

from dataclasses import dataclass
from typing import Any

from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.config import ClassificationTask
from stacks.config.synthetic import Synthetic
from stacks.pipeline.authoring import PROCESSING, FineTuned, PipelineAuthor, output_of, s3_prefix, text_of
from stacks.pipeline.own_training import fine_tune
from stacks.pipeline.placeholders import role
from stacks.pipeline.search import TUNED, search
from stacks.pipeline.source_archive import FINE_TUNE_CLASSIFIER
from stacks.pipeline.steps import Steps, evaluate, prepare, stage_model
from training.channels import channel_of

_SPLITS = ("train", "validation")


@dataclass(frozen=True)
class _Trained:
    """A training, and the hyperparameters that it had beside those that every one has."""

    tuned: FineTuned
    hyperparameters: dict[str, Any]


def classification_steps(author: PipelineAuthor, task: ClassificationTask) -> Steps:
    labels: dict[str, Any] = {"positive-label": task.labels.positive, "negative-label": task.labels.negative}
    prepared = prepare(author, (*_SPLITS, "eval"), labels)
    staged = _stage_models(author, task, labels)
    splits = {name: output_of(prepared, name) for name in _SPLITS}
    models = {model.name: output_of(step, "model") for model, step in zip(task.encoders, staged, strict=True)}
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
    sources: dict[str, Any] = {"validation": splits["validation"], "base": output_of(base, "predictions")}
    inside = {"fine-tuned": "tuned/fine-tuned"}
    others: list[Any] = [base]
    trained = _train(author, task, splits, models)
    tuned = trained.tuned
    asked = {"fine-tuned": tuned.model}
    if task.synthetic is not None:
        generation = _generate_examples(author, task, task.synthetic, prepared, labels)
        others += [*tuned.steps, *generation]
        examples = output_of(generation[-1], "examples")
        tuned = _train_with(author, splits, models, trained, Join(on="/", values=[examples, "synthetic"]))
        asked = {"fine-tuned": tuned.model, "without-synthetic": trained.tuned.model}
        sources |= {"synthetic": examples}
        inside |= {"without-synthetic": "tuned/without-synthetic"}
    answered = author.answering(
        "ClassifyFineTuned",
        "training.classify",
        prepared,
        "tuned",
        inputs={name: s3_prefix(model) for name, model in asked.items()},
        arguments={},
    )
    predictions = output_of(answered, "predictions")
    sources |= {"tuned": predictions, "training-output": tuned.output}
    return Steps(
        staged=staged[0],
        candidates=staged[1:],
        prepare=prepared,
        tuned=tuned,
        others=others,
        answered=answered,
        predictions=Join(on="/", values=[predictions, "fine-tuned"]),
        evaluate=evaluate(author, "training.evaluate_classifier", prepared, sources, labels, inside),
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
        for number, model in enumerate(task.encoders[1:], start=2)
    ]
    return [stage_model(author, arguments), *others]


def _train(
    author: PipelineAuthor, task: ClassificationTask, splits: dict[str, Any], models: dict[str, Any]
) -> _Trained:
    """Train on the uploaded texts, once as the task says, or search. `models` are the staged ones by name."""
    given = {
        "positive_label": task.labels.positive,
        "negative_label": task.labels.negative,
        **{name: text_of(value) for name, value in task.training.model_dump(exclude={"epochs"}).items()},
    }
    if task.search is None:
        tuned = fine_tune(
            author,
            "FineTune" if task.synthetic is None else "FineTuneWithoutSynthetic",
            FINE_TUNE_CLASSIFIER,
            hyperparameters=given,
            channels={**splits, "model": models[task.model.name]},
            settings={
                "labels": task.labels.model_dump(),
                "model": task.model.model_dump(),
                "training": task.training.model_dump(exclude={"epochs"}),
            },
        )
        return _Trained(tuned, {**given, "model_name": task.model.name})
    fixed = {name: value for name, value in given.items() if name not in TUNED}
    found = search(
        author,
        task.search,
        program=FINE_TUNE_CLASSIFIER,
        hyperparameters={"epochs": author.parameters.epochs.to_string(), **fixed},
        channels={**splits, **_model_channels(models)},
        models=list(models),
    )
    return _Trained(found.best, {**fixed, **found.hyperparameters})


def _train_with(
    author: PipelineAuthor,
    splits: dict[str, Any],
    models: dict[str, Any],
    trained: _Trained,
    synthetic: Join,
) -> FineTuned:
    """Train once more in the same way, on the synthetic examples too."""
    return fine_tune(
        author,
        "FineTune",
        FINE_TUNE_CLASSIFIER,
        hyperparameters=trained.hyperparameters,
        channels={**splits, **_model_channels(models), "synthetic": synthetic},
        settings=None,
    )


def _model_channels(models: dict[str, Any]) -> dict[str, Any]:
    """A channel for each encoder, of which the hyperparameter model_name names one."""
    return {channel_of(name): uri for name, uri in models.items()}


def _generate_examples(
    author: PipelineAuthor,
    task: ClassificationTask,
    synthetic: Synthetic,
    prepared: ProcessingStep,
    labels: dict[str, Any],
) -> list[ProcessingStep]:
    """The steps that lead to examples; the last one writes them."""
    assert task.jobs.generate_examples is not None  # it belongs to synthetic examples
    steps: list[ProcessingStep] = []
    inputs: dict[str, Any] = {}
    arguments: dict[str, Any] = {}
    model = synthetic.model
    if model is not None:
        uri = author.model_uri(model)
        if model.source == "huggingface":
            steps.append(_stage_generator(author, str(model.id), model.revision))
            uri = output_of(steps[0], "model")
        inputs["model"] = s3_prefix(uri)
        arguments["model"] = f"{PROCESSING}/input/model"
    elif synthetic.model_id is not None:
        arguments["model-id"] = synthetic.model_id
    else:
        arguments["endpoint"] = synthetic.endpoint
    generate = author.processing(
        "GenerateExamples",
        "training.generate_examples",
        task.jobs.generate_examples,
        role=role("generate_examples"),
        inputs={
            **{name: s3_prefix(output_of(prepared, name)) for name in (*_SPLITS, "eval")},
            **inputs,
        },
        outputs={"examples": author.run_folder("synthetic")},
        arguments={
            "train": f"{PROCESSING}/input/train",
            "validation": f"{PROCESSING}/input/validation",
            "evaluation": f"{PROCESSING}/input/eval",
            "output": f"{PROCESSING}/output/examples",
            **labels,
            "provider": synthetic.provider,
            **arguments,
            "description": synthetic.description,
            "count": synthetic.count,
            "examples-a-prompt": synthetic.examples_a_prompt,
            "max-new-tokens": synthetic.max_new_tokens,
            "temperature": synthetic.temperature,
            "max-seconds": synthetic.max_seconds,
            "seed": synthetic.seed,
        },
        # Bedrock and endpoints are asked over the network; the task file says so.
        isolated=synthetic.provider == "model",
    )
    return [*steps, generate]


def _stage_generator(author: PipelineAuthor, model_id: str, revision: str | None) -> ProcessingStep:
    return author.processing(
        "StageGenerator",
        "training.stage_generator",
        author.task.jobs.stage_model,
        role=role("stage_model"),
        inputs={},
        outputs={"model": author.run_folder("generator")},
        arguments={
            "model-id": model_id,
            "revision": revision or "",
            "output": f"{PROCESSING}/output/model",
        },
        isolated=False,
    )
