"""Ask the Hugging Face hub at which commit its models are, and pin what was found in `hub.lock.json`.

    python -m stacks.hub_lock [--renew]

Asks for the models that the task files take without naming a commit and that the file does not hold yet; with
`--renew` for all of them. Needs network to huggingface.co, and no account. Nothing else here asks the hub for anything
but a pinned commit.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from stacks.config import STAGES_FILE, TASKS_FOLDER, load_tasks, stage_names
from stacks.errors import ConfigurationError, LockError
from stacks.hub import HUB_LOCK_FILE, read_hub_lock, unpinned, write_hub_lock
from training.hub_commit import newest_commit


def main() -> int:
    arguments = _parser().parse_args()
    try:
        wanted = {model for stage in stage_names(STAGES_FILE) for model in unpinned(load_tasks(stage, arguments.tasks))}
        before = {} if arguments.renew else read_hub_lock(arguments.output)
        commits = resolved(sorted(wanted - before.keys()), newest_commit)
    except ConfigurationError as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    if commits:
        write_hub_lock(arguments.output, {name: commit for name, commit in before.items() if name in wanted} | commits)
        print(f"{arguments.output}: {', '.join(commits)} pinned. Commit the file.")
    return 0


def resolved(model_ids: Iterable[str], ask: Callable[[str], str]) -> dict[str, str]:
    """Model id -> commit.

    Raises:
        LockError: the hub does not have a model, or cannot be asked.
    """
    commits = {}
    for model_id in model_ids:
        try:
            commits[model_id] = ask(model_id)
        except (OSError, ValueError, KeyError) as error:  # no network or no such model; no JSON; no commit in it
            raise LockError(f"{model_id}: the Hugging Face hub cannot be asked: {error}") from error
    return commits


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stacks.hub_lock", description="Pin models of the Hugging Face hub")
    parser.add_argument("--tasks", type=Path, default=TASKS_FOLDER, help="folder of task files; default: %(default)s")
    parser.add_argument("--output", type=Path, default=HUB_LOCK_FILE, help="default: %(default)s")
    parser.add_argument("--renew", action="store_true", help="ask for models that are pinned already, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
