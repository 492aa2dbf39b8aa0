"""What lies under `uploads/<task>/` now, and the version of the training data that this makes."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.names import Place, parse_upload_key, uploads_prefix

# Where an object lies that a run reads.
_READ = (Place.TRAIN, Place.EVALUATION, Place.REVIEWED)


@dataclass(frozen=True)
class UploadedObject:
    """The current version of one object. `last_modified` is S3's time; for a multipart upload that of its beginning."""

    key: str
    version_id: str
    etag: str
    last_modified: datetime
    place: Place


def current_uploads(s3: Any, bucket: str, task: str) -> list[UploadedObject]:
    """Every current training file, evaluation file and reviewed text of `task`, sorted by key.

    Empty files are included, so that Prepare refuses them with a message that the user sees. Folders and objects
    outside the layout (refused at their upload) are not. What else lies below `uploads/<task>/` is not even listed:
    of incoming texts there may be very many files.
    """
    paginator = s3.get_paginator("list_object_versions")
    objects = [
        UploadedObject(
            key=version["Key"],
            version_id=version["VersionId"],
            etag=version["ETag"],
            last_modified=version["LastModified"],
            place=parse_upload_key(version["Key"]).place,
        )
        for folder in ("train/", "eval/", "reviewed/")
        for page in paginator.paginate(Bucket=bucket, Prefix=f"{uploads_prefix(task)}{folder}")
        # A deleted object's newest version is a delete marker, which is listed apart from versions.
        for version in page.get("Versions", [])
        if version["IsLatest"]
    ]
    return sorted((item for item in objects if item.place in _READ), key=lambda item: item.key)


def deciding_version(objects: Iterable[UploadedObject]) -> str | None:
    """16 hexadecimal digits that change when a training file is added, replaced or removed; None without any.

    Evaluation files and reviewed texts do not count: they alone start no run.
    """
    training = [item for item in objects if item.place is Place.TRAIN]
    return _digest(training) if training else None


def data_version(version: str, objects: Iterable[UploadedObject]) -> str:
    """What a run of these objects trains on: their deciding version, and behind a dash a digest of reviewed texts.

    So checkpoints, which are kept by it, are never those of a training with other reviews.
    """
    reviewed = [item for item in objects if item.place is Place.REVIEWED]
    return f"{version}-{_digest(reviewed)}" if reviewed else version


def is_run_of(data_version: str | None, version: str) -> bool:
    """Whether a run with this data version (None: by hand, without one) was started for this deciding version."""
    return data_version is not None and data_version.partition("-")[0] == version


def manifest_name(objects: Iterable[UploadedObject]) -> str:
    """16 hexadecimal digits, others for a manifest of other objects or versions.

    Prepare's earlier result is taken where its manifest's name is the same: so every object must count.
    """
    return _digest(objects)


def _digest(objects: Iterable[UploadedObject]) -> str:
    listing = sorted((item.key, item.version_id, item.etag) for item in objects)
    return hashlib.sha256(json.dumps(listing).encode()).hexdigest()[:16]


def manifest(bucket: str, task: str, objects: Iterable[UploadedObject]) -> str:
    """A SageMaker ManifestFile that names these objects, as JSON.

    SageMaker reads the newest version of each object when the job starts, so an object that is replaced between
    now and then is read in its new version; its event starts the next run. The fingerprint in Prepare's report is
    over the bytes that were really read.
    """
    prefix = uploads_prefix(task)
    names = [item.key.removeprefix(prefix) for item in objects]
    return json.dumps([{"prefix": f"s3://{bucket}/{prefix}"}, *names], ensure_ascii=False)
