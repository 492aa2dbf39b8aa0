"""What every stack but storage is built on."""

from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from stacks.config import Stage, Task


@dataclass(frozen=True)
class Foundation:
    """A stage, its tasks, and the bucket and key that hold everything."""

    stage: Stage
    tasks: tuple[Task, ...]
    bucket: s3.IBucket
    key: kms.IKey
