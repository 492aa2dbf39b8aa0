"""Models of the Hugging Face hub, as `hub.lock.json` pins them: synth reads that file and asks nobody.

A branch of the hub can move, so a model is to be taken at a commit. A task file may name the commit itself
(`revision`); where it does not, `python -m stacks.hub_lock` asks the hub once what the newest one is and writes the
file, which is committed:

    {model id: commit}

It lies beside the folder of task files, so at the root of this repository. A model that neither pins is staged at the
commit that is the newest when the job runs, which its model card then names; synth warns of it.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from stacks.config import REPOSITORY, Model, Task
from stacks.errors import LockError

HUB_LOCK_NAME = "hub.lock.json"
HUB_LOCK_FILE = REPOSITORY / HUB_LOCK_NAME
_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_hub_lock(file: Path) -> dict[str, str]:
    """Model id -> commit; nothing where there is no such file.

    Raises:
        LockError: it is not what `write_hub_lock` writes.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise LockError(f"{file.name}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise LockError(f"{file.name}: must map a model id to its commit")
    for model_id, commit in content.items():
        if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
            raise LockError(f"{file.name}: {model_id}: must be a commit of 40 hexadecimal digits, got {commit!r}")
    return content


def write_hub_lock(file: Path, commits: Mapping[str, str]) -> None:
    """Write a lock file in place of the one there is."""
    file.write_text(json.dumps(commits, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def pinned(tasks: Iterable[Task], file: Path) -> tuple[Task, ...]:
    """The tasks with the commits that the lock file has for their models.

    Raises:
        LockError: it is not a lock file.
    """
    commits = read_hub_lock(file)

    def pin(model: Model) -> Model:
        if not model.is_unpinned:
            return model
        return model.model_copy(update={"revision": commits.get(str(model.id))})

    return tuple(task.with_models(pin) for task in tasks)


def unpinned(tasks: Iterable[Task]) -> list[str]:
    """Ids of the hub's models that the tasks take at no fixed commit, sorted."""
    return sorted({str(model.id) for task in tasks for model in task.models if model.is_unpinned})
