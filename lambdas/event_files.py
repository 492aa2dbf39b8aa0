"""Files of the table `events`: each is written once, or given up, and never both.

S3 decides: `write` and `give_up` both ask it to make the object only if there is none (If-None-Match). What is given up
has a file without rows in its place, marked by metadata.
"""

import io
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from lambdas.table_files import CONTENT_TYPE, parquet, table_key
from training.table_schemas import EVENTS
from training.tables import day_of

_GIVEN_UP = "given-up"


@dataclass(frozen=True)
class EventRow:
    """One row, column for column as training/table_schemas.py describes them. Times are aware."""

    event_id: str
    source: str | None
    happened_at: datetime | None
    arrived_at: datetime
    written_at: datetime
    text: str
    label: str
    probability: float
    model_version: str
    drugs: str
    effects: str
    kind: str | None
    icd10: str | None
    notified: bool

    @property
    def day(self) -> str:
        """The partition: `YYYY-MM-DD` of the arrival, in UTC."""
        return day_of(self.arrived_at)


class EventFiles:
    """The files of one task."""

    def __init__(self, s3: Any, bucket: str, task: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._task = task

    def new_key(self, day: str) -> str:
        """A key that nothing has had."""
        return table_key(EVENTS, self._task, day, uuid.uuid4().hex)

    def write(self, key: str, rows: Sequence[EventRow]) -> bool:
        """Write a file of these rows. False: the key was given up, or this is a repeated request that was done."""
        return self._put(key, rows, {})

    def give_up(self, key: str) -> bool:
        """See to it that no file of rows ever lies at `key`. False: one does."""
        if self._put(key, [], {_GIVEN_UP: "true"}):
            return True
        return _GIVEN_UP in self._s3.head_object(Bucket=self._bucket, Key=key)["Metadata"]

    def read(self, key: str) -> list[EventRow]:
        """The rows of a file."""
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return [EventRow(**_aware(row)) for row in pq.read_table(io.BytesIO(body)).to_pylist()]

    def _put(self, key: str, rows: Sequence[EventRow], metadata: dict[str, str]) -> bool:
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=parquet(EVENTS, (asdict(row) for row in rows)),
                ContentType=CONTENT_TYPE,
                Metadata=metadata,
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "PreconditionFailed":
                return False
            raise
        return True


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    """Files hold times without a zone, in UTC."""
    return {name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()}
