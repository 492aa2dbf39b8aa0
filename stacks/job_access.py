"""What each kind of job of a task's pipeline reads and writes."""

import re
from collections.abc import Iterable
from dataclasses import replace

from stacks.config import ClassificationTask, Model, Task
from stacks.config.synthetic import Synthetic
from stacks.job_role import Access
from stacks.jumpstart import LockedModel
from training.table_schemas import COMPARED, EVALUATED


def job_access(task: Task, jumpstart: LockedModel | None) -> dict[str, Access]:
    """Kind of job -> its rights. `jumpstart` is the model of a task with source `jumpstart`."""
    if isinstance(task, ClassificationTask):
        return _classification_access(task)
    access = _common_access(task)
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
    written = (*EVALUATED, *COMPARED)
    evaluated = (f"{runs}/evaluation/*", *(f"tables/{table.name}/task={task.name}/*" for table in written))
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
            invokes=_invoked(task.synthetic),
        )
    return access


def _own(models: Iterable[Model]) -> tuple[str, ...]:
    """Key prefixes of models that lie in the stage's own bucket."""
    return tuple(f"{model.own_key.rstrip('/')}/*" for model in models if model.own_key is not None)


def _invoked(synthetic: Synthetic) -> tuple[tuple[str, str], ...]:
    if synthetic.endpoint is not None:
        return (("sagemaker:InvokeEndpoint", f"sagemaker:{{region}}:{{account}}:endpoint/{synthetic.endpoint}"),)
    if synthetic.model_id is None:
        return ()
    # An inference profile (us.<model>) sends the request on to the model in other regions.
    model = re.sub(r"^(us|eu|apac|global)\.", "", synthetic.model_id)
    return (
        ("bedrock:InvokeModel", f"bedrock:*::foundation-model/{model}"),
        ("bedrock:InvokeModel", f"bedrock:{{region}}:{{account}}:inference-profile/{synthetic.model_id}"),
    )
