"""What each kind of job of a task's pipeline reads and writes."""

from stacks.config import Task
from stacks.job_role import Access
from stacks.jumpstart import LockedModel
from training.table_schemas import EVALUATED


def job_access(task: Task, jumpstart: LockedModel | None) -> dict[str, Access]:
    """Kind of job -> its rights. `jumpstart` is the model of a task with source `jumpstart`."""
    runs = f"runs/{task.name}/*"
    prepared, staged, training = f"{runs}/prepared/*", f"{runs}/staged/*", f"{runs}/training/*"
    model, answers = f"{runs}/{task.model_folder}/*", f"{runs}/answers/*"
    answering, _ = task.answering
    own_model = () if task.model.own_key is None else (f"{task.model.own_key.rstrip('/')}/*",)
    evaluated = (f"{runs}/evaluation/*", *(f"tables/{table.name}/task={task.name}/*" for table in EVALUATED))
    to_evaluate = (prepared, answers, f"runs/{task.name}/no-champion/*")
    access = {
        "stage_model": Access(reads=(prepared, *own_model), writes=(staged,), elsewhere=task.model.elsewhere),
        "prepare": Access(reads=(f"uploads/{task.name}/*", f"runs/{task.name}/manifests/*"), writes=(prepared,)),
        "fine_tune": Access(reads=(prepared, staged), writes=(training, f"runs/{task.name}/checkpoints/*")),
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
