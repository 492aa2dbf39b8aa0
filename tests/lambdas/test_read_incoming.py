"""read_incoming: files of texts become messages, bad lines a quarantine object, and nothing is lost or told."""

import codecs
import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.errors import EventError, SettingsError, UnfinishedError
from lambdas.read_incoming.handler import Settings
from lambdas.read_incoming.incoming import Places, read_incoming
from lambdas.read_incoming.sender import REQUEST_BYTES, Sender
from lambdas.structured_log import key_digest
from lambdas.texts import MAX_CHARACTERS, SentText, message, read_text
from tests.lambdas.aws_in_memory import Refused, connect
from tests.lambdas.events import BUCKET, object_created
from tests.lambdas.fake_s3 import FakeS3

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXTS, INCOMING = "https://sqs.eu-central-1.amazonaws.com/1/texts", "https://sqs.eu-central-1.amazonaws.com/1/incoming"
Log = tuple[logging.Logger, io.StringIO]


class FakeQueues:
    """Takes messages as SQS does. `taken_at_a_time`: how many of a request are taken at most."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.events: list[str] = []
        self.taken_at_a_time = 10

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == TEXTS and 1 <= len(Entries) <= 10
        assert sum(len(entry["MessageBody"].encode()) for entry in Entries) <= 256 * 1024
        taken, rest = Entries[: self.taken_at_a_time], Entries[self.taken_at_a_time :]
        self.bodies += [entry["MessageBody"] for entry in taken]
        # A failed entry comes back without the others.
        failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in rest]
        return {
            "Successful": [{"Id": e["Id"], "MessageId": "m", "MD5OfMessageBody": "0"} for e in taken],
            "Failed": failed,
        }

    def send_message(self, QueueUrl: str, MessageBody: str) -> dict[str, Any]:
        assert QueueUrl == INCOMING
        self.events.append(MessageBody)
        return {}


class Inbox:
    """A bucket, two queues, and the time that the function has left at each look."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.s3, self.queues = FakeS3(), FakeQueues()
        self.looks_in_time = 10**9
        s3, sqs = connect("s3", self.s3), connect("sqs", self.queues)
        self.places = Places(s3, sqs, BUCKET, "adverse_events", TEXTS, INCOMING)

    def drop(self, name: str, content: bytes | str) -> str:
        """Put a file there and let it be read; its key."""
        key = f"uploads/adverse_events/incoming/{name}"
        self.s3.bodies[key] = content.encode() if isinstance(content, str) else content
        self.read(json.dumps(object_created(key, NOW)))
        return key

    def read(self, body: str) -> None:
        read_incoming(body, self.places, self._remaining, self.log[0])

    def _remaining(self) -> float:
        self.looks_in_time -= 1
        return 60.5 if self.looks_in_time >= 0 else 59.5

    @property
    def texts(self) -> list[str]:
        return [read_text(body).text for body in self.queues.bodies]

    @property
    def quarantined(self) -> list[tuple[int | None, str]]:
        found = [
            json.loads(line)
            for key, body in sorted(self.s3.bodies.items())
            if key.startswith("incoming-quarantine/adverse_events/")
            for line in body.splitlines()
        ]
        return [(entry["line"], entry["reason"]) for entry in found]


@pytest.fixture
def inbox(log: Log) -> Inbox:
    return Inbox(log)


def test_json_lines_become_messages_and_their_bad_lines_a_quarantine_object(inbox: Inbox, log: Log) -> None:
    lines = [
        '{"text": "one", "id": "7", "source": "clinic", "time": "2026-03-01T08:00:00Z", "ward": "kept nowhere"}',
        "",
        '{"text": "two secret"',
        '{"text": "two 😀", "id": null, "source": ""}',
        '{"text": "three secret", "id": 3}',
        '{"note": "secret"}',
        '["secret"]',
    ]
    key = inbox.drop("a.JSONL", "\n".join(lines))
    sent = [read_text(body) for body in inbox.queues.bodies]
    assert sent == [
        SentText("one", "7", "clinic", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        SentText("two 😀", None, f"file-{key_digest(key)}", None),
    ]
    assert inbox.quarantined == [(3, "not JSON"), (5, "id must be text"), (6, "no text"), (7, "not a JSON object")]
    assert "secret" not in log[1].getvalue()
    said = json.loads(log[1].getvalue())
    assert (said["sent"], said["quarantined"], said["complete"]) == (2, 4, True)


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_csv_has_the_same_columns_in_any_order(inbox: Inbox, mark: bytes) -> None:
    content = (
        "Source,TEXT,ward,id,time\r\n"
        'clinic,"first line\nsecond, ""quoted""",3,1,2026-03-01\r\n'
        ",Œdème à gauche,3,,\r\n"
        "clinic,,3,2,\r\n"
        "clinic,too few\r\n"
        "clinic,fine,3,4,\r\n"
    )
    inbox.drop("a.csv", mark + content.encode())
    assert inbox.texts == ['first line\nsecond, "quoted"', "Œdème à gauche", "fine"]
    first = read_text(inbox.queues.bodies[0])
    assert (first.id, first.source, first.happened_at) == ("1", "clinic", datetime(2026, 3, 1, tzinfo=UTC))
    assert inbox.quarantined == [(5, "text is empty"), (6, "2 fields instead of the header's 5")]


@pytest.mark.parametrize("header", ["note,id", "text,text", "secret of Mrs Example"])
def test_csv_without_a_column_of_texts_sends_nothing(inbox: Inbox, log: Log, header: str) -> None:
    inbox.drop("a.csv", f"{header}\na,b\n")
    assert inbox.texts == []
    assert inbox.quarantined == [(1, "the header must name text, and each of text, id, source, time once at most")]
    assert "Example" not in log[1].getvalue()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("One report.\n\nOver lines.\n", "One report.\n\nOver lines."),
        ("😀" * MAX_CHARACTERS, "😀" * MAX_CHARACTERS),
        (codecs.BOM_UTF8 + "Kein Erguß".encode(), "Kein Erguß"),
        ("Œdème".encode("cp1252"), "Œdème"),
        ("naïve".encode("utf-16"), "naïve"),
    ],
    ids=["lines", "longest", "mark", "windows", "utf-16"],
)
def test_a_text_file_is_one_text(inbox: Inbox, content: bytes | str, text: str) -> None:
    inbox.drop("a.txt", content)
    assert inbox.texts == [text]
    assert inbox.quarantined == []


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.txt", "x" * 30_000 + "\n" + "y" * 30_000, None, "text is longer than 50,000 characters"),
        ("a.txt", " \n", None, "text is empty"),
        ("a.txt", b"\x00\x01binary", 1, "not text"),
        ("a.jsonl", b'{"text": "' + b"x" * 1024**2 + b'"}', 1, "longer than the limit"),
        ("a.jsonl", json.dumps({"text": "\x01" * MAX_CHARACTERS}), 1, "its message would be larger than 262,144 bytes"),
        ("a.pdf", b"%PDF", None, "the file's name must end in .jsonl, .json, .csv, .txt"),
        ("a", b"", None, "the file's name must end in .jsonl, .json, .csv, .txt"),
    ],
    ids=["long", "empty", "binary", "line", "controls", "pdf", "no name"],
)
def test_what_is_no_text_is_set_aside_with_its_reason(
    inbox: Inbox, name: str, content: bytes | str, line: int | None, reason: str
) -> None:
    inbox.drop(name, content)
    assert inbox.texts == []
    assert inbox.quarantined == [(line, reason)]


def test_the_same_event_twice_gives_the_same_texts_and_one_quarantine_object(inbox: Inbox) -> None:
    lines = '{"text": "one"}\n{"text": "two", "id": "2"}\nbad\n'
    inbox.drop("a.jsonl", lines)
    objects = dict(inbox.s3.bodies)
    inbox.drop("a.jsonl", lines)
    assert inbox.s3.bodies == objects
    identities = [read_text(body).identity for body in inbox.queues.bodies]
    assert identities[:2] == identities[2:]
    assert len(set(identities)) == 2


def test_ids_of_one_file_mean_nothing_in_another(inbox: Inbox) -> None:
    for name in ("a.csv", "b.csv"):
        inbox.drop(name, f"id,text\n1,from {name}\n")
    first, second = (read_text(body) for body in inbox.queues.bodies)
    assert first.id == second.id
    assert first.identity != second.identity


def test_the_file_is_read_in_the_version_that_the_event_names(inbox: Inbox) -> None:
    asked: list[str | None] = []
    original = inbox.s3.get_object

    def get_object(Bucket: str, Key: str, VersionId: str | None = None, **_: Any) -> dict[str, Any]:
        asked.append(VersionId)
        return original(Bucket, Key)

    inbox.s3.get_object = get_object  # type: ignore[method-assign]
    key = inbox.drop("a.txt", "text")
    event = object_created(key, NOW)
    event["detail"]["object"]["version-id"] = "v7"
    inbox.read(json.dumps(event))
    assert set(asked[: len(asked) // 2]) == {None}
    assert set(asked[len(asked) // 2 :]) == {"v7"}


def test_a_file_that_is_gone_is_logged_and_let_go(inbox: Inbox, log: Log) -> None:
    inbox.read(json.dumps(object_created("uploads/adverse_events/incoming/gone.txt", NOW)))
    assert json.loads(log[1].getvalue())["event"] == "incoming_file_gone"


def test_another_error_of_s3_lets_the_message_come_again(inbox: Inbox) -> None:
    def get_object(**_: Any) -> dict[str, Any]:
        raise Refused("SlowDown", "Please reduce your request rate.")

    inbox.s3.get_object = get_object  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        inbox.drop("a.txt", "text")


def test_an_empty_folder_is_no_file(inbox: Inbox) -> None:
    inbox.read(json.dumps(object_created("uploads/adverse_events/incoming/", NOW)))
    assert inbox.queues.bodies == []


@pytest.mark.parametrize("body", ["no json", "{}", json.dumps(object_created("elsewhere/a.txt", NOW))])
def test_what_is_no_event_of_ours_is_refused(inbox: Inbox, body: str) -> None:
    with pytest.raises(EventError):
        inbox.read(body)


def test_a_file_that_takes_too_long_is_read_on_later_from_where_it_was_left(inbox: Inbox) -> None:
    lines = [json.dumps({"text": f"text {number}"}) for number in range(25)]
    lines[3], lines[20] = "bad", "also bad"
    inbox.looks_in_time = 12
    inbox.drop("a.jsonl", "\n".join(lines))
    while inbox.queues.events:
        inbox.looks_in_time = 12
        inbox.read(inbox.queues.events.pop(0))
    assert inbox.texts == [f"text {number}" for number in range(25) if number not in (3, 20)]
    assert inbox.quarantined == [(4, "not JSON"), (21, "not JSON")]


def test_messages_that_the_queue_did_not_take_are_sent_again_alone(inbox: Inbox) -> None:
    inbox.queues.taken_at_a_time = 4
    inbox.drop("a.jsonl", "\n".join(json.dumps({"text": f"text {number}"}) for number in range(10)))
    assert inbox.texts == [f"text {number}" for number in range(10)]


def test_a_queue_that_takes_nothing_lets_the_event_come_again(inbox: Inbox) -> None:
    inbox.queues.taken_at_a_time = 0
    slept: list[float] = []
    with (
        pytest.raises(UnfinishedError, match="did not take 1"),
        Sender(inbox.places.sqs, TEXTS, sleep=slept.append) as sender,
    ):
        sender.add("text")
    assert slept == [0, 1, 2, 3]


def test_requests_stay_within_the_size_that_a_queue_takes(inbox: Inbox) -> None:
    inbox.drop("a.jsonl", "\n".join(json.dumps({"text": f"{n}" + "é" * 40_000}) for n in range(25)))
    assert len(inbox.texts) == 25  # The queue checks sizes.
    with Sender(inbox.places.sqs, TEXTS) as sender:
        sender.add("x" * REQUEST_BYTES)
        sender.add("y")
    assert len(inbox.queues.bodies) == 27


@pytest.mark.parametrize("text", ["\ufffe\uffff", "\x00\x1f\x7f\x85", "😀\u2028", '"\\'])
def test_a_message_holds_only_characters_that_sqs_takes_and_says_the_same(text: str) -> None:
    sent = SentText(text, "id", "source", NOW)
    body = message(sent)
    allowed = [(0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    assert all(any(low <= ord(c) <= high for low, high in allowed) for c in body)
    assert read_text(body) == sent


@pytest.mark.parametrize("name", ["BUCKET", "TASK", "TEXT_QUEUE", "INCOMING_QUEUE", "RETRY_SECONDS"])
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    environment = {"BUCKET": "b", "TASK": "t", "TEXT_QUEUE": TEXTS, "INCOMING_QUEUE": INCOMING, "RETRY_SECONDS": "[60]"}
    assert Settings.from_environment(environment).retry_seconds == (60,)
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment({k: v for k, v in environment.items() if k != name})
