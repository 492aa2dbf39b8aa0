"""Writes a verdict down: the text with its right label for the next run, and a row of the table `reviews`.

Both lie at keys that follow from the event, so a later verdict replaces an earlier one:

    uploads/<task>/reviewed/<identity>.jsonl                     one line with the task's two fields
    tables/reviews/task=<task>/day=<of the event>/<identity>.parquet

The object is the verdict (which is also its metadata), the row follows it. After writing the row, the object is looked
at again: if somebody gave another verdict meanwhile, the row is written anew. So however many people judge an event at
the same moment, when the last of their calls has returned the row says what lies there to be trained on. If a call dies
in between, the object is there and the row is not; whoever made it has no answer and makes it again.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lambdas.errors import ReviewError, UnfinishedEventError, UnknownEventError
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles, EventRow
from lambdas.names import reviewed_key
from lambdas.record_review.verdict import CONFIRMED, Review, Verdict
from lambdas.table_files import CONTENT_TYPE, parquet, table_key
from lambdas.texts import identities
from training.table_schemas import REVIEWS

_METADATA = "review"


@dataclass(frozen=True)
class ReviewsRow:
    """One row, column for column as training/table_schemas.py describes them. Times are aware."""

    event_id: str
    source: str | None
    verdict: str
    label: str
    model_label: str
    probability: float
    model_version: str
    reviewed_at: datetime
    reviewer: str | None


@dataclass(frozen=True)
class Reviews:
    """Where the events and the reviews of one task lie. `fields` are what the task calls a text and its label."""

    s3: Any
    bucket: str
    task: str
    claims: Claims
    files: EventFiles
    labels: tuple[str, str]
    fields: tuple[str, str]

    def record(self, review: Review) -> str:
        """Write `review` down and return the event's right label.

        Raises:
            UnknownEventError, UnfinishedEventError: there is no such event, or not yet.
            ReviewError: it has a label that the task has no longer.
            UnfinishedError, botocore's errors: it may be written in part; to be called again.
        """
        identity, row = self._event(review)
        label = self._right_label(row, review.verdict)
        key = reviewed_key(self.task, identity)
        self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=_line(dict(zip(self.fields, (row.text, label), strict=True))),
            ContentType="application/jsonl",
            Metadata={_METADATA: review.verdict.to_json()},
        )
        told = None
        while told != (newest := self._newest(key)):
            self._write_row(identity, row, newest)
            told = newest
        return label

    def _event(self, review: Review) -> tuple[str, EventRow]:
        wanted = identities(review.event_id, review.source)
        claims = self.claims.find(wanted)
        for identity in wanted:
            if identity not in claims:
                continue
            if not claims[identity].finished:
                raise UnfinishedEventError("the event is being written; try again in some minutes")
            for row in self.files.read(claims[identity].file):
                if (row.event_id, row.source) == (review.event_id, review.source):
                    return identity, row
        raise UnknownEventError("there is no event with this id and source")

    def _right_label(self, row: EventRow, verdict: Verdict) -> str:
        if row.label not in self.labels:
            raise ReviewError("the event was given a label that the task has no longer")
        if verdict.verdict == CONFIRMED:
            return row.label
        (other,) = set(self.labels) - {row.label}
        return other

    def _newest(self, key: str) -> Verdict:
        metadata = self.s3.head_object(Bucket=self.bucket, Key=key)["Metadata"]
        return Verdict.from_json(metadata[_METADATA])

    def _write_row(self, identity: str, row: EventRow, verdict: Verdict) -> None:
        reviewed = ReviewsRow(
            event_id=row.event_id,
            source=row.source,
            verdict=verdict.verdict,
            label=self._right_label(row, verdict),
            model_label=row.label,
            probability=row.probability,
            model_version=row.model_version,
            reviewed_at=verdict.given_at,
            reviewer=verdict.reviewer,
        )
        self.s3.put_object(
            Bucket=self.bucket,
            Key=table_key(REVIEWS, self.task, row.day, identity),
            Body=parquet(REVIEWS, [asdict(reviewed)]),
            ContentType=CONTENT_TYPE,
        )


def _line(content: dict[str, str]) -> bytes:
    return (json.dumps(content, ensure_ascii=False) + "\n").encode()
