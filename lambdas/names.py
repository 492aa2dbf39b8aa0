"""What the names of objects and of SageMaker resources mean: the layout of the bucket, and the parts of an ARN."""

import re
from dataclasses import dataclass
from enum import Enum

from lambdas.errors import EventError

UPLOADS = "uploads/"
LAYOUT = "uploads/<task>/train/<file> or uploads/<task>/eval/<set>/<file>"

_EXECUTION_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[^:]*:\d{12}:pipeline/([^/]+)/execution/([^/]+)")
_FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:(\d{12}):function:.+")
_PACKAGE_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:[^:]*:\d{12}:model-package/([^/]+)/(\d+)")


class Place(Enum):
    """Where below `uploads/<task>/` an object lies."""

    TRAIN = "train"
    EVALUATION = "evaluation"
    INCOMING = "incoming"  # texts for the live endpoint; lambdas/read_incoming takes them
    REVIEWED = "reviewed"  # texts with the label that a person gave them; lambdas/record_review writes them
    FOLDER = "folder"  # a key that ends in "/": what consoles write for an empty folder; it holds no data
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class UploadKey:
    """An object's key below `uploads/`. `task` is what the key says, known or not."""

    task: str
    place: Place


def parse_upload_key(key: str) -> UploadKey:
    """Tell what an upload is by its key.

    Raises:
        EventError: the key does not lie below `uploads/`.
    """
    if not key.startswith(UPLOADS):
        raise EventError("an event names an object outside uploads/; the event rule must filter on that prefix")
    task, _, rest = key.removeprefix(UPLOADS).partition("/")
    if key.endswith("/"):
        return UploadKey(task, Place.FOLDER)
    match rest.split("/"):
        case ["train", _, *_]:
            return UploadKey(task, Place.TRAIN)
        case ["eval", name, _, *_] if name:
            return UploadKey(task, Place.EVALUATION)
        case ["incoming", _, *_]:
            return UploadKey(task, Place.INCOMING)
        case ["reviewed", _, *_]:
            return UploadKey(task, Place.REVIEWED)
        case _:
            return UploadKey(task, Place.ELSEWHERE)


def uploads_prefix(task: str) -> str:
    return f"{UPLOADS}{task}/"


def reviewed_key(task: str, name: str) -> str:
    """Where a text lies with the label that a person gave it."""
    return f"{uploads_prefix(task)}reviewed/{name}.jsonl"


def incoming_quarantine_key(task: str, name: str) -> str:
    """Where read_incoming writes down which lines of a file it set aside."""
    return f"incoming-quarantine/{task}/{name}.jsonl"


def manifest_key(task: str, name: str) -> str:
    return f"runs/{task}/manifests/{name}.json"


def no_champion_prefix(task: str) -> str:
    """Prefix of the one empty object that stands for "no model in service" (a SageMaker input may not be empty)."""
    return f"runs/{task}/no-champion/"


def parse_execution_arn(arn: str) -> tuple[str, str]:
    """(pipeline name, run id) of a pipeline execution's ARN.

    Raises:
        EventError: `arn` is not one.
    """
    match = _EXECUTION_ARN.fullmatch(arn)
    if match is None:
        raise EventError(f"not the ARN of a pipeline execution: {arn!r}")
    return match[1], match[2]


def account_of_function(arn: str) -> str:
    """The account of a Lambda function's ARN (also one that names an alias).

    Raises:
        EventError: `arn` is not one.
    """
    match = _FUNCTION_ARN.fullmatch(arn)
    if match is None:
        raise EventError(f"not the ARN of a Lambda function: {arn!r}")
    return match[1]


def parse_package_arn(arn: str) -> tuple[str, int]:
    """(group name, version) of a versioned model package's ARN.

    Raises:
        EventError: `arn` is not one.
    """
    match = _PACKAGE_ARN.fullmatch(arn)
    if match is None:
        raise EventError(f"not the ARN of a versioned model package: {arn!r}")
    return match[1], int(match[2])


def split_s3_uri(uri: str) -> tuple[str, str]:
    """(bucket, key) of `s3://bucket/key`.

    Raises:
        EventError: `uri` is not one.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise EventError("not an S3 URI")
    return bucket, key
