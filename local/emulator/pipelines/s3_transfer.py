"""Objects of S3 to files of a job and back, as SageMaker lays them out."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from local.emulator.pipelines.failures import StepFailed, aws_call


class S3Transfer:
    """Copies between S3 and a job's folder.

    `client` is a boto3 S3 client. `checkpoint` is called between two objects and raises to end a transfer early.
    Every method raises StepFailed when S3 does, or when what is asked for is not there.
    """

    def __init__(self, client: Any, checkpoint: Callable[[], None]) -> None:
        self._client = client
        self._checkpoint = checkpoint

    def download_prefix(self, uri: str, folder: Path) -> None:
        """Everything below a prefix, each key keeping its path below it; or the one object of exactly this key.

        On AWS the prefix `a/b` also matches `a/bc`; that is never meant, so it is refused here.
        """
        bucket, prefix = split_uri(uri)
        keys = list(self._keys(bucket, prefix))
        if prefix and not prefix.endswith("/"):
            if prefix in keys:
                self._download(bucket, prefix, folder, PurePosixPath(prefix).name)
                return
            strangers = sum(not key.startswith(f"{prefix}/") for key in keys)
            if strangers:
                raise StepFailed(
                    f'ClientError: S3 prefix "{uri}" also matches {strangers} objects beside that folder, which '
                    "SageMaker would copy too; end the prefix with a slash"
                )
            prefix += "/"
        if not keys:
            raise StepFailed(
                f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure '
                "that the bucket exists in the selected region, and that objects exist under that S3 prefix."
            )
        for key in keys:
            self._download(bucket, key, folder, key.removeprefix(prefix))

    def download_manifest(self, uri: str, folder: Path) -> None:
        """The objects that a manifest lists: [{"prefix": "s3://bucket/prefix"}, "relative/key", ...]."""
        manifest = self.read_json(uri)
        head = manifest[0] if isinstance(manifest, list) and manifest else None
        if not isinstance(head, dict) or not isinstance(head.get("prefix"), str):
            raise StepFailed(f'ClientError: manifest "{uri}" must be a list that begins with {{"prefix": "s3://..."}}')
        entries = manifest[1:]
        if not entries or not all(isinstance(entry, str) and entry for entry in entries):
            raise StepFailed(f'ClientError: manifest "{uri}" must list at least one relative key, and only texts')
        bucket, prefix = split_uri(head["prefix"])
        for entry in entries:
            self._download(bucket, prefix + entry, folder, entry)

    def restore(self, uri: str, folder: Path) -> int:
        """Everything below a prefix that may hold nothing yet. Returns how many objects there were."""
        bucket, prefix = split_uri(uri.rstrip("/") + "/")
        keys = list(self._keys(bucket, prefix))
        for key in keys:
            self._download(bucket, key, folder, key.removeprefix(prefix))
        return len(keys)

    def download_file(self, uri: str, path: Path) -> None:
        bucket, key = split_uri(uri)
        self._checkpoint()
        with aws_call(f"Reading {uri}"):
            self._client.download_file(bucket, key, str(path))

    def read_json(self, uri: str) -> Any:
        bucket, key = split_uri(uri)
        with aws_call(f"Reading {uri}"):
            content = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            return json.loads(content)
        except ValueError as error:  # Also bytes that are no text. The error quotes them, so it is not chained.
            raise StepFailed(f"ClientError: {uri} does not hold valid JSON ({type(error).__name__})") from None

    def upload_tree(self, folder: Path, uri: str) -> None:
        """Every file below `folder`, in order of its path, to the same path below `uri`."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.upload_file(path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}")

    def upload_file(self, path: Path, uri: str) -> None:
        bucket, key = split_uri(uri)
        self._checkpoint()
        with aws_call(f"Writing {uri}"):
            self._client.upload_file(str(path), bucket, key)

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        request = {"Bucket": bucket, "Prefix": prefix}
        while True:
            with aws_call(f"Listing s3://{bucket}/{prefix}"):
                page = self._client.list_objects_v2(**request)
            yield from (item["Key"] for item in page.get("Contents", []))
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _download(self, bucket: str, key: str, folder: Path, relative: str) -> None:
        """One object to `folder`/`relative`. A key that ends with a slash stands for an empty folder."""
        self._checkpoint()
        if ".." in PurePosixPath(relative).parts or relative.startswith("/"):
            raise StepFailed(f"ClientError: key {relative!r} in bucket {bucket} would leave the job's folder")
        path = folder / relative
        try:
            if relative.endswith("/") or not relative:
                path.mkdir(parents=True, exist_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with aws_call(f"Reading s3://{bucket}/{key}"):
                self._client.download_file(bucket, key, str(path))
        except OSError as error:  # Such as the keys `a` and `a/b`: one cannot be a file and a folder.
            raise StepFailed(f"ClientError: s3://{bucket}/{key} cannot become a file: {error.strerror}") from error


def split_uri(uri: Any) -> tuple[str, str]:
    """`s3://bucket/key` -> (bucket, key). Raises StepFailed."""
    scheme, _, rest = uri.partition("://") if isinstance(uri, str) else ("", "", "")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise StepFailed(f"ClientError: not an S3 URI: {uri!r}")
    return bucket, key
