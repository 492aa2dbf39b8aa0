"""What the demo shows of each task: its data, its table, and how the live endpoint is used."""

from pathlib import Path

import yaml

from local.demos.adverse_events import AdverseEvents
from local.demos.clinical_notes import ClinicalNotes
from local.demos.own_tasks import OwnClassification, OwnSummaries
from local.demos.radiology import Radiology
from local.demos.task_demo import TaskDemo
from local.errors import DataError

# The tasks that ship, each with example data.
DEMOS: dict[str, TaskDemo] = {demo.task: demo for demo in (Radiology(), AdverseEvents(), ClinicalNotes())}


def demo_of(task: str, folder: Path) -> TaskDemo:
    """The demo of the task file `<task>.yaml` in `folder`: its own, or the one of its kind.

    Whether the file is right is for synth to say, which reads all of it.

    Raises:
        DataError: there is no such file, or it does not say what kind of task it describes.
    """
    file = folder / f"{task}.yaml"
    if not file.is_file():
        there = ", ".join(sorted(found.stem for found in folder.glob("*.yaml"))) or "none"
        raise DataError(f"{folder}: no task {task} there; there are: {there}")
    if task in DEMOS:
        return DEMOS[task]
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if content["kind"] == "classification":
            return OwnClassification(file, str(content["labels"]["positive"]))
        if content["kind"] == "summary":
            return OwnSummaries(file)
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(f"{file}: is no task file: it needs `kind` and, with kind classification, `labels`") from error
    raise DataError(f"{file}: kind must be summary or classification, got {content['kind']!r}")
