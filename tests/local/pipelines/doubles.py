"""In-memory stand-ins for the AWS services that the engine calls; botocore's own shapes for errors and answers."""

import io
import json
import threading
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError


def client_error(operation: str, code: str, status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


class MemoryS3:
    """Objects by (bucket, key). Lists two keys a page, so that paging is used by every test that lists more."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        # Uploads in order: a test can see what was written while a job still ran.
        self.uploads: list[str] = []
        self._lock = threading.Lock()

    def put(self, uri: str, content: str | bytes | Any) -> None:
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        self.put_object(*_split(uri), content.encode() if isinstance(content, str) else content)

    def get(self, uri: str) -> bytes:
        return self.objects[_split(uri)]

    def keys(self, uri: str) -> list[str]:
        bucket, prefix = _split(uri)
        return sorted(key for b, key in self.objects if b == bucket and key.startswith(prefix))

    def put_object(self, bucket: str, key: str, content: bytes) -> None:
        with self._lock:
            self.objects[(bucket, key)] = content

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self._object("GetObject", Bucket, Key))}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, ContinuationToken: str = "0") -> dict[str, Any]:
        with self._lock:
            keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        start = int(ContinuationToken)
        page: dict[str, Any] = {"IsTruncated": len(keys) > start + 2}
        if keys:
            page["Contents"] = [{"Key": key} for key in keys[start : start + 2]]
        if page["IsTruncated"]:
            page["NextContinuationToken"] = str(start + 2)
        return page

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self._object("HeadObject", bucket, key))

    def upload_file(self, path: str, bucket: str, key: str) -> None:
        self.put_object(bucket, key, Path(path).read_bytes())
        with self._lock:
            self.uploads.append(f"s3://{bucket}/{key}")

    def _object(self, operation: str, bucket: str, key: str) -> bytes:
        with self._lock:
            if (bucket, key) not in self.objects:
                raise client_error(operation, "NoSuchKey", 404)
            return self.objects[(bucket, key)]


class RecordingLogs:
    """CloudWatch Logs: lines by (group, stream)."""

    def __init__(self) -> None:
        self.groups: set[str] = set()
        self.streams: dict[tuple[str, str], list[str]] = {}
        self.broken = False

    def create_log_group(self, *, logGroupName: str) -> None:
        if logGroupName in self.groups:
            raise client_error("CreateLogGroup", "ResourceAlreadyExistsException")
        self.groups.add(logGroupName)

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:
        self.streams[(logGroupName, logStreamName)] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:
        if self.broken:
            raise client_error("PutLogEvents", "ServiceUnavailableException", 503)
        assert all(event["message"] and isinstance(event["timestamp"], int) for event in logEvents)
        self.streams[(logGroupName, logStreamName)] += [event["message"] for event in logEvents]

    def lines(self, job_part: str) -> list[str]:
        return [line for (_, stream), lines in self.streams.items() if job_part in stream for line in lines]


class RecordingCloudWatch:
    def __init__(self) -> None:
        self.points: list[tuple[str, dict[str, Any]]] = []

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        self.points += [(Namespace, point) for point in MetricData]


class StubLambda:
    """Answers each invocation with the next of `answers`: (payload, FunctionError or None), or an exception."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.payloads: list[Any] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        assert InvocationType == "RequestResponse"
        self.payloads.append((FunctionName, json.loads(Payload)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        payload, error = answer
        return {
            "Payload": io.BytesIO(json.dumps(payload).encode()),
            **({"FunctionError": error} if error else {}),
        }


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
