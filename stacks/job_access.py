"""What each kind of job of a task's pipeline reads and writes."""

from stacks.config import Task
from stacks.job_role import Access
from stacks.jumpstart import LockedModel
from training.table_schemas import EVALUATED


def job_access(task: Task, jumpstart: LockedModel | None) -> dict[str, Access]:
    """Kind of job -> its rights. `jumpstart` is the model of a task with source `jumpstart`."""
    runs = f"runs/{task.name}/*"
    prepared, training = f"{runs}/prepared/*", f"{runs}/training/*"
    # The task's own model, and others that a search tries.
    staged = f"{runs}/staged/*"
    candidates = (f"{runs}/candidates/*",) if len(task.models) > 1 else ()
    model, answers = f"{runs}/{task.model_folder}/*", f"{runs}/answers/*"
    answering, _ = task.answering
    own_models = tuple(f"{model.own_key.rstrip('/')}/*" for model in task.models if model.own_key is not None)
    elsewhere = tuple(uri for model in task.models for uri in model.elsewhere)
    evaluated = (f"{runs}/evaluation/*", *(f"tables/{table.name}/task={task.name}/*" for table in EVALUATED))
    to_evaluate = (prepared, answers, f"runs/{task.name}/no-champion/*")
    access = {
        "stage_model": Access(reads=(prepared, *own_models), writes=(staged, *candidates), elsewhere=elsewhere),
        "prepare": Access(reads=(f"uploads/{task.name}/*", f"runs/{task.name}/manifests/*"), writes=(prepared,)),
        "fine_tune": Access(
            reads=(prepared, staged, *candidates), writes=(training, f"runs/{task.name}/checkpoints/*")
        ),
        answering.lower(): Access(reads=(prepared, model, staged), writes=(answers,)),
        "evaluate": Access(reads=(*to_evaluate, training), writes=evaluated),
    }
    if jumpstart is None:
        return access
    locked = jumpstart.training
    return {
        **access,
        "stage_model": Access(reads=(), writes=(staged,), elsewhere=(jumpstart.hosting.artefact,)),
        "fine_tune": Access(
            reads=(prepared,),
            writes=(training,),
            elsewhere=(locked.script, locked.artefact),
            images=(locked.repository,),
        ),
        "package": Access(reads=(training, staged), writes=(model,)),
        # There is no curve to read.
        "evaluate": Access(reads=to_evaluate, writes=evaluated),
    }
