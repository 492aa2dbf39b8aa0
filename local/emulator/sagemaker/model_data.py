"""Model data as an endpoint's container finds it below `/opt/ml/model`: an unpacked archive, or a prefix's objects."""

import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local.emulator.clients import Clients
from local.emulator.errors import ValidationError
from local.emulator.sagemaker.models import Container
from training.archives import UnsafeMemberError, unpack


def place_model_data(container: Container, folder: Path, clients: Clients) -> None:
    """Fill `folder` with the container's model data; leave it empty for a container without any.

    Raises:
        ValidationError: the data is not there, is no gzipped tar, or would leave `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if container.model_uri is None:
        return
    location = urlsplit(container.model_uri)
    bucket, key = location.netloc, location.path.lstrip("/")
    try:
        if container.is_archive:
            _unpack(clients("s3"), bucket, key, folder)
        else:
            _copy_prefix(clients("s3"), bucket, key, folder)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise ValidationError(f"could not read model data at {container.model_uri}: {code}") from error


def _unpack(s3: Any, bucket: str, key: str, folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder.parent) as archive:
        s3.download_fileobj(bucket, key, archive)
        archive.seek(0)
        try:
            with tarfile.open(fileobj=archive, mode="r:gz") as members:
                unpack(members, folder)
        except UnsafeMemberError as error:
            raise ValidationError(f"s3://{bucket}/{key}: {error}") from error
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValidationError(f"s3://{bucket}/{key} is not a readable .tar.gz") from error


def _copy_prefix(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    copied = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            relative = PurePosixPath(item["Key"][len(prefix) :])
            if item["Key"].endswith("/"):
                continue  # A folder marker of the console.
            if relative.is_absolute() or ".." in relative.parts:
                raise ValidationError(f"s3://{bucket}/{item['Key']}: the key leaves the prefix")
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(bucket, item["Key"], str(target))
            copied += 1
    if not copied:
        raise ValidationError(f"there is no object below s3://{bucket}/{prefix}")
