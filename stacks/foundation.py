"""What every stack but storage is built on."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from stacks.config import Stage, Task
from stacks.jumpstart import LockedModel


@dataclass(frozen=True)
class Foundation:
    """A stage, its tasks, the bucket and key that hold everything, and the topic that hears of failures.

    `jumpstart` maps the names of the tasks with source `jumpstart` to the models that they are fine-tuned from.
    `refreshed_data_sets` are ids of QuickSight data sets that take the tables in whenever a run has ended.
    """

    stage: Stage
    tasks: tuple[Task, ...]
    jumpstart: Mapping[str, LockedModel]
    bucket: s3.IBucket
    key: kms.IKey
    alarms: sns.ITopic
    refreshed_data_sets: tuple[str, ...] = ()
