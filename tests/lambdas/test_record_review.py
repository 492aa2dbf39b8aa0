"""record_review: what a person says of an event becomes a labelled text and a row, and the last word counts."""

import io
import itertools
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.errors import ReviewError, SettingsError, UnfinishedEventError, UnknownEventError
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles
from lambdas.record_review import handler as handler_module
from lambdas.record_review.handler import Settings
from lambdas.record_review.record import Reviews
from lambdas.record_review.verdict import read_review
from tests.lambdas.events import BUCKET
from tests.lambdas.parquet_rows import table_rows
from tests.lambdas.stream_world import BEGIN, TASK, Died, World, nothing, text_record
from training.table_schemas import REVIEWS

Log = tuple[logging.Logger, io.StringIO]
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
TEXT = "Hives after the first dose of \u4e2d\u6587 \U0001f600, p=0.9"


class Reviewed:
    """The events of a stream, and the reviews of them."""

    def __init__(self, stream: World) -> None:
        self.stream = stream
        s3 = stream.client("s3", stream.s3)
        self.reviews = Reviews(
            s3=s3,
            bucket=BUCKET,
            task=TASK,
            claims=Claims(stream.client("dynamodb", stream.claims), "claims", sleep=lambda _: None),
            files=EventFiles(s3, BUCKET, TASK),
            labels=("Adverse_Event", "Not_AE"),
            fields=("text", "label"),
        )
        stream.handle(
            [
                text_record(1, {"text": TEXT, "id": "A-1", "source": "clinic"}),
                text_record(2, {"text": "All well, p=0.1", "id": "A-1", "source": "ward"}),
                text_record(3, {"text": "A rash, p=0.8", "id": "B-2"}),
                text_record(4, {"text": "No id, p=0.7", "source": "clinic"}),
            ]
        )

    def review(self, event_id: str, source: str | None, verdict: str, **more: Any) -> str:
        payload = {"event_id": event_id, "source": source, "verdict": verdict, **more}
        return self.reviews.record(read_review(payload, NOW))

    @property
    def objects(self) -> dict[str, dict[str, str]]:
        """What lies below reviewed/, by key."""
        return {
            key: json.loads(body)
            for key, body in self.stream.s3.bodies.items()
            if key.startswith(f"uploads/{TASK}/reviewed/")
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for rows in table_rows(self.stream.s3, REVIEWS).values() for row in rows]


@pytest.fixture
def reviewed(log: Log) -> Reviewed:
    return Reviewed(World(log[0]))


def test_a_confirmed_event_is_labelled_as_the_model_said_and_has_a_row(reviewed: Reviewed) -> None:
    assert reviewed.review("A-1", "clinic", "confirmed", reviewer="Dr. \u0141uczak") == "Adverse_Event"
    ((key, line),) = reviewed.objects.items()
    assert line == {"text": TEXT, "label": "Adverse_Event"}
    assert reviewed.stream.s3.bodies[key].count(b"\n") == 1
    ((place, rows),) = table_rows(reviewed.stream.s3, REVIEWS).items()
    # The day is the event's, not the verdict's: so a verdict of another day replaces it.
    assert place.startswith(f"tables/reviews/task={TASK}/day={datetime.fromtimestamp(BEGIN, UTC):%Y-%m-%d}/")
    assert rows == [
        {
            "event_id": "A-1",
            "source": "clinic",
            "verdict": "confirmed",
            "label": "Adverse_Event",
            "model_label": "Adverse_Event",
            "probability": 0.9,
            "model_version": "3",
            "reviewed_at": NOW.replace(tzinfo=None),
            "reviewer": "Dr. \u0141uczak",
        }
    ]


@pytest.mark.parametrize(
    ("source", "right"), [("clinic", "Not_AE"), ("ward", "Adverse_Event")], ids=["an event", "no event"]
)
def test_a_rejected_one_has_the_other_label(reviewed: Reviewed, source: str, right: str) -> None:
    assert reviewed.review("A-1", source, "rejected") == right
    (line,) = reviewed.objects.values()
    (row,) = reviewed.rows
    assert line["label"] == row["label"] == right != row["model_label"]
    assert (row["verdict"], row["reviewer"]) == ("rejected", None)


def test_events_are_found_with_and_without_source_and_without_an_id_of_the_senders(reviewed: Reviewed) -> None:
    (without_id,) = [row["event_id"] for row in reviewed.stream.rows if row["text"] == "No id, p=0.7"]
    reviewed.review("B-2", None, "confirmed")
    reviewed.review(without_id, "clinic", "confirmed")
    assert sorted(line["text"] for line in reviewed.objects.values()) == ["A rash, p=0.8", "No id, p=0.7"]
    for other in ("ward", None):
        with pytest.raises(UnknownEventError):
            reviewed.review(without_id, other, "confirmed")


def test_a_later_verdict_replaces_the_earlier_one_and_other_events_keep_theirs(reviewed: Reviewed) -> None:
    reviewed.review("A-1", "clinic", "confirmed")
    reviewed.review("A-1", "ward", "confirmed")
    reviewed.review("A-1", "clinic", "rejected")
    assert {line["text"]: line["label"] for line in reviewed.objects.values()} == {
        TEXT: "Not_AE",
        "All well, p=0.1": "Not_AE",
    }
    assert {row["source"]: row["verdict"] for row in reviewed.rows} == {"clinic": "rejected", "ward": "confirmed"}


def test_fields_are_called_as_the_task_calls_them(reviewed: Reviewed) -> None:
    other = Reviews(**{**vars(reviewed.reviews), "fields": ("sentence", "class")})
    other.record(read_review({"event_id": "B-2", "verdict": "confirmed"}, NOW))
    assert list(reviewed.objects.values()) == [{"sentence": "A rash, p=0.8", "class": "Adverse_Event"}]


def test_an_event_that_is_not_written_to_its_end_cannot_be_judged_yet(reviewed: Reviewed) -> None:
    record = text_record(9, {"text": "Nausea, p=0.9", "id": "C-3", "source": "clinic"})
    reviewed.stream.topic.broken = True
    assert reviewed.stream.handle([record]) == ["m9"]
    with pytest.raises(UnfinishedEventError):
        reviewed.review("C-3", "clinic", "confirmed")
    assert reviewed.objects == {}
    reviewed.stream.topic.broken = False
    reviewed.stream.deliver_until_rest([record])
    assert reviewed.review("C-3", "clinic", "confirmed") == "Adverse_Event"


def test_an_event_with_a_label_that_the_task_has_no_longer_is_refused(reviewed: Reviewed) -> None:
    renamed = Reviews(**{**vars(reviewed.reviews), "labels": ("Event", "None")})
    with pytest.raises(ReviewError, match="no longer"):
        renamed.record(read_review({"event_id": "B-2", "verdict": "rejected"}, NOW))
    assert reviewed.objects == {}


# A review makes so many calls: claims, file, object, look, row, look.
_CALLS = 6
_MOMENTS = list(itertools.product(("before", "after"), range(1, _CALLS + 1)))


@pytest.mark.parametrize(("when", "call"), _MOMENTS)
def test_of_two_people_at_the_same_moment_one_has_the_last_word_everywhere(log: Log, when: str, call: int) -> None:
    reviewed = Reviewed(World(log[0]))
    reviewed.stream.calls = 0

    def another_judges() -> None:
        reviewed.review("A-1", "clinic", "rejected", reviewer="second")

    reviewed.stream.at_call = _at(reviewed.stream, (when, call), another_judges)
    reviewed.review("A-1", "clinic", "confirmed", reviewer="first")
    assert reviewed.stream.calls > _CALLS
    (line,), (row,) = reviewed.objects.values(), reviewed.rows
    assert (row["label"], row["reviewer"]) in (("Adverse_Event", "first"), ("Not_AE", "second"))
    assert line["label"] == row["label"]


@pytest.mark.parametrize(("when", "call"), _MOMENTS)
def test_a_call_that_dies_is_mended_by_being_made_again(log: Log, when: str, call: int) -> None:
    reviewed = Reviewed(World(log[0]))
    reviewed.stream.calls = 0
    reviewed.stream.at_call = _at(reviewed.stream, (when, call), _die)
    with pytest.raises(Died):
        reviewed.review("A-1", "clinic", "rejected")
    assert reviewed.review("A-1", "clinic", "rejected") == "Not_AE"
    (line,), (row,) = reviewed.objects.values(), reviewed.rows
    assert line["label"] == row["label"] == "Not_AE"


def _die() -> None:
    raise Died


def _at(stream: World, moment: tuple[str, int], happens: Callable[[], None]) -> Callable[[str, int], None]:
    """Something happens once, at a call."""

    def at_call(when: str, number: int) -> None:
        if (when, number) == moment:
            stream.at_call = nothing
            happens()

    return at_call


GOOD = {"event_id": "A-1", "source": "clinic", "verdict": "confirmed"}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ([], "JSON object"),
        (None, "JSON object"),
        ({**GOOD, "event_id": ""}, "event_id is missing"),
        ({**GOOD, "event_id": 17}, "event_id must be text"),
        ({**GOOD, "event_id": "x" * 257}, "event_id is longer"),
        ({**GOOD, "source": {}}, "source must be text"),
        ({**GOOD, "verdict": "Confirmed"}, "confirmed or rejected"),
        ({**GOOD, "verdict": ["confirmed"]}, "confirmed or rejected"),
        ({"event_id": "A-1"}, "confirmed or rejected"),
        ({**GOOD, "reviewer": "x" * 129}, "reviewer is longer"),
        ({**GOOD, "Jane Doe": 1}, "and no others"),
    ],
)
def test_what_is_no_review_is_answered_by_name_and_nothing_is_written(
    reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch, payload: Any, said: str
) -> None:
    monkeypatch.setattr(handler_module, "_reviews", lambda: reviewed.reviews)
    answer = handler_module.handler(payload, None)
    assert answer["error"] == "ReviewError" and said in answer["reason"]
    assert "Jane" not in answer["reason"]
    assert (reviewed.objects, reviewed.rows) == ({}, [])


def test_the_longest_reviewer_fits(reviewed: Reviewed) -> None:
    reviewed.review("A-1", "clinic", "confirmed", reviewer="\U0001f600" * 128)
    ((_, metadata),) = [item for item in reviewed.stream.s3.metadata.items() if "/reviewed/" in item[0]]
    # S3 takes 2 KB of metadata, in ASCII.
    assert sum(len(name) + len(value.encode("ascii")) for name, value in metadata.items()) <= 2048
    assert reviewed.rows[0]["reviewer"] == "\U0001f600" * 128


def test_half_of_a_surrogate_pair_in_a_name_does_no_harm(reviewed: Reviewed) -> None:
    reviewed.review("A-1", "clinic", "confirmed", reviewer="Dr. \ud83d")
    assert reviewed.rows[0]["reviewer"] == "Dr. \ufffd"
    with pytest.raises(UnknownEventError):
        reviewed.review("\ud83d", "clinic", "confirmed")


def test_answers_and_log_hold_neither_text_nor_ids(
    reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    monkeypatch.setattr(handler_module, "_reviews", lambda: reviewed.reviews)
    monkeypatch.setattr(handler_module, "_logger", log[0])
    assert handler_module.handler(GOOD, None) == {"verdict": "confirmed", "label": "Adverse_Event"}
    unknown = handler_module.handler({**GOOD, "event_id": "Jane Doe"}, None)
    assert unknown == {"error": "UnknownEventError", "reason": "there is no event with this id and source"}
    assert "event_reviewed" in log[1].getvalue() and "review_refused" in log[1].getvalue()
    for name in ("Jane", "Hives", "A-1", "clinic"):
        assert name not in log[1].getvalue()


ENVIRONMENT = {
    "BUCKET": "b",
    "TASK": "adverse_events",
    "CLAIMS": "claims",
    "LABELS": '["Yes", "No"]',
    "FIELDS": '["text", "label"]',
}


def test_the_environment_is_read() -> None:
    assert Settings.from_environment(ENVIRONMENT) == Settings(
        bucket="b", task="adverse_events", claims="claims", labels=("Yes", "No"), fields=("text", "label")
    )


@pytest.mark.parametrize(
    ("name", "value"), [("CLAIMS", ""), ("LABELS", '["Yes"]'), ("LABELS", '["Yes", "Yes"]'), ("FIELDS", "text")]
)
def test_a_wrong_environment_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: value})
