"""Reading the files that users edit.

A task file (`tasks/<name>.yaml`) describes a task as it runs on AWS; its section `stages` overrides single values for a
stage. `stages.yaml` describes where and how a stage is deployed. Both are read only here, and only `app.py` decides
which.
"""

from pathlib import Path
from typing import Any

import yaml

from stacks.config.classification import ClassificationTask
from stacks.config.stage import Stage
from stacks.config.summary import SummaryTask
from stacks.config.task import Task
from stacks.errors import ConfigurationError
from stacks.settings import validated

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TASKS_FOLDER = REPOSITORY / "tasks"
STAGES_FILE = REPOSITORY / "stages.yaml"

_KINDS: dict[str, type[Task]] = {"summary": SummaryTask, "classification": ClassificationTask}


def stage_names(file: Path = STAGES_FILE) -> list[str]:
    """Every stage of a stage file. Raises ConfigurationError."""
    return sorted(_read_yaml(file))


def load_stage(name: str, file: Path = STAGES_FILE) -> Stage:
    """Read one stage.

    Raises:
        ConfigurationError: there is no such stage, or one of its values is not allowed.
    """
    stages = _read_yaml(file)
    if name not in stages:
        raise ConfigurationError(f"{file.name}: no stage {name!r}; there are {', '.join(sorted(stages))}")
    return validated(Stage, {"name": name, **stages[name]}, f"{file.name}: {name}")


def load_tasks(stage: str, folder: Path = TASKS_FOLDER) -> tuple[Task, ...]:
    """Read every task file of `folder`, with its overrides for `stage`, sorted by name.

    Raises:
        ConfigurationError: a file is not YAML, or one of its values is not allowed.
    """
    tasks = tuple(load_task(file, stage) for file in sorted(folder.glob("*.yaml")))
    if not tasks:
        raise ConfigurationError(f"{folder}: no task file (*.yaml)")
    return tasks


def load_task(file: Path, stage: str) -> Task:
    """Read one task file, with its overrides for `stage`. Raises ConfigurationError."""
    content = _read_yaml(file)
    overrides = content.pop("stages", {})
    if not isinstance(overrides, dict):
        raise ConfigurationError(f"{file.name}: stages must map a stage to the values it overrides")
    merged = _merge(content, overrides.get(stage, {}))
    kind = merged.get("kind")
    if kind not in _KINDS:
        raise ConfigurationError(f"{file.name}: kind: must be one of {', '.join(_KINDS)}, got {kind!r}")
    return validated(_KINDS[kind], {"name": file.stem, "folder": file.parent, **merged}, file.name)


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file.name}: not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file.name}: must be a mapping of settings")
    return content


def _merge(base: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Merge mapping by mapping; a value of None takes a setting away, as a stage that switches an endpoint off does."""
    merged = dict(base)
    for key, value in overrides.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged
