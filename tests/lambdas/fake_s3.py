"""A versioned bucket in memory."""

import io
from datetime import datetime
from typing import Any

from botocore.response import StreamingBody

from tests.lambdas.aws_in_memory import Refused


class FakeS3:
    """Holds versions of objects. `page` is how many versions one answer lists."""

    def __init__(self, page: int = 1000) -> None:
        self.versions: list[dict[str, Any]] = []  # oldest first
        self.bodies: dict[str, bytes] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.page = page

    def upload(self, key: str, when: datetime, etag: str = "e") -> None:
        self._add(key, {"ETag": f'"{etag}"', "LastModified": when, "VersionId": f"v{len(self.versions)}"})

    def remove(self, key: str) -> None:
        self._add(key, {"VersionId": f"v{len(self.versions)}", "marker": True})

    def _add(self, key: str, version: dict[str, Any]) -> None:
        for other in self.versions:
            if other["Key"] == key:
                other["IsLatest"] = False
        self.versions.append({"Key": key, "IsLatest": True, **version})

    def list_object_versions(
        self, Bucket: str, Prefix: str, KeyMarker: str = "", VersionIdMarker: str = ""
    ) -> dict[str, Any]:
        found = sorted(
            (version for version in self.versions if version["Key"].startswith(Prefix)), key=lambda v: v["Key"]
        )
        start = int(VersionIdMarker) if VersionIdMarker else 0
        page, rest = found[start : start + self.page], found[start + self.page :]
        answer: dict[str, Any] = {
            "IsTruncated": bool(rest),
            "Versions": [version for version in page if "marker" not in version],
            "DeleteMarkers": [
                {name: value for name, value in version.items() if name != "marker"}
                for version in page
                if "marker" in version
            ],
        }
        if not answer["Versions"]:
            del answer["Versions"]  # S3 leaves empty lists out
        if rest:
            answer |= {"NextKeyMarker": rest[0]["Key"], "NextVersionIdMarker": str(start + self.page)}
        return answer

    def put_object(
        self,
        Bucket: str,
        Key: str,
        Body: io.BytesIO,
        Metadata: dict[str, str] | None = None,
        IfNoneMatch: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        if IfNoneMatch == "*" and Key in self.bodies:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.bodies[Key] = Body.read()
        self.metadata[Key] = Metadata or {}
        return {"ETag": '"x"'}

    def head_object(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        if Key not in self.bodies:
            raise Refused("404", "Not Found")
        return {"Metadata": self.metadata[Key]}

    def get_object(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:
        if Key not in self.bodies:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        return {"Body": StreamingBody(io.BytesIO(self.bodies[Key]), len(self.bodies[Key]))}
