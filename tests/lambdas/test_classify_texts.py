"""classify_texts: what becomes an event, what is refused, what is tried again, and who is told."""

import dataclasses
import hashlib
import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.classify_texts.handler import Settings
from lambdas.errors import SettingsError
from lambdas.retries import try_again_later
from lambdas.texts import MAX_CHARACTERS
from tests.lambdas.aws_in_memory import connect
from tests.lambdas.parquet_rows import table_rows
from tests.lambdas.stream_world import BEGIN, DEAD_LETTERS, QUEUE, World, text_record, throttled, unreachable
from training.table_schemas import EVENTS

Log = tuple[logging.Logger, io.StringIO]


@pytest.fixture
def stream(log: Log) -> World:
    return World(log[0])


def test_a_text_becomes_a_row_with_the_answer_and_what_it_names(stream: World) -> None:
    text = "Got a rash and nausea after the second dose of amoxicillin, no fever. p=0.93"
    sent = {"text": text, "id": "A-17", "source": "clinic", "time": "2026-02-28T23:30:00+01:00"}
    assert stream.handle([text_record(1, sent)]) == []
    (key,) = table_rows(stream.s3, EVENTS)
    assert key.startswith("tables/events/task=adverse_events/day=2026-03-01/")
    (row,) = stream.rows
    assert row == {
        "event_id": "A-17",
        "source": "clinic",
        "happened_at": datetime(2026, 2, 28, 22, 30),
        "arrived_at": datetime.fromtimestamp(BEGIN, UTC).replace(tzinfo=None),
        "written_at": datetime.fromtimestamp(BEGIN, UTC).replace(tzinfo=None),
        "text": text,
        "label": "Adverse_Event",
        "probability": 0.93,
        "model_version": "3",
        "drugs": "amoxicillin",
        "effects": "rash; nausea",
        "kind": "skin",
        "icd10": None,
        "notified": True,
    }


def test_a_notice_says_everything_but_the_text(stream: World) -> None:
    sent = {"text": "Hepatitis in week 2. p=0.8", "id": "A-17", "source": "clinic", "time": "2026-02-28"}
    stream.handle([text_record(1, sent), text_record(2, {"text": "All well. p=0.79"})])
    assert stream.topic.notices == [
        {
            "task": "adverse_events",
            "event_id": "A-17",
            "source": "clinic",
            "time": "2026-02-28T00:00:00+00:00",
            "probability": 0.8,
            "kind": "liver",
        }
    ]
    assert sorted(row["notified"] for row in stream.rows) == [False, True]


def test_without_a_set_probability_nobody_is_told(log: Log) -> None:
    stream = World(log[0], notice_probability=None)
    assert stream.handle([text_record(1, {"text": "p=1.0"})]) == []
    assert (stream.topic.notices, stream.rows[0]["notified"]) == ([], False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("this is a secret rash", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["secret"]', "not a JSON object"),
        ({"note": "secret"}, "no text"),
        ({"text": None}, "no text"),
        ({"text": ""}, "text is empty"),
        ({"text": " \n\u00a0"}, "text is empty"),
        ({"text": ["secret"]}, "text must be text"),
        ({"text": "s" * (MAX_CHARACTERS + 1)}, "text is longer than 50,000 characters"),
        ({"text": "secret", "id": 17}, "id must be text"),
        ({"text": "secret", "id": "i" * 257}, "id is longer than 256 characters"),
        ({"text": "secret", "source": {"a": "b"}}, "source must be text"),
        ({"text": "secret", "time": "yesterday"}, "time must be a date or time in ISO 8601"),
        ({"text": "secret", "time": "0001-01-01T00:00:00+14:00"}, "time must be a date or time in ISO 8601"),
    ],
)
def test_what_can_never_be_classified_goes_to_the_dead_letters_at_once_and_the_rest_goes_on(
    stream: World, log: Log, body: Any, reason: str
) -> None:
    records = [text_record(1, body), text_record(2, {"text": "a good one"})]
    assert stream.handle(records) == []
    (letter,) = stream.queues.sent
    assert (letter["QueueUrl"], letter["MessageBody"]) == (DEAD_LETTERS, records[0]["body"])
    assert letter["MessageAttributes"]["reason"]["StringValue"] == reason
    assert stream.texts == ["a good one"]
    assert reason in log[1].getvalue()
    assert "secret" not in log[1].getvalue()


def test_a_refused_message_that_cannot_be_moved_comes_again(stream: World) -> None:
    stream.queues.broken = True
    assert stream.handle([text_record(1, "not json"), text_record(2, {"text": "good"})]) == ["m1"]
    assert stream.texts == ["good"]


@pytest.mark.parametrize(
    "text",
    [
        "x" * MAX_CHARACTERS,
        "😀" * MAX_CHARACTERS,
        "Кожный зуд, 发烧, طفح جلدي and 💊💥",
        "nul \x00, tab \t, quotes \"'\\",
    ],
    ids=["longest", "longest of emoji", "scripts", "controls"],
)
def test_any_text_is_kept_as_it_was_sent(stream: World, text: str) -> None:
    assert stream.handle([text_record(1, {"text": text})]) == []
    assert stream.texts == [text]
    assert stream.rows[0]["event_id"] == hashlib.sha256(text.encode()).hexdigest()


def test_half_of_a_surrogate_pair_becomes_the_replacement_character(stream: World) -> None:
    assert stream.handle([text_record(1, r'{"text": "before \ud83d after \ud83d\ude00", "id": "\udc00"}')]) == []
    assert [(row["text"], row["event_id"]) for row in stream.rows] == [("before \ufffd after 😀", "\ufffd")]


def test_the_same_message_twice_is_one_event(stream: World, log: Log) -> None:
    record = text_record(1, {"text": "a rash p=0.9"})
    assert stream.handle([record, text_record(2, {"text": "a rash p=0.9", "source": "elsewhere"})]) == []
    stream.now += 86_400
    assert stream.handle([record, text_record(3, {"text": "a rash p=0.9"})]) == []
    assert len(stream.rows) == len(stream.topic.notices) == len(stream.endpoint.asked) == 1
    counts = [json.loads(line)["duplicates"] for line in log[1].getvalue().splitlines()]
    assert counts == [1, 2]


def test_an_id_means_something_within_its_source_and_comes_before_the_text(stream: World) -> None:
    sent = [
        {"text": "first", "id": "1", "source": "a"},
        {"text": "first", "id": "1", "source": "b"},
        {"text": "first", "id": "1"},
        {"text": "corrected", "id": "1", "source": "a"},
        {"text": "first", "id": "2", "source": "a"},
        {"text": "first"},
        {"text": "no id", "id": hashlib.sha256(b"first").hexdigest()},
    ]
    assert stream.handle([text_record(number, body) for number, body in enumerate(sent)]) == []
    assert stream.texts == ["first"] * 5 + ["no id"]


def test_answers_in_another_order_are_for_the_texts_that_they_name(stream: World) -> None:
    stream.endpoint.trouble = lambda entries: entries[::-1]
    assert stream.handle([text_record(n, {"text": f"p=0.{n}"}) for n in range(1, 5)]) == []
    assert {row["text"]: row["probability"] for row in stream.rows} == {f"p=0.{n}": n / 10 for n in range(1, 5)}


def changed(**values: Any) -> Any:
    return lambda entries: [*entries[:-1], {**entries[-1], **values}]


@pytest.mark.parametrize(
    "trouble",
    [
        lambda _: b"<html>busy</html>",
        lambda _: b"[" * 100_000,
        lambda _: b"\xff\xfe",
        lambda entries: {"predictions": entries},
        lambda entries: entries[:-1],
        lambda entries: [*entries, entries[0]],
        lambda entries: [entries[0], *entries[:-1]],
        lambda entries: [*entries[:-1], "text"],
        changed(id="somebody else's"),
        changed(id=None),
        changed(label="Maybe"),
        changed(label=["Not_AE"]),
        changed(probability=1.5),
        changed(probability=-0.1),
        changed(probability=float("nan")),
        changed(probability=float("inf")),
        changed(probability="0.5"),
        changed(probability=True),
        changed(probability=None),
        changed(model_version=None),
        unreachable,
        throttled,
    ],
)
def test_an_endpoint_that_is_away_or_talks_nonsense_is_asked_again_later(stream: World, log: Log, trouble: Any) -> None:
    records = [text_record(number, {"text": f"text {number}"}) for number in range(3)]
    stream.endpoint.trouble = trouble
    assert stream.handle(records) == ["m0", "m1", "m2"]
    assert (stream.rows, stream.claims.items, stream.queues.sent) == ([], {}, [])
    assert "text 1" not in log[1].getvalue()
    assert json.loads(log[1].getvalue().splitlines()[0])["event"] == "not_answered"
    stream.endpoint.trouble = None
    assert stream.handle(records) == []
    assert stream.texts == ["text 0", "text 1", "text 2"]


def test_a_text_that_the_model_refuses_does_not_keep_the_others(stream: World, log: Log) -> None:
    texts = ["one", "two REFUSE", "three", "four", "five"]
    failed = stream.handle([text_record(number, {"text": text}) for number, text in enumerate(texts)])
    assert failed == ["m1"]
    assert stream.texts == ["five", "four", "one", "three"]
    assert "REFUSE" not in log[1].getvalue()


def test_a_text_that_breaks_the_model_is_asked_about_alone_from_its_third_time_on(stream: World) -> None:
    texts = ["one", "two BREAK", "three"]
    for received in (1, 2):
        records = [text_record(number, {"text": text}, received=received) for number, text in enumerate(texts)]
        assert stream.handle(records) == ["m0", "m1", "m2"]
    records = [text_record(number, {"text": text}, received=3) for number, text in enumerate(texts)]
    assert stream.handle([*records, text_record(3, {"text": "four"})]) == ["m1"]
    assert stream.endpoint.asked[2:] == [["four"], ["one"], ["two BREAK"], ["three"]]
    assert stream.texts == ["four", "one", "three"]


def test_texts_go_to_the_endpoint_in_portions_by_number_and_size(stream: World) -> None:
    assert stream.handle([text_record(number, {"text": f"text {number}"}) for number in range(10)]) == []
    assert [len(texts) for texts in stream.endpoint.asked] == [4, 4, 2]
    stream.endpoint.asked.clear()
    stream.stream = dataclasses.replace(stream.stream, texts_a_call=256)
    large = [{"text": f"{number}" + "😀" * (MAX_CHARACTERS - 2)} for number in range(25)]
    assert stream.handle([text_record(100 + number, body) for number, body in enumerate(large)]) == []
    assert [len(texts) for texts in stream.endpoint.asked] == [20, 5]


def test_no_request_is_begun_that_the_function_might_not_end(stream: World) -> None:
    stream.seconds_left = 44
    assert stream.handle([text_record(1, {"text": "later"})]) == ["m1"]
    assert stream.endpoint.asked == []


def test_events_lie_by_the_day_on_which_they_arrived_not_on_which_they_were_written(stream: World) -> None:
    evening = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC).timestamp()
    records = [text_record(1, {"text": "in the evening"}, sent_at=evening), text_record(2, {"text": "at noon"})]
    assert stream.handle(records) == []
    days = {key.split("/")[3]: [row["text"] for row in rows] for key, rows in table_rows(stream.s3, EVENTS).items()}
    assert days == {"day=2026-02-28": ["in the evening"], "day=2026-03-01": ["at noon"]}


def test_a_notice_that_cannot_be_sent_is_sent_later_and_the_event_not_written_twice(stream: World) -> None:
    records = [text_record(1, {"text": "p=0.9"}), text_record(2, {"text": "p=0.1"})]
    stream.topic.broken = True
    assert stream.handle(records) == ["m1", "m2"]
    assert stream.handle(records) == ["m1", "m2"]  # its lease is not over
    stream.topic.broken = False
    stream.deliver_until_rest(records)
    assert (stream.texts, len(stream.topic.notices)) == (["p=0.1", "p=0.9"], 1)


@pytest.mark.parametrize("times", [1, 4])
def test_a_busy_table_of_claims_is_asked_again(stream: World, times: int) -> None:
    stream.claims.holding_back = times
    assert stream.handle([text_record(1, {"text": "one"})]) == []
    assert stream.texts == ["one"]


def test_a_table_of_claims_that_stays_busy_lets_the_messages_come_again(stream: World) -> None:
    stream.claims.holding_back = 5
    assert stream.handle([text_record(1, {"text": "one"})]) == ["m1"]
    stream.deliver_until_rest([text_record(1, {"text": "one"})])
    assert stream.texts == ["one"]


def test_many_texts_are_claimed_and_marked_in_portions_that_dynamodb_takes(stream: World) -> None:
    records = [text_record(number, {"text": f"text {number}"}) for number in range(130)]
    assert stream.handle(records) == []
    assert len(stream.rows) == 130
    assert all(item["finished"]["BOOL"] for item in stream.claims.items.values())
    assert stream.handle(records) == []
    assert len(stream.rows) == 130


def test_claims_hold_nothing_of_a_text_nor_of_a_senders_id(stream: World) -> None:
    stream.handle([text_record(1, {"text": "Mrs Example fell", "id": "Example", "source": "ward"})])
    assert "Example" not in json.dumps(stream.claims.items)


def test_a_message_that_failed_comes_again_later_each_time(stream: World, log: Log) -> None:
    sqs = connect("sqs", stream.queues)
    records = [text_record(number, {}, received=number) for number in range(1, 13)]
    try_again_later(sqs, QUEUE, records, (15, 60, 300), log[0])
    assert stream.queues.visibility[:4] == [("r1", 15), ("r2", 60), ("r3", 300), ("r4", 300)]
    assert len(stream.queues.visibility) == 12


ENVIRONMENT = {
    "BUCKET": "b",
    "TASK": "t",
    "ENDPOINT": "dev-t",
    "LABELS": '["Yes", "No"]',
    "TEXTS_A_CALL": "32",
    "CLAIMS": "claims",
    "LEASE_SECONDS": "120",
    "TEXT_QUEUE": QUEUE,
    "DEAD_LETTERS": DEAD_LETTERS,
    "RETRY_SECONDS": "[15, 60]",
    "NOTICES": "{}",
    "MENTIONS": "rules",
}


def test_the_environment_is_read() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.labels, settings.texts_a_call, settings.retry_seconds) == (("Yes", "No"), 32, (15, 60))
    with_notices = {**ENVIRONMENT, "NOTICES": '{"topic": "arn", "probability": 1}'}
    assert Settings.from_environment(with_notices).notices["probability"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in ENVIRONMENT),
        ("LABELS", '["Yes"]'),
        ("LABELS", '["Yes", "Yes"]'),
        ("TEXTS_A_CALL", "0"),
        ("TEXTS_A_CALL", "257"),
        ("RETRY_SECONDS", "[]"),
        ("RETRY_SECONDS", "[true]"),
        ("NOTICES", '{"topic": "arn"}'),
        ("NOTICES", '{"topic": "arn", "probability": 0}'),
        ("MENTIONS", "magic"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({**ENVIRONMENT, name: value})
