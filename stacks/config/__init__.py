"""Stages and tasks: what users edit, as validated, frozen types."""

from stacks.config.classification import ClassificationTask
from stacks.config.files import REPOSITORY, STAGES_FILE, TASKS_FOLDER, load_stage, load_task, load_tasks, stage_names
from stacks.config.search import Search
from stacks.config.stage import Readers, Stage
from stacks.config.summary import SummaryTask
from stacks.config.task import Task
from stacks.config.values import Compute, InstanceType, Metric, Model, Variant

__all__ = [
    "REPOSITORY",
    "STAGES_FILE",
    "TASKS_FOLDER",
    "ClassificationTask",
    "Compute",
    "InstanceType",
    "Metric",
    "Model",
    "Readers",
    "Search",
    "Stage",
    "SummaryTask",
    "Task",
    "Variant",
    "load_stage",
    "load_task",
    "load_tasks",
    "stage_names",
]
