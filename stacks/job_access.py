"""What each kind of job of a task's pipeline reads and writes."""

import re
from collections.abc import Iterable
from dataclasses import replace

from stacks.config import ClassificationTask, Model, SummaryTask, Task
from stacks.config.candidates import Candidate
from stacks.job_role import Access
from stacks.jumpstart import LockedModel
from training.table_schemas import COMPARED, EVALUATED, PREDICTIONS, SCORES, Table

# What the id of an inference profile of Bedrock adds to that of its model: from where the profile takes machines.
_PROFILE = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|global)\.")


def job_access(task: Task, jumpstart: LockedModel | None) -> dict[str, Access]:
    """Kind of job -> its rights. `jumpstart` is the model of a task with source `jumpstart`."""
    if isinstance(task, ClassificationTask):
        return _classification_access(task)
    assert isinstance(task, SummaryTask)  # there is no third kind
    access = {**_common_access(task), **_comparison_access(task)}
    if jumpstart is None:
        return access
    locked = jumpstart.training
    runs = f"runs/{task.name}/*"
    prepared, staged, training = f"{runs}/prepared/*", f"{runs}/staged/*", f"{runs}/training/*"
    evaluate = access["evaluate"]
    return {
        **access,
        "stage_model": Access(reads=(), writes=(staged,), elsewhere=(jumpstart.hosting.artefact,)),
        "fine_tune": Access(
            reads=(prepared,),
            writes=(training,),
            elsewhere=(locked.script, locked.artefact),
            images=(locked.repository,),
        ),
        "package": Access(reads=(training, staged), writes=(f"{runs}/{task.model_folder}/*",)),
        # There is no curve to read.
        "evaluate": replace(evaluate, reads=tuple(prefix for prefix in evaluate.reads if prefix != training)),
    }


def _common_access(task: Task) -> dict[str, Access]:
    """What the jobs of every pipeline that fine-tunes with this project's own scripts read and write."""
    runs = f"runs/{task.name}/*"
    prepared, staged, training = f"{runs}/prepared/*", f"{runs}/staged/*", f"{runs}/training/*"
    model, answers = f"{runs}/{task.model_folder}/*", f"{runs}/answers/*"
    answering, _ = task.answering
    evaluated = (f"{runs}/evaluation/*", *_tables(task, (*EVALUATED, *COMPARED)))
    return {
        "stage_model": Access(reads=(prepared, *_own([task.model])), writes=(staged,), elsewhere=task.model.elsewhere),
        "prepare": Access(reads=(f"uploads/{task.name}/*", f"runs/{task.name}/manifests/*"), writes=(prepared,)),
        "fine_tune": Access(reads=(prepared, staged), writes=(training, f"runs/{task.name}/checkpoints/*")),
        answering.lower(): Access(reads=(prepared, model, staged), writes=(answers,)),
        "evaluate": Access(reads=(prepared, answers, f"runs/{task.name}/no-champion/*", training), writes=evaluated),
    }


def _classification_access(task: ClassificationTask) -> dict[str, Access]:
    """With what a search and synthetic examples need."""
    runs = f"runs/{task.name}/*"
    access = _common_access(task)
    candidates = (f"{runs}/candidates/*",) if len(task.encoders) > 1 else ()
    examples = (f"{runs}/synthetic/*",) if task.synthetic else ()
    generator = (f"{runs}/generator/*",) if task.generator and task.generator.source == "huggingface" else ()
    stage, tune, evaluate = access["stage_model"], access["fine_tune"], access["evaluate"]
    access |= {
        "stage_model": replace(
            stage,
            reads=_own(task.encoders),
            writes=(*stage.writes, *candidates, *generator),
            elsewhere=tuple(uri for encoder in task.encoders for uri in encoder.elsewhere),
        ),
        "fine_tune": replace(tune, reads=(*tune.reads, *candidates, *examples)),
        "evaluate": replace(evaluate, reads=(*evaluate.reads, *examples)),
    }
    if task.synthetic is not None:
        models = [task.generator] if task.generator else []
        access["generate_examples"] = Access(
            reads=(f"{runs}/prepared/*", *generator, *_own(models)),
            writes=examples,
            elsewhere=tuple(uri for model in models for uri in model.elsewhere),
            invokes=_invoked(task.synthetic.endpoint, task.synthetic.model_id),
        )
    return access


def _comparison_access(task: SummaryTask) -> dict[str, Access]:
    """What candidates' jobs and that which compares them read and write; nothing for a task without candidates."""
    if not task.candidates:
        return {}
    runs = f"runs/{task.name}/*"
    evaluation_sets = f"{runs}/prepared/eval/*"
    return {
        **{candidate.job: _candidate_access(task, candidate) for candidate in task.candidates},
        "compare": Access(
            reads=(evaluation_sets, f"{runs}/evaluation/*", f"{runs}/answers/*"),
            writes=(f"{runs}/comparison/*", *_tables(task, (*COMPARED, PREDICTIONS, SCORES))),
        ),
    }


def _candidate_access(task: SummaryTask, candidate: Candidate) -> Access:
    """Its own answers, the records that it is asked and shown, its model, and what it calls."""
    runs = f"runs/{task.name}/*"
    models = [candidate.loaded] if candidate.loaded is not None else []
    return Access(
        reads=(f"{runs}/prepared/train/*", f"{runs}/prepared/eval/*", *_own(models)),
        writes=(f"{runs}/answers/{candidate.name}/*",),
        elsewhere=tuple(uri for model in models for uri in model.elsewhere),
        invokes=_invoked(candidate.arguments.get("endpoint"), candidate.arguments.get("model-id")),
    )


def _tables(task: Task, tables: Iterable[Table]) -> tuple[str, ...]:
    return tuple(f"tables/{table.name}/task={task.name}/*" for table in tables)


def _own(models: Iterable[Model]) -> tuple[str, ...]:
    """Keys of models that lie in the stage's own bucket: of an archive, or of all in a folder."""
    keys = [model.own_key for model in models if model.own_key is not None]
    return tuple(key if key.endswith(".gz") else f"{key.rstrip('/')}/*" for key in keys)


def _invoked(endpoint: str | None, bedrock_model: str | None) -> tuple[tuple[str, str], ...]:
    if endpoint is not None:
        return (("sagemaker:InvokeEndpoint", f"sagemaker:{{region}}:{{account}}:endpoint/{endpoint}"),)
    if bedrock_model is None:
        return ()
    # An inference profile (us.<model>) sends the request on to the model in other regions.
    return (
        ("bedrock:InvokeModel", f"bedrock:*::foundation-model/{_PROFILE.sub('', bedrock_model)}"),
        ("bedrock:InvokeModel", f"bedrock:{{region}}:{{account}}:inference-profile/{bedrock_model}"),
    )
