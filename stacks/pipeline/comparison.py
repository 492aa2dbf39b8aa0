"""Candidates and the comparison: what follows Evaluate in the pipeline of a task that names candidates.

    Evaluate ─┬─> Answer<name>, one a candidate ─> Compare
              └─> Gate ─> Register

Candidates are asked once the run's own models are evaluated: a run that fails before pays for none of them, and the
model is judged and registered meanwhile, whatever befalls their jobs.
"""

from typing import Any

from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.mlops.workflow.steps import ProcessingStep

from stacks.config import Compute, Stage, SummaryTask
from stacks.config.candidates import Candidate, Custom
from stacks.errors import ConfigurationError
from stacks.pipeline.authoring import PROCESSING, PipelineAuthor, output_of, s3_prefix, unpacked
from stacks.pipeline.placeholders import PLACEHOLDERS, handler_uri, role

_HANDLER = "handler"
# Of the time that a job has, how much a candidate may use: it then ends by itself, and its answers so far are kept.
_OWN_SHARE = 0.9


def comparison_steps(
    author: PipelineAuthor,
    task: SummaryTask,
    *,
    prepared: ProcessingStep,
    evaluated: ProcessingStep,
    answered: dict[str, ProcessingStep],
) -> list[ProcessingStep]:
    """`answered` are the steps in which the run's own models answered, by the argument that names their answers.

    Raises:
        ConfigurationError: a candidate's limit of dollars needs a price that nobody gives.
    """
    if not task.candidates:
        return []
    answers = [_answer(author, task, candidate, prepared, evaluated) for candidate in task.candidates]
    return [*answers, _compare(author, task, prepared, evaluated, answered, answers)]


def _answer(
    author: PipelineAuthor,
    task: SummaryTask,
    candidate: Candidate,
    prepared: ProcessingStep,
    evaluated: ProcessingStep,
) -> ProcessingStep:
    compute = _compute(task, candidate)
    # Examples are drawn from the train split, and nothing that was set aside for validation is shown to anybody.
    inputs = {name: s3_prefix(output_of(prepared, name)) for name in ("train", "eval")}
    arguments: dict[str, Any] = {
        "train": f"{PROCESSING}/input/train",
        "evaluation": f"{PROCESSING}/input/eval",
        "output": f"{PROCESSING}/output/answers",
        "seed": task.data.seed,
        "max-seconds": int(compute.max_hours * 3600 * _OWN_SHARE),
        **candidate.arguments,
    }
    model = candidate.loaded
    if model is not None and model.source == "huggingface":
        arguments |= {"model-id": model.id, "revision": model.revision or ""}
    elif model is not None:
        inputs["model"] = s3_prefix(author.model_uri(model))
        arguments["model"] = f"{PROCESSING}/input/model"
    elif isinstance(candidate, Custom) and candidate.handler is not None:
        inputs[_HANDLER] = s3_prefix(handler_uri(candidate.name))
        arguments["handler"] = unpacked(_HANDLER)
    if candidate.answers_in_job:
        arguments |= _machine(author.stage, task, candidate, compute.instance_type)
    return author.processing(
        f"Answer{candidate.construct_id}",
        "training.answer_candidate",
        compute,
        role=role(candidate.job),
        inputs=inputs,
        outputs={"answers": author.run_folder(f"answers/{candidate.name}")},
        arguments=arguments,
        environment={"ATTEMPT": str(candidate.attempt)},
        archives=(_HANDLER,) if _HANDLER in inputs else (),
        after=[evaluated],
        isolated=not candidate.has_network,
    )


def _compute(task: SummaryTask, candidate: Candidate) -> Compute:
    assert task.jobs.answer is not None  # it belongs to candidates
    own = {} if candidate.instance_type is None else {"instance_type": candidate.instance_type}
    return task.jobs.answer.model_copy(update=own)


def _machine(stage: Stage, task: SummaryTask, candidate: Candidate, instance_type: str) -> dict[str, Any]:
    """What a candidate is told of the job's machine that answers for it: its type, and its price where one is known."""
    price = candidate.arguments.get("dollars-per-hour", stage.prices.get(instance_type))
    if price is None and candidate.max_dollars is not None:
        raise ConfigurationError(
            f"{task.name}.yaml: candidate {candidate.name}: max_dollars needs a price: give it dollars_per_hour, or "
            f"stages.yaml: {stage.name}: prices one for {instance_type}"
        )
    return {"instance-type": instance_type, **({} if price is None else {"dollars-per-hour": price})}


def _compare(
    author: PipelineAuthor,
    task: SummaryTask,
    prepared: ProcessingStep,
    evaluated: ProcessingStep,
    answered: dict[str, ProcessingStep],
    answers: list[ProcessingStep],
) -> ProcessingStep:
    candidates = {f"candidate-{candidate.name}": step for candidate, step in zip(task.candidates, answers, strict=True)}
    sources = {
        "evaluation-sets": output_of(prepared, "eval"),
        "evaluation": output_of(evaluated, "evaluation"),
        **{name: output_of(step, "predictions") for name, step in answered.items()},
    }
    price = author.stage.prices.get(task.jobs.generate.instance_type)
    choice = task.choice.model_dump(exclude_none=True)
    return author.processing(
        "Compare",
        "training.compare",
        task.jobs.evaluate,
        role=role("compare"),
        inputs={
            **{name: s3_prefix(uri) for name, uri in sources.items()},
            **{name: s3_prefix(output_of(step, "answers")) for name, step in candidates.items()},
        },
        outputs={"comparison": author.run_folder("comparison"), "tables": f"s3://{PLACEHOLDERS.bucket}/tables"},
        arguments={
            "task": task.name,
            "run-id": ExecutionVariables.PIPELINE_EXECUTION_ID,
            "started-at": ExecutionVariables.START_DATETIME,
            **{name: f"{PROCESSING}/input/{name}" for name in sources},
            "candidates": [f"{PROCESSING}/input/{name}" for name in candidates],
            "generate-instance-type": author.parameters.answering_instance,
            **({} if price is None else {"generate-dollars-per-hour": price}),
            **{name.replace("_", "-"): value for name, value in choice.items()},
            "output": f"{PROCESSING}/output/comparison",
            "tables": f"{PROCESSING}/output/tables",
            "seed": task.data.seed,
        },
        # As of Evaluate: its rows are those of this run.
        cached=False,
    )
